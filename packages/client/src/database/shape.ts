// The shape of a database: that of better-sqlite3, as far as applications and ORMs use it, so that
// what takes one of these takes ours. Both drivers have it.

/** What a statement takes: better-sqlite3 says which values SQLite has a type for. */
export type SqlValue = null | number | bigint | string | Uint8Array;
/** Values in their order, one list of them, or one object by name. */
export type SqlParameter = SqlValue | readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

export interface RunResult {
  /** Rows that the last INSERT, UPDATE or DELETE changed. */
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

export interface ColumnDefinition {
  readonly name: string;
  /** Where the value comes from, if from a table. */
  readonly column: string | null;
  readonly table: string | null;
  readonly database: string | null;
  /** As it was declared. */
  readonly type: string | null;
}

/** A prepared statement. It outlives changes of the node's role. */
export interface SkeinStatement {
  readonly source: string;
  /** Whether it returns rows. */
  readonly reader: boolean;
  /** Whether it changes nothing: by SQLite's own verdict, which is on the safe side. */
  readonly readonly: boolean;
  run(...parameters: SqlParameter[]): RunResult;
  get(...parameters: SqlParameter[]): unknown;
  all(...parameters: SqlParameter[]): unknown[];
  iterate(...parameters: SqlParameter[]): IterableIterator<unknown>;
  /** Rows as lists of values. */
  raw(on?: boolean): this;
  /** The first column alone. */
  pluck(on?: boolean): this;
  /** Integers as bigint. */
  safeIntegers(on?: boolean): this;
  columns(): ColumnDefinition[];
}

/** A function that runs in a transaction, and variants of it that begin otherwise. */
export interface TransactionFunction<A extends unknown[], R> {
  (...args: A): R;
  readonly default: (...args: A) => R;
  readonly deferred: (...args: A) => R;
  readonly immediate: (...args: A) => R;
  readonly exclusive: (...args: A) => R;
}

export type TransactionMode = 'IMMEDIATE' | 'DEFERRED' | 'EXCLUSIVE';

/**
 * A database of this node. It opens itself at its first use, for writing where the node is primary
 * and for reading elsewhere, and again when that has changed, as soon as no transaction is open.
 *
 * Writes that the node does not take throw NotPrimaryError, NoPrimaryError or FencedError, and are
 * not executed; a commit whose answer is lost throws OutcomeUnknownError; everything else is an
 * error of SQLite, as the driver throws it.
 */
export interface SkeinDatabase {
  /** Its file. */
  readonly name: string;
  readonly open: boolean;
  /** Whether a transaction is open. */
  readonly inTransaction: boolean;
  /** Whether the node takes no writes now. */
  readonly readonly: boolean;
  /** How transactions begin where they do not say otherwise. */
  readonly transactionMode: TransactionMode;
  prepare(source: string): SkeinStatement;
  /** Runs statements without parameters and without results. */
  exec(source: string): this;
  pragma(source: string, options?: { readonly simple?: boolean }): unknown;
  /**
   * A function that runs `body` in a transaction: BEGIN IMMEDIATE unless the database was opened
   * with another mode, a savepoint within another transaction. It rolls back when `body` throws.
   */
  transaction<A extends unknown[], R>(body: (...args: A) => R): TransactionFunction<A, R>;
  /** Integers as bigint, in statements that are prepared from now on. */
  defaultSafeIntegers(on?: boolean): this;
  /** Another connection to the same database, with the same options. */
  another(): SkeinDatabase;
  close(): this;
}
