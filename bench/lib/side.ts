// One of the two places that are compared: a folder, and a client that works in it.

import { join } from 'node:path';

import type { SideName } from './pairs.ts';
import { type ClientOptions, type SqliteClient, startSqliteClient } from './sqlite-client.ts';

export type JournalMode = 'DELETE' | 'TRUNCATE' | 'PERSIST' | 'WAL';

/** One-row transactions go to a table that has these rows from the start. */
const ROW_COUNT = 1000;
/** Four fit on a page of 4,096 bytes. */
const FILL_ROW_BYTES = 1000;
const FILL_ROW_COUNT = 50_000;
const ROW = "printf('%0100d', ?)";

export interface SideOptions extends ClientOptions {
  readonly folder: string;
}

export class Side {
  readonly #client: SqliteClient;
  readonly #folder: string;

  constructor(options: SideOptions) {
    this.#folder = options.folder;
    this.#client = startSqliteClient(options);
  }

  /** The client is there and has nothing open. */
  async started(): Promise<void> {
    await this.close('none');
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  exec(name: string, sql: string): Promise<number> {
    return this.#client.ask({ kind: 'exec', path: this.path(name), sql });
  }

  /** Opens a database for transactions of one row, and fills it. */
  async prepare(name: string, mode: JournalMode, synchronous: 'FULL' | 'NORMAL'): Promise<void> {
    await this.exec(
      name,
      `PRAGMA journal_mode = ${mode}; PRAGMA synchronous = ${synchronous};
       CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)`,
    );
    await this.insertRows(name, ROW_COUNT);
  }

  /** So many rows in one transaction; returns its milliseconds. */
  async insertRows(name: string, count: number): Promise<number> {
    const parts = [
      await this.exec(name, 'BEGIN'),
      await this.writeRows(name, count),
      await this.exec(name, 'COMMIT'),
    ];
    return parts.reduce((sum, part) => sum + part);
  }

  /** So many transactions, a row each; returns their milliseconds. */
  writeRows(name: string, count: number): Promise<number> {
    const sql = `INSERT INTO t (v) VALUES (${ROW})`;
    return this.#client.ask({
      kind: 'repeat',
      path: this.path(name),
      sql,
      count,
      parameterMax: count,
    });
  }

  /** So many read transactions, a row each; returns their milliseconds. */
  readRows(name: string, count: number): Promise<number> {
    return this.#client.ask({
      kind: 'repeat',
      path: this.path(name),
      sql: 'SELECT v FROM t WHERE id = ?',
      count,
      parameterMax: ROW_COUNT,
    });
  }

  /**
   * Reads every page of a database that fill() made; returns the milliseconds, opening included.
   */
  scan(name: string): Promise<number> {
    return this.exec(name, 'SELECT sum(length(v)) FROM t');
  }

  /** A database of about `sizeBytes`, in rows of a kilobyte. */
  async fill(name: string, sizeBytes: number): Promise<void> {
    await this.exec(name, 'CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)');
    let leftCount = Math.ceil(sizeBytes / FILL_ROW_BYTES);
    while (leftCount > 0) {
      const count = Math.min(leftCount, FILL_ROW_COUNT);
      await this.exec(
        name,
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
         INSERT INTO t (v) SELECT randomblob(${FILL_ROW_BYTES}) FROM n`,
      );
      leftCount -= count;
    }
  }

  close(name: string): Promise<number> {
    return this.#client.ask({ kind: 'close', path: this.path(name) });
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

export type Sides = Readonly<Record<SideName, Side>>;
