// The tables of the site itself: who may log in, who has, what was changed. They are in the
// database that is administrated, so that they are on every node, and hidden from its lists.
//
// On disk: a change of a table is another entry of MIGRATIONS, never a change of one. The first
// writer brings them up to date, which only the primary can be.

import { randomBytes } from 'node:crypto';

import { type SqliteHandle, selectOne } from '../database/handle.ts';

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE skein_admin_user (
     id INTEGER PRIMARY KEY,
     username TEXT NOT NULL UNIQUE,
     email TEXT NOT NULL,
     password TEXT NOT NULL,
     is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
     created_at INTEGER NOT NULL,
     last_login INTEGER
   ) STRICT;
   CREATE TABLE skein_admin_session (
     digest TEXT NOT NULL PRIMARY KEY,
     user_id INTEGER NOT NULL REFERENCES skein_admin_user ON DELETE CASCADE,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX skein_admin_session_user ON skein_admin_session (user_id);
   CREATE TABLE skein_admin_log (
     id INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     user TEXT NOT NULL,
     node TEXT NOT NULL,
     action TEXT NOT NULL,
     table_name TEXT NOT NULL,
     row_key TEXT NOT NULL,
     label TEXT NOT NULL,
     changes TEXT NOT NULL
   ) STRICT;
   CREATE INDEX skein_admin_log_row ON skein_admin_log (table_name, row_key, id);`,
];

const META = 'CREATE TABLE skein_admin_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT';

/** As long as what HMAC-SHA-256 makes of it. */
const KEY_BYTES = 32;

/** Whether all tables are there, as this version of the site knows them. */
export function hasOwnTables(database: SqliteHandle): boolean {
  return ownVersion(database) >= MIGRATIONS.length;
}

function ownVersion(database: SqliteHandle): number {
  const meta = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'skein_admin_meta'";
  if (selectOne(database, meta) === undefined) return 0;
  return Number(maybeMeta(database, 'version') ?? 0);
}

/** Creates what is missing; within a transaction of the caller. */
export function createOwnTables(database: SqliteHandle): void {
  const version = ownVersion(database);
  if (version >= MIGRATIONS.length) return;
  if (version === 0) {
    database.exec(META);
    setMeta(database, 'key', randomBytes(KEY_BYTES).toString('base64url'));
  }
  for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
  setMeta(database, 'version', String(MIGRATIONS.length));
}

/**
 * Signs cookies and forms, on every node and after every change of the primary. Who can read the
 * database knows it; so what is signed also contains a secret of which the database has a digest.
 */
export function readKey(database: SqliteHandle): Buffer {
  return Buffer.from(maybeMeta(database, 'key')!, 'base64url');
}

function maybeMeta(database: SqliteHandle, name: string): string | undefined {
  const row = selectOne(database, 'SELECT value FROM skein_admin_meta WHERE name = ?', name);
  return row && String(row['value']);
}

function setMeta(database: SqliteHandle, name: string, value: string): void {
  database
    .prepare('INSERT OR REPLACE INTO skein_admin_meta (name, value) VALUES (?, ?)')
    .run(name, value);
}
