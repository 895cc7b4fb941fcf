// The users of the site. All of them are superusers: whoever may log in may do everything.

import { type SqliteHandle, type SqlRow, selectAll, selectOne } from '../database/handle.ts';

export interface StoredUser {
  readonly id: bigint;
  readonly username: string;
  readonly email: string;
  /** The hash. */
  readonly password: string;
  readonly isActive: boolean;
  readonly createdMs: number;
  readonly lastLoginMs: number | undefined;
}

const COLUMNS =
  'CAST(id AS TEXT) AS id, username, email, password, is_active, created_at, last_login';

/** Letters, digits and @ . + - _, as in Django. */
const USERNAME = /^[\p{L}\p{N}@.+_-]{1,150}$/u;
const EMAIL = /^[^\s@]{1,200}@[^\s@]{1,250}$/;

/** Why a user cannot be called that; undefined if it can. */
export function usernameProblem(username: string): string | undefined {
  if (username === '') return 'The username is empty';
  if (USERNAME.test(username)) return undefined;
  return 'The username may have up to 150 letters, digits and @ . + - _';
}

/** An address is wanted but not needed. */
export function emailProblem(email: string): string | undefined {
  return email === '' || EMAIL.test(email) ? undefined : 'This is no address of an email';
}

export function maybeUser(database: SqliteHandle, username: string): StoredUser | undefined {
  const sql = `SELECT ${COLUMNS} FROM skein_admin_user WHERE username = ?`;
  const row = selectOne(database, sql, username);
  return row && readUser(row);
}

export function maybeUserById(database: SqliteHandle, id: bigint): StoredUser | undefined {
  const row = selectOne(database, `SELECT ${COLUMNS} FROM skein_admin_user WHERE id = ?`, id);
  return row && readUser(row);
}

export function listUsers(database: SqliteHandle): StoredUser[] {
  const sql = `SELECT ${COLUMNS} FROM skein_admin_user ORDER BY username COLLATE NOCASE`;
  return selectAll(database, sql).map(readUser);
}

export function hasUsers(database: SqliteHandle): boolean {
  return selectOne(database, 'SELECT 1 FROM skein_admin_user LIMIT 1') !== undefined;
}

export interface NewUser {
  readonly username: string;
  readonly email: string;
  /** The hash. */
  readonly password: string;
  readonly nowMs: number;
}

/** False if there is a user of that name. */
export function tryCreateUser(database: SqliteHandle, user: NewUser): boolean {
  if (maybeUser(database, user.username) !== undefined) return false;
  database
    .prepare(
      'INSERT INTO skein_admin_user (username, email, password, created_at) VALUES (?, ?, ?, ?)',
    )
    .run(user.username, user.email, user.password, BigInt(Math.floor(user.nowMs)));
  return true;
}

export function setPassword(database: SqliteHandle, id: bigint, hash: string): void {
  database.prepare('UPDATE skein_admin_user SET password = ? WHERE id = ?').run(hash, id);
}

export function setActive(database: SqliteHandle, id: bigint, isActive: boolean): void {
  database
    .prepare('UPDATE skein_admin_user SET is_active = ? WHERE id = ?')
    .run(isActive ? 1n : 0n, id);
}

export function noteLogin(database: SqliteHandle, id: bigint, nowMs: number): void {
  database
    .prepare('UPDATE skein_admin_user SET last_login = ? WHERE id = ?')
    .run(BigInt(Math.floor(nowMs)), id);
}

function readUser(row: SqlRow): StoredUser {
  const lastLogin = row['last_login'];
  return {
    id: BigInt(String(row['id'])),
    username: String(row['username']),
    email: String(row['email']),
    password: String(row['password']),
    isActive: Number(row['is_active']) === 1,
    createdMs: Number(row['created_at']),
    lastLoginMs: lastLogin === null ? undefined : Number(lastLogin),
  };
}
