// node:sqlite in the shape of better-sqlite3.
//
// It has no word for "this statement changes nothing": where it has an authorizer that is what
// SQLite asks for each thing that a statement would change, while it is prepared.

import type * as SqliteModule from 'node:sqlite';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { type ColumnDefinition, type RunResult, type SqlParameter } from '../database/shape.ts';
import { SkeinError } from '../errors.ts';
import {
  type NativeDatabase,
  type NativeStatement,
  SqliteError,
  type SqliteDriver,
} from './driver.ts';
import { isWriteAction, nameOfResult } from './result-codes.ts';

/** Throws DRIVER_MISSING where Node is older than 22.13. */
export function nodeSqlite(): SqliteDriver {
  // Not imported: it is absent from older versions, and its mere import warns in others.
  const sqlite = process.getBuiltinModule('node:sqlite') as typeof SqliteModule | undefined;
  if (sqlite === undefined) {
    throw new SkeinError('DRIVER_MISSING', 'Cannot open a database: this Node has no node:sqlite', {
      hint: 'Use Node 22.13 or newer, or the driver better-sqlite3',
    });
  }
  return {
    name: 'node:sqlite',
    open: (path, { readonly, busyTimeoutMs: timeout }) =>
      new Database(
        call(() => new sqlite.DatabaseSync(path, { readOnly: readonly, timeout })),
        sqlite.constants.SQLITE_OK,
      ),
  };
}

class Database implements NativeDatabase {
  readonly #native: DatabaseSync;
  #hasWritten = false;
  readonly #canTell: boolean;

  constructor(native: DatabaseSync, allowed: number) {
    this.#native = native;
    this.#canTell = typeof native.setAuthorizer === 'function';
    if (!this.#canTell) return;
    native.setAuthorizer((action) => {
      this.#hasWritten ||= isWriteAction(action);
      return allowed;
    });
  }

  get inTransaction(): boolean {
    return this.#native.isTransaction;
  }

  prepare(source: string): NativeStatement {
    this.#hasWritten = false;
    const native = call(() => this.#native.prepare(source));
    return new Statement(native, this.#canTell ? !this.#hasWritten : undefined);
  }

  exec(source: string): void {
    call(() => this.#native.exec(source));
  }

  close(): void {
    call(() => this.#native.close());
  }
}

class Statement implements NativeStatement {
  readonly reader: boolean;
  readonly readonly: boolean | undefined;
  readonly #native: StatementSync;
  #isRaw = false;
  #isPluck = false;

  constructor(native: StatementSync, readonly: boolean | undefined) {
    this.#native = native;
    this.readonly = readonly;
    this.reader = native.columns().length > 0;
  }

  run(...parameters: SqlParameter[]): RunResult {
    const { changes, lastInsertRowid } = call(() => this.#native.run(...flatten(parameters)));
    return { changes: Number(changes), lastInsertRowid };
  }

  get(...parameters: SqlParameter[]): unknown {
    const row = call(() => this.#native.get(...flatten(parameters)));
    return row === undefined ? undefined : this.#shape(row);
  }

  all(...parameters: SqlParameter[]): unknown[] {
    const rows = call(() => this.#native.all(...flatten(parameters)));
    return this.#isPluck ? rows.map((row) => this.#shape(row)) : rows;
  }

  *iterate(...parameters: SqlParameter[]): IterableIterator<unknown> {
    const rows = call(() => this.#native.iterate(...flatten(parameters)));
    try {
      for (;;) {
        const { done, value } = call(() => rows.next());
        if (done === true) return;
        yield this.#shape(value);
      }
    } finally {
      rows.return?.();
    }
  }

  raw(on: boolean): void {
    this.#isRaw = on;
    this.#native.setReturnArrays(on || this.#isPluck);
  }

  pluck(on: boolean): void {
    this.#isPluck = on;
    this.#native.setReturnArrays(on || this.#isRaw);
  }

  safeIntegers(on: boolean): void {
    this.#native.setReadBigInts(on);
  }

  columns(): ColumnDefinition[] {
    return this.#native.columns();
  }

  #shape(row: unknown): unknown {
    return this.#isPluck ? (row as readonly unknown[])[0] : row;
  }
}

type Bound = Parameters<StatementSync['run']>;

/** better-sqlite3 takes lists among the parameters, and buffers as they are. */
function flatten(parameters: readonly SqlParameter[]): Bound {
  return parameters.flatMap((parameter) => parameter as never) as unknown as Bound;
}

/** Throws SqliteError for errors of SQLite. */
function call<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { errcode, message } = error as { readonly errcode?: number; readonly message: string };
    if (errcode === undefined) throw error;
    throw new SqliteError(message, nameOfResult(errcode), error);
  }
}
