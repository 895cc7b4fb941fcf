// What the site needs of a SQLite driver, and the connections that it works with.
//
// With a path each request has a connection of its own, for reading only unless it writes. So a
// node may change its role or start anew between two requests: a connection that outlives its node
// reads what the kernel has kept of the one before.
//
// Invariant: whatever writes is one transaction, begun with BEGIN IMMEDIATE.

import { isSkeinError, OutcomeUnknownError } from '@skein/client';
import Database from 'better-sqlite3';

import { type SqliteFailure, sqliteFailure } from './sqlite-errors.ts';

/** What is bound: bigint for integers, so that 64 bits stay 64 bits. */
export type SqlValue = null | bigint | number | string | Uint8Array;

export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqliteStatement {
  all(...values: SqlValue[]): unknown[];
  get(...values: SqlValue[]): unknown;
  run(...values: SqlValue[]): unknown;
}

/** The part of better-sqlite3 that is used; node:sqlite and `SkeinDatabase` have it too. */
export interface SqliteHandle {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

/**
 * How long a statement waits for a lock. The whole process waits with it, so it is short; then the
 * user is asked to try again.
 */
const BUSY_TIMEOUT_MS = 2000;

export class Connections {
  readonly #source: string | SqliteHandle;

  constructor(source: string | SqliteHandle) {
    this.#source = source;
  }

  /** All that `work` reads is of one moment. */
  read<T>(work: (database: SqliteHandle) => T): T {
    return this.#with({ readonly: true }, (database) => inTransaction(database, 'DEFERRED', work));
  }

  /** All that `work` writes is there, or nothing: it throws to undo. */
  write<T>(work: (database: SqliteHandle) => T): T {
    return this.#with({ readonly: false }, (database) =>
      withForeignKeys(database, () => inTransaction(database, 'IMMEDIATE', work)),
    );
  }

  #with<T>({ readonly }: { readonly readonly: boolean }, work: (database: SqliteHandle) => T): T {
    if (typeof this.#source !== 'string') return work(this.#source);
    const database = new Database(this.#source, {
      readonly,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    try {
      return work(database);
    } finally {
      database.close();
    }
  }
}

/**
 * References are kept, whatever a handle does otherwise; afterwards it does so again. SQLite does
 * not change that within a transaction.
 */
function withForeignKeys<T>(database: SqliteHandle, work: () => T): T {
  if (Number(selectOne(database, 'PRAGMA foreign_keys')!['foreign_keys']) === 1) return work();
  database.exec('PRAGMA foreign_keys = ON');
  try {
    return work();
  } finally {
    database.exec('PRAGMA foreign_keys = OFF');
  }
}

function inTransaction<T>(
  database: SqliteHandle,
  mode: 'DEFERRED' | 'IMMEDIATE',
  work: (database: SqliteHandle) => T,
): T {
  database.exec(`BEGIN ${mode}`);
  try {
    const result = work(database);
    if (mode === 'IMMEDIATE') commit(database);
    else database.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(database, error);
    throw error;
  }
}

/** A commit that SQLite refuses has not happened; of one that failed nobody knows. */
function commit(database: SqliteHandle): void {
  try {
    database.exec('COMMIT');
  } catch (error) {
    const isRefused = isSkeinError(error) || REFUSED_COMMITS.has(sqliteFailure(error));
    throw isRefused ? error : new OutcomeUnknownError(error);
  }
}

const REFUSED_COMMITS: ReadonlySet<SqliteFailure | undefined> = new Set<SqliteFailure>([
  'busy',
  'constraint',
  'full',
  'readonly',
]);

/** SQLite has rolled back by itself after some errors. */
function rollBack(database: SqliteHandle, error: unknown): void {
  try {
    database.exec('ROLLBACK');
  } catch (cause) {
    if (!/no transaction is active/.test(String(cause))) {
      throw new AggregateError([error, cause], 'Cannot roll back', { cause });
    }
  }
}

/**
 * Does `work`, or nothing of it: an error undoes it, and only it, and is given to `refused`, which
 * answers or throws. Within a transaction.
 */
export function attempt<T>(
  database: SqliteHandle,
  work: () => T,
  refused: (error: unknown) => T,
): T {
  database.exec('SAVEPOINT skein_admin');
  try {
    const result = work();
    database.exec('RELEASE skein_admin');
    return result;
  } catch (error) {
    database.exec('ROLLBACK TO skein_admin');
    database.exec('RELEASE skein_admin');
    return refused(error);
  }
}

/** Rows of a statement, as objects. */
export function selectAll(
  database: SqliteHandle,
  sql: string,
  ...values: readonly SqlValue[]
): SqlRow[] {
  return database.prepare(sql).all(...values) as SqlRow[];
}

/** The first row of a statement. */
export function selectOne(
  database: SqliteHandle,
  sql: string,
  ...values: readonly SqlValue[]
): SqlRow | undefined {
  return database.prepare(sql).get(...values) as SqlRow | undefined;
}
