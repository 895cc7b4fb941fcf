// What a driver of SQLite has to be like: a subset of better-sqlite3, whose names are kept. Errors
// of SQLite have a `code` with its name: SQLITE_BUSY, SQLITE_CONSTRAINT_UNIQUE.

import type { ColumnDefinition, RunResult, SqlParameter } from '../database/shape.ts';

export interface NativeStatement {
  /** Whether it returns rows. */
  readonly reader: boolean;
  /** Whether it changes nothing, as SQLite sees it; undefined: the driver cannot tell. */
  readonly readonly: boolean | undefined;
  run(...parameters: SqlParameter[]): RunResult;
  get(...parameters: SqlParameter[]): unknown;
  all(...parameters: SqlParameter[]): unknown[];
  iterate(...parameters: SqlParameter[]): IterableIterator<unknown>;
  raw(on: boolean): unknown;
  pluck(on: boolean): unknown;
  safeIntegers(on: boolean): unknown;
  columns(): ColumnDefinition[];
}

export interface NativeDatabase {
  readonly inTransaction: boolean;
  prepare(source: string): NativeStatement;
  exec(source: string): unknown;
  close(): unknown;
}

export interface NativeOptions {
  readonly readonly: boolean;
  readonly busyTimeoutMs: number;
}

export interface SqliteDriver {
  readonly name: string;
  /** Throws an error of SQLite. Where it is not read-only a file that is missing is made. */
  open(path: string, options: NativeOptions): NativeDatabase;
}

/** An error of SQLite, in the way of better-sqlite3. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  /** Its extended name, as far as it is known here. */
  readonly code: string;

  constructor(message: string, code: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** SQLite's name for an error, whichever driver threw it; undefined: it is none of SQLite. */
export function maybeSqliteCode(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}
