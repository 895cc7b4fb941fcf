// Which tables keep small inserts in the catalog, and what the extension's inlining needs for that.
//
// Its defects are avoided. It loses quotes in structs that are inlined, so inlining is off by
// default and on for tables whose columns are all plain. It inserts into the inlined table of an
// older schema if a column changed while inlining was off, so it is turned on only where no inlined
// table is. It fails to flush rows from before a change of a column's type, so tables are flushed
// before they are altered; and it fails to flush a sorted table whose columns have changed their
// types, so sorted tables do not inline.
//
// The option is the table's and not the transaction's: it is set after the commit that made the
// table.

import type { DuckDBConnection } from '@duckdb/node-api';

import { LAKE_CATALOG, LAKE_METADATA as META } from '../sql/targets.ts';
import { quoteName, quoteText } from '../sql/token-cursor.ts';
import { FUNCTIONS_SCHEMA } from './functions/stored-functions.ts';
import { queryTexts } from './query-texts.ts';

/** DuckLake's names of types whose inlined form is not read back as it was, or not allowed. */
const NESTED = `'struct', 'list', 'map', 'variant', 'geometry'`;

interface TableState {
  readonly schema: string;
  readonly table: string;
  readonly isPlain: boolean;
  readonly rowsMax: number;
  readonly hasInlined: boolean;
}

/** After a definition, and at the start. On a connection outside of a transaction. */
export async function updateInlining(connection: DuckDBConnection, rowsMax: number): Promise<void> {
  for (const state of await readTables(connection)) {
    const wanted = state.isPlain ? rowsMax : 0;
    if (wanted === state.rowsMax) continue;
    if (state.rowsMax === 0 && state.hasInlined) continue;
    await connection.run(
      `CALL ${LAKE_CATALOG}.set_option('data_inlining_row_limit', ${wanted},
        schema => ${quoteText(state.schema)}, table_name => ${quoteText(state.table)})`,
    );
  }
}

async function readTables(connection: DuckDBConnection): Promise<TableState[]> {
  const rows = await queryTexts(
    connection,
    `SELECT s.schema_name, t.table_name,
       bool_and(c.parent_column IS NULL AND c.column_type NOT IN (${NESTED})
         AND k.sort_id IS NULL),
       coalesce(any_value(m.value), '0'),
       bool_or(t.table_id IN (SELECT table_id FROM ${META}.ducklake_inlined_data_tables))
     FROM ${META}.ducklake_table t
     JOIN ${META}.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
     JOIN ${META}.ducklake_column c ON c.table_id = t.table_id AND c.end_snapshot IS NULL
     LEFT JOIN ${META}.ducklake_sort_info k ON k.table_id = t.table_id AND k.end_snapshot IS NULL
     LEFT JOIN ${META}.ducklake_metadata m ON m.scope = 'table' AND m.scope_id = t.table_id
       AND m.key = 'data_inlining_row_limit'
     WHERE t.end_snapshot IS NULL GROUP BY ALL`,
  );
  return rows.map(([schema, table, isPlain, rowsMax, hasInlined]) => ({
    schema: schema!,
    table: table!,
    isPlain: isPlain === 'true',
    rowsMax: Number(rowsMax),
    hasInlined: hasInlined === 'true',
  }));
}

/** Of a table with inlined rows. */
export interface InlinedRows {
  readonly schema: string;
  readonly table: string;
  readonly count: number;
  readonly oldestMs: number;
}

/** Functions stay in the catalog: nodes without the data have them too. */
export async function readInlinedRows(connection: DuckDBConnection): Promise<InlinedRows[]> {
  const tables = await queryTexts(
    connection,
    `SELECT i.table_name, s.schema_name, t.table_name
     FROM ${META}.ducklake_inlined_data_tables i
     JOIN ${META}.ducklake_table t ON t.table_id = i.table_id AND t.end_snapshot IS NULL
     JOIN ${META}.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
     WHERE s.schema_name <> '${FUNCTIONS_SCHEMA}'`,
  );
  const found: InlinedRows[] = [];
  for (const [inlined, schema, table] of tables) {
    const [row] = await queryTexts(
      connection,
      `SELECT count(*), epoch_ms(min(n.snapshot_time::TIMESTAMPTZ))
       FROM ${META}.${quoteName(inlined!)} d
       LEFT JOIN ${META}.ducklake_snapshot n ON n.snapshot_id = d.begin_snapshot`,
    );
    const [count, oldestMs] = [Number(row![0]), Number(row![1])];
    if (count > 0) found.push({ schema: schema!, table: table!, count, oldestMs });
  }
  return found;
}

export async function flushTable(
  connection: DuckDBConnection,
  { schema, table }: Pick<InlinedRows, 'schema' | 'table'>,
): Promise<void> {
  await connection.run(
    `CALL ducklake_flush_inlined_data('${LAKE_CATALOG}',
      schema_name => ${quoteText(schema)}, table_name => ${quoteText(table)})`,
  );
}

/** Before a request that alters them; `names` in lower case, of any schema. */
export async function flushBeforeAlter(
  connection: DuckDBConnection,
  names: ReadonlySet<string>,
): Promise<void> {
  if (names.size === 0) return;
  for (const rows of await readInlinedRows(connection)) {
    if (names.has(rows.table.toLowerCase())) await flushTable(connection, rows);
  }
}
