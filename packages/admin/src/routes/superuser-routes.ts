// Where the command on a replica has a superuser created: on the primary, through the same doors as
// everything else. Its caller proves that it may, in one of two ways:
//
//   the name and the password of a superuser
//   the first superuser: a signature with the key of the site, which readers of the database have
//
// The second holds only while there is no user. A copy of the database is no way in later, and the
// password itself does not travel, only its hash.

import { isPasswordHash } from '../auth/password.ts';
import { isSigned, sign } from '../auth/signing.ts';
import { acceptForm, readReady, writeReady } from '../http/members.ts';
import type { Reply } from '../http/reply.ts';
import type { Visit } from '../http/site-context.ts';
import { logAction } from '../store/history.ts';
import { readKey } from '../store/own-tables.ts';
import {
  emailProblem,
  hasUsers,
  maybeUser,
  tryCreateUser,
  usernameProblem,
} from '../store/users.ts';

/** What the command sends, each a field of a form. */
export interface SuperuserRequest {
  readonly username: string;
  readonly email: string;
  /** The hash. */
  readonly password: string;
  /** Milliseconds since 1970. */
  readonly at: string;
  readonly signature: string;
  readonly byUsername: string;
  readonly byPassword: string;
}

/** Clocks differ, and people read before they press a key. */
const FRESH_MS = 5 * 60_000;

export type SignedRequest = Pick<SuperuserRequest, 'username' | 'email' | 'password' | 'at'>;

/** The proof of whoever can read the database. */
export function signRequest(key: Buffer, request: SignedRequest): string {
  return sign(key, 'superuser', signedText(request));
}

function signedText({ username, email, password, at }: SignedRequest): string {
  return JSON.stringify([username, email, password, at]);
}

export async function createSuperuserHere(visit: Visit): Promise<Reply> {
  const form = await acceptForm(visit);
  if ('kind' in form) return form;
  const text = (name: keyof SuperuserRequest): string => {
    const value = form.fields.get(name);
    return typeof value === 'string' ? value : '';
  };
  const request: SuperuserRequest = {
    username: text('username'),
    email: text('email'),
    password: text('password'),
    at: text('at'),
    signature: text('signature'),
    byUsername: text('byUsername'),
    byPassword: text('byPassword'),
  };
  const problem = usernameProblem(request.username) ?? emailProblem(request.email);
  // An empty form has the tables of the site made, for a command that waits for them.
  if (problem !== undefined) return readReady(visit, () => refuse(400, problem));
  if (!isPasswordHash(request.password)) return refuse(400, 'This is no hash of a password');
  const mayCreate = await isSuperuser(visit, request);
  return writeReady(visit, (database) => {
    const nowMs = visit.site.nowMs(database);
    // There may be a first user since the command looked.
    const isFirst = !hasUsers(database) && isFresh(readKey(database), request, nowMs);
    if (!mayCreate && !isFirst) return refuse(403, 'Only a superuser creates another one');
    const { username, email, password } = request;
    if (!tryCreateUser(database, { username, email, password, nowMs })) {
      return refuse(409, 'There is a user of that name already');
    }
    const by = mayCreate ? request.byUsername : '';
    logAction(
      database,
      { user: by, node: visit.node?.name ?? '', nowMs },
      { action: 'user', table: '', key: '', label: `${username} was added`, changes: [] },
    );
    return { kind: 'json', status: 201, value: { username } };
  });
}

function isFresh(key: Buffer, request: SuperuserRequest, nowMs: number): boolean {
  const { signature, at } = request;
  if (Math.abs(nowMs - Number(at)) > FRESH_MS) return false;
  return isSigned(key, 'superuser', { text: signedText(request), signature });
}

async function isSuperuser(visit: Visit, request: SuperuserRequest): Promise<boolean> {
  if (request.byUsername === '') return false;
  let hash: string | undefined;
  let nowMs = 0;
  readReady(visit, (database) => {
    const user = maybeUser(database, request.byUsername);
    hash = user?.isActive === true ? user.password : undefined;
    nowMs = visit.site.nowMs(database);
    return refuse(403, '');
  });
  const { address, site } = visit;
  const { byUsername: username, byPassword: password } = request;
  const result = await site.passwords.check({ username, password, hash, address, nowMs });
  return result.kind === 'right';
}

function refuse(status: number, message: string): Reply {
  return { kind: 'json', status, value: { message } };
}
