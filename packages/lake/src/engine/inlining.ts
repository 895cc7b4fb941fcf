// Which tables keep small inserts in the catalog.
//
// The extension loses quotes in structs that are inlined (its text form does not escape them), so
// inlining is off by default and on for tables whose columns are all plain. The option is the
// table's and not the transaction's: it is set after the commit that made the table, and taken back
// before a statement that could give it another kind of column.

import type { DuckDBConnection } from '@duckdb/node-api';

import { LAKE_CATALOG } from '../sql/targets.ts';
import { quoteText } from '../sql/token-cursor.ts';
import { queryTexts } from './query-texts.ts';

/** Types whose inlined form the extension reads back as it was. */
const NESTED = /[([]|STRUCT|MAP|UNION|VARIANT|GEOMETRY/i;
const DECIMAL = /^DECIMAL\(\d+,\d+\)$/;

interface TableKind {
  readonly schema: string;
  readonly table: string;
  readonly isPlain: boolean;
}

export class Inlining {
  readonly #rowsMax: number;
  /** `schema.table` of those that inline. */
  readonly #enabled = new Set<string>();

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  /** After a definition, and at the start. On a connection outside of a transaction. */
  async update(connection: DuckDBConnection): Promise<void> {
    if (this.#rowsMax === 0) return;
    for (const { schema, table, isPlain } of await readTables(connection)) {
      const key = `${schema}.${table}`;
      if (this.#enabled.has(key) === isPlain) continue;
      await this.#set(connection, { schema, table, rows: isPlain ? this.#rowsMax : 0 });
      if (isPlain) this.#enabled.add(key);
      else this.#enabled.delete(key);
    }
  }

  /** Before a request that alters tables: it might add a column that cannot be inlined. */
  async suspend(connection: DuckDBConnection): Promise<void> {
    for (const key of this.#enabled) {
      const [schema, table] = splitKey(key);
      await this.#set(connection, { schema, table, rows: 0 });
      this.#enabled.delete(key);
    }
  }

  async #set(
    connection: DuckDBConnection,
    option: { readonly schema: string; readonly table: string; readonly rows: number },
  ): Promise<void> {
    const { schema, table, rows } = option;
    await connection.run(
      `CALL ${LAKE_CATALOG}.set_option('data_inlining_row_limit', ${rows},
        schema => ${quoteText(schema)}, table_name => ${quoteText(table)})`,
    );
  }
}

function splitKey(key: string): [string, string] {
  const dot = key.indexOf('.');
  return [key.slice(0, dot), key.slice(dot + 1)];
}

async function readTables(connection: DuckDBConnection): Promise<TableKind[]> {
  const rows = await queryTexts(
    connection,
    `SELECT c.schema_name, c.table_name, string_agg(c.data_type, ';')
     FROM duckdb_columns() c JOIN duckdb_tables() t USING (database_name, schema_name, table_name)
     WHERE c.database_name = '${LAKE_CATALOG}' GROUP BY ALL`,
  );
  return rows.map(([schema, table, types]) => ({
    schema: schema!,
    table: table!,
    isPlain: types!.split(';').every((type) => DECIMAL.test(type) || !NESTED.test(type)),
  }));
}
