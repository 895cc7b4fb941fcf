// Who is logged in. The browser has a random identifier, signed; the database has its digest. So
// every node knows a session, whoever is primary, a log out ends it everywhere, and neither a
// forged cookie nor a copy of the database is a way in.
//
//   IDENTIFIER.EXPIRES.SIGNATURE       milliseconds since 1970; base64url

import { createHash, randomBytes } from 'node:crypto';

import { type SqliteHandle, selectOne } from '../database/handle.ts';
import { isSigned, sign } from './signing.ts';

export interface User {
  readonly id: bigint;
  readonly username: string;
  readonly email: string;
}

export interface Session {
  /** Secret: only its digest is stored. */
  readonly id: string;
  readonly user: User;
}

/** Two weeks, as in Django. */
export const SESSION_MS: number = 14 * 86_400_000;
/** Of one user; the oldest ends when there is one more. */
const SESSIONS_MAX = 32;
/** Too many to guess. */
const ID_BYTES = 32;
const COOKIE = /^([\w-]{43})\.(\d{1,15})\.([\w-]{43})$/;

/** Creates a session; returns the value of its cookie. Within a transaction of the caller. */
export function createSession(
  database: SqliteHandle,
  { key, userId, nowMs }: { readonly key: Buffer; readonly userId: bigint; readonly nowMs: number },
): string {
  const id = randomBytes(ID_BYTES).toString('base64url');
  const now = BigInt(Math.floor(nowMs));
  const expires = now + BigInt(SESSION_MS);
  database.prepare('DELETE FROM skein_admin_session WHERE expires_at <= ?').run(now);
  database
    .prepare('INSERT INTO skein_admin_session VALUES (?, ?, ?, ?)')
    .run(digestOf(id), userId, now, expires);
  database
    .prepare(
      `DELETE FROM skein_admin_session WHERE user_id = ? AND digest NOT IN (
         SELECT digest FROM skein_admin_session WHERE user_id = ?
         ORDER BY created_at DESC, digest LIMIT ${SESSIONS_MAX})`,
    )
    .run(userId, userId);
  const text = `${id}.${expires}`;
  return `${text}.${sign(key, 'session', text)}`;
}

/** The session of a cookie: signed, not over, known, of a user who may still log in. */
export function maybeSession(
  database: SqliteHandle,
  key: Buffer,
  { cookie, nowMs }: { readonly cookie: string | undefined; readonly nowMs: number },
): Session | undefined {
  const id = maybeSessionId(key, cookie, nowMs);
  if (id === undefined) return undefined;
  const row = selectOne(
    database,
    `SELECT CAST(u.id AS TEXT) AS id, u.username, u.email
     FROM skein_admin_session AS s JOIN skein_admin_user AS u ON u.id = s.user_id
     WHERE s.digest = ? AND s.expires_at > ? AND u.is_active = 1`,
    digestOf(id),
    BigInt(Math.floor(nowMs)),
  );
  if (row === undefined) return undefined;
  const user = {
    id: BigInt(String(row['id'])),
    username: String(row['username']),
    email: String(row['email']),
  };
  return { id, user };
}

/** Looks at no database: what is forged or over costs nothing. */
function maybeSessionId(
  key: Buffer,
  cookie: string | undefined,
  nowMs: number,
): string | undefined {
  const match = COOKIE.exec(cookie ?? '');
  if (match === null) return undefined;
  const [, id, expires, signature] = match;
  const text = `${id}.${expires}`;
  const isGenuine = isSigned(key, 'session', { text, signature: signature! });
  return isGenuine && Number(expires) > nowMs ? id : undefined;
}

/** It is over on every node that learns of it. */
export function endSession(database: SqliteHandle, id: string): void {
  database.prepare('DELETE FROM skein_admin_session WHERE digest = ?').run(digestOf(id));
}

export function endSessionsOf(database: SqliteHandle, userId: bigint): void {
  database.prepare('DELETE FROM skein_admin_session WHERE user_id = ?').run(userId);
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
