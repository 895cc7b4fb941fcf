// DuckDB's parser, asked without running or binding anything of what it is given.
//
// It is a DuckDB of its own, with nothing attached: where the lake is in the search path, a look
// for any function asks the catalog first. It has no role, and lives as long as the engine.
//
// Invariant: it is asked one thing after the other, and closed when nothing is asked: the binding
// does not survive that a statement ends which runs.

import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
} from '@duckdb/node-api';

import { assert } from '@skein/bytes';

import type { QueryTree, SqlParser } from '../sql/analyze.ts';
import { LakeError } from './errors.ts';

export class DuckParser implements SqlParser {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #toTree: DuckDBPreparedStatement;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    toTree: DuckDBPreparedStatement,
  ) {
    this.#instance = instance;
    this.#connection = connection;
    this.#toTree = toTree;
  }

  static async open(): Promise<DuckParser> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1',
      enable_external_access: 'false',
      lock_configuration: 'true',
    });
    const connection = await instance.connect();
    const toTree = await connection.prepare('SELECT json_serialize_sql($1::VARCHAR)');
    return new DuckParser(instance, connection, toTree);
  }

  countStatements(sql: string): Promise<number> {
    return this.#inTurn(async () => (await this.#connection.extractStatements(sql)).count);
  }

  /** Undefined for anything that is not a query. */
  async maybeQueryTree(sql: string): Promise<QueryTree | undefined> {
    const tree: unknown = JSON.parse(await this.#inTurn(() => this.#serialize(sql)));
    return isTree(tree) ? tree : undefined;
  }

  async #serialize(sql: string): Promise<string> {
    this.#toTree.bindVarchar(1, sql);
    const result = await this.#toTree.run();
    // It is all there: no need to go to another thread and back for it.
    const [text] = result.getChunk(0).getRowValues(0);
    assert(typeof text === 'string', 'A syntax tree is a text');
    return text;
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.#last.then(() => {
      if (this.#isClosed) throw new LakeError('cancelled', 'LAKE_CANCELLED', 'The lake is closing');
      return ask();
    });
    this.#last = asked.catch(() => undefined);
    return asked;
  }

  /** Who is under way gets an answer, who waits is told. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
    this.#toTree.destroySync();
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

function isTree(value: unknown): value is QueryTree {
  return (
    typeof value === 'object' &&
    value !== null &&
    'statements' in value &&
    Array.isArray(value.statements)
  );
}
