// A prepared statement that outlives the handle it was prepared on: it is prepared again, with its
// modes, on the one that took its place.

import type { NativeStatement } from '../drivers/driver.ts';
import type { Connection } from './connection.ts';
import type { ColumnDefinition, RunResult, SkeinStatement, SqlParameter } from './shape.ts';

/** What a statement needs of its database. */
export interface StatementHost {
  /** The handle of now; `source` is what it is wanted for. */
  connection(source: string): Connection;
  /** Calls `work`, which uses the statement on that handle; errors are translated. */
  execute<T>(connection: Connection, statement: NativeStatement | undefined, work: () => T): T;
}

interface Modes {
  raw: boolean;
  pluck: boolean;
  safeIntegers: boolean;
}

export class Statement implements SkeinStatement {
  readonly source: string;
  readonly #host: StatementHost;
  readonly #modes: Modes;
  #connection: Connection;
  #native: NativeStatement;

  /** Throws an error of SQLite where `source` is none of its statements. */
  constructor(host: StatementHost, source: string, safeIntegers: boolean) {
    this.source = source;
    this.#host = host;
    this.#modes = { raw: false, pluck: false, safeIntegers };
    this.#connection = host.connection(source);
    this.#native = this.#prepare(this.#connection);
  }

  get reader(): boolean {
    return this.#native.reader;
  }

  get readonly(): boolean {
    return this.#native.readonly === true;
  }

  run(...parameters: SqlParameter[]): RunResult {
    return this.#execute((native) => native.run(...parameters));
  }

  get(...parameters: SqlParameter[]): unknown {
    return this.#execute((native) => native.get(...parameters));
  }

  all(...parameters: SqlParameter[]): unknown[] {
    return this.#execute((native) => native.all(...parameters));
  }

  *iterate(...parameters: SqlParameter[]): IterableIterator<unknown> {
    const rows = this.#execute((native) => native.iterate(...parameters));
    const connection = this.#connection;
    const native = this.#native;
    const release = connection.hold();
    try {
      for (;;) {
        const { done, value } = this.#host.execute(connection, native, () => rows.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      rows.return?.();
      release();
    }
  }

  raw(on = true): this {
    return this.#setMode('raw', on);
  }

  pluck(on = true): this {
    return this.#setMode('pluck', on);
  }

  safeIntegers(on = true): this {
    return this.#setMode('safeIntegers', on);
  }

  columns(): ColumnDefinition[] {
    return this.#execute((native) => native.columns());
  }

  #setMode(mode: keyof Modes, on: boolean): this {
    this.#modes[mode] = on;
    // Of better-sqlite3 the two exclude each other, and the later one counts.
    if (on && mode === 'raw') this.#modes.pluck = false;
    if (on && mode === 'pluck') this.#modes.raw = false;
    this.#native[mode](on);
    return this;
  }

  #execute<T>(work: (native: NativeStatement) => T): T {
    const connection = this.#host.connection(this.source);
    if (connection !== this.#connection) {
      this.#native = this.#prepare(connection);
      this.#connection = connection;
    }
    return this.#host.execute(connection, this.#native, () => work(this.#native));
  }

  #prepare(connection: Connection): NativeStatement {
    const native = this.#host.execute(connection, undefined, () =>
      connection.native.prepare(this.source),
    );
    const { raw, pluck, safeIntegers } = this.#modes;
    if (safeIntegers) native.safeIntegers(true);
    // better-sqlite3 refuses modes of rows to statements that return none.
    if (native.reader && raw) native.raw(true);
    if (native.reader && pluck) native.pluck(true);
    return native;
  }
}
