// Rows of the engine's own queries, every value as text: names, numbers and flags are all it asks
// for. NULL is an empty text.

import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';

import { assert } from '@skein/bytes';

export async function queryTexts(
  connection: DuckDBConnection,
  sql: string,
  values?: string[],
): Promise<string[][]> {
  const rows = await (await connection.run(sql, values)).getRows();
  return rows.map((row) => row.map(toText));
}

function toText(value: DuckDBValue): string {
  if (value === null) return '';
  assert(typeof value !== 'object', 'The engine asks for plain values only');
  return String(value);
}
