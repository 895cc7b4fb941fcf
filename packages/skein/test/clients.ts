// Connections of stock SQLite clients, in the settings that tests vary.

import { DatabaseSync } from 'node:sqlite';

import {
  type JournalMode,
  type SqliteDriver,
  type SqliteProcess,
  startSqlite,
  type TestScope,
} from '@skein/testkit';

export const SYNCHRONOUS = ['OFF', 'NORMAL', 'FULL', 'EXTRA'] as const;

export type Synchronous = (typeof SYNCHRONOUS)[number];

export interface ClientOptions {
  readonly driver?: SqliteDriver;
  /** Asked for right after opening; what the database has already stays otherwise. */
  readonly journalMode?: JournalMode;
  readonly synchronous?: Synchronous;
  /** Of a new database. */
  readonly pageSize?: number;
  readonly busyTimeoutMs?: number;
  readonly prefix?: readonly string[];
}

/** Starts a client with the database at `path` open. */
export async function connect(
  t: TestScope,
  path: string,
  options: ClientOptions = {},
): Promise<SqliteProcess> {
  const { driver = 'python', journalMode, synchronous, pageSize, busyTimeoutMs = 0 } = options;
  const { prefix = [] } = options;
  const client = startSqlite(t, { driver, prefix });
  await client.open(path, { busyTimeoutMs });
  if (pageSize !== undefined) await client.exec(`PRAGMA page_size = ${pageSize}`);
  if (journalMode !== undefined) await client.exec(`PRAGMA journal_mode = ${journalMode}`);
  if (synchronous !== undefined) await client.exec(`PRAGMA synchronous = ${synchronous}`);
  return client;
}

/** All rows of the table t. */
export async function rowsOf(client: SqliteProcess): Promise<unknown[]> {
  return await client.exec('SELECT * FROM t ORDER BY 1');
}

/** The same of a file that is not on a mount. */
export function rowsOfFile(path: string): unknown[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const statement = database.prepare('SELECT * FROM t ORDER BY 1');
    statement.setReturnArrays(true);
    return statement.all();
  } finally {
    database.close();
  }
}

/** A query with the numbers from 1 to `count`, in column i. */
export function numbers(count: number): string {
  return (
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n ' +
    `WHERE i < ${count}) SELECT i FROM n`
  );
}
