// DuckDB's parser, asked without running or binding anything.

import type { DuckDBConnection } from '@duckdb/node-api';

import type { SqlParser } from '../sql/analyze.ts';
import { LakeError } from './errors.ts';
import { queryTexts } from './query-texts.ts';

export class DuckParser implements SqlParser {
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  async countStatements(sql: string): Promise<number> {
    const extracted = await this.#connection.extractStatements(sql);
    return extracted.count;
  }

  /** Undefined for anything that is not a query. */
  async maybeQueryTree(sql: string): Promise<unknown> {
    const [row] = await queryTexts(this.#connection, 'SELECT json_serialize_sql($1::VARCHAR)', [
      sql,
    ]);
    const tree: unknown = JSON.parse(row![0]!);
    if (!isTree(tree)) throw new LakeError('parse', 'LAKE_PARSE', 'The statement is unreadable');
    return tree.error ? undefined : tree;
  }
}

function isTree(value: unknown): value is { readonly error: boolean } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'error' in value &&
    typeof value.error === 'boolean'
  );
}
