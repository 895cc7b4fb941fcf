// A database of a node that knows whether it may be written.
//
// Invariant: between BEGIN and the end of its transaction the handle stays the same; outside of
// one it is always that of the node's role and generation at that moment.

import type { NativeDatabase, NativeStatement, SqliteDriver } from '../drivers/driver.ts';
import { SkeinError } from '../errors.ts';
import type { NodeView } from '../node-view.ts';
import { Connection } from './connection.ts';
import { translateOpening } from './missing.ts';
import type { SkeinDatabase, TransactionFunction, TransactionMode } from './shape.ts';
import { Statement, type StatementHost } from './statement.ts';
import { createTransactionFunction } from './transaction.ts';
import { translate } from './translate.ts';

export interface NodeDatabaseOptions {
  readonly node: NodeView;
  readonly path: string;
  readonly driver: SqliteDriver;
  readonly transactionMode: TransactionMode;
  readonly busyTimeoutMs: number;
  readonly configure: ((native: NativeDatabase, isReadonly: boolean) => void) | undefined;
}

export class NodeDatabase implements SkeinDatabase, StatementHost {
  readonly #options: NodeDatabaseOptions;
  #connection: Connection | undefined;
  #isClosed = false;
  #usesSafeIntegers = false;

  constructor(options: NodeDatabaseOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.path;
  }

  get open(): boolean {
    return !this.#isClosed;
  }

  get inTransaction(): boolean {
    return this.#connection?.native.inTransaction ?? false;
  }

  get readonly(): boolean {
    return !this.#options.node.isPrimary;
  }

  get transactionMode(): TransactionMode {
    return this.#options.transactionMode;
  }

  prepare(source: string): Statement {
    return new Statement(this, source, this.#usesSafeIntegers);
  }

  exec(source: string): this {
    const connection = this.connection(source);
    this.execute(connection, undefined, () => connection.native.exec(source), true);
    return this;
  }

  pragma(source: string, { simple = false }: { readonly simple?: boolean } = {}): unknown {
    const statement = this.prepare(`PRAGMA ${source}`);
    if (!statement.reader) {
      statement.run();
      return simple ? undefined : [];
    }
    return simple ? statement.pluck().get() : statement.all();
  }

  transaction<A extends unknown[], R>(body: (...args: A) => R): TransactionFunction<A, R> {
    return createTransactionFunction(this, body);
  }

  defaultSafeIntegers(on = true): this {
    this.#usesSafeIntegers = on;
    return this;
  }

  another(): NodeDatabase {
    return new NodeDatabase(this.#options).defaultSafeIntegers(this.#usesSafeIntegers);
  }

  close(): this {
    this.#isClosed = true;
    this.#connection?.retire();
    this.#connection = undefined;
    return this;
  }

  connection(source: string): Connection {
    if (this.#isClosed) throw new SkeinError('DATABASE_MISUSE', `Database ${this.name} is closed`);
    const current = this.#connection;
    if (current !== undefined && this.#isCurrent(current)) return current;
    // Asking SQLite costs more than the rest of this.
    if (current?.native.inTransaction === true) return current;
    this.#connection = undefined;
    current?.retire();
    return (this.#connection = this.#open(source));
  }

  execute<T>(
    { native, isReadonly }: Connection,
    statement: NativeStatement | undefined,
    work: () => T,
    isScript = false,
  ): T {
    const isWrite = isScript || mayChange(statement);
    const wasInTransaction = isWrite && native.inTransaction;
    try {
      return work();
    } catch (error) {
      const hasEnded = isWrite && !native.inTransaction;
      const mayHaveCommitted = hasEnded && (!wasInTransaction || endsTransaction(statement));
      const { node } = this.#options;
      throw translate(error, { node, isReadonly, mayHaveCommitted, isWrite });
    }
  }

  #isCurrent({ isReadonly, generation }: Connection): boolean {
    const { node } = this.#options;
    return isReadonly === !node.isPrimary && generation === node.generation;
  }

  #open(source: string): Connection {
    const { node, configure } = this.#options;
    const { generation, isPrimary } = node;
    const isReadonly = !isPrimary;
    const native = this.#openNative(isReadonly, source);
    try {
      configure?.(native, isReadonly);
    } catch (error) {
      native.close();
      throw error;
    }
    return new Connection({ native, isReadonly, generation });
  }

  #openNative(isReadonly: boolean, source: string): NativeDatabase {
    const { node, path, driver, busyTimeoutMs } = this.#options;
    try {
      return driver.open(path, { readonly: isReadonly, busyTimeoutMs });
    } catch (error) {
      throw isReadonly ? translateOpening(error, { node, path, driver, source }) : error;
    }
  }
}

/**
 * COMMIT, and pragmas that set something, are "read-only" for SQLite, but return no rows. While a
 * statement is prepared there is none, and nothing is changed.
 */
function mayChange(statement: NativeStatement | undefined): boolean {
  return statement !== undefined && !(statement.readonly === true && statement.reader);
}

/** COMMIT and the like: read-only by themselves, without rows. A script may have one inside. */
function endsTransaction(statement: NativeStatement | undefined): boolean {
  return statement === undefined || (statement.readonly !== false && !statement.reader);
}
