// DuckDB's parser, asked without running or binding anything.

import type { DuckDBConnection } from '@duckdb/node-api';

import type { QueryTree, SqlParser } from '../sql/analyze.ts';
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
  async maybeQueryTree(sql: string): Promise<QueryTree | undefined> {
    const [row] = await queryTexts(this.#connection, 'SELECT json_serialize_sql($1::VARCHAR)', [
      sql,
    ]);
    const tree: unknown = JSON.parse(row![0]!);
    return isTree(tree) ? tree : undefined;
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
