// One row: read as a whole, and written.
//
// Invariant: what is written goes to columns of the schema by bound values. A row is told from its
// earlier self by a digest of each value, which travels with the form (optimistic concurrency).

import { createHash } from 'node:crypto';

import { type Cell, cellsSql, readCells } from '../database/cells.ts';
import { type SqliteHandle, type SqlRow, type SqlValue, selectOne } from '../database/handle.ts';
import { quoteName } from '../database/quote.ts';
import { keyCondition, keySql, parseKey, readKey } from '../database/row-key.ts';
import type { Table } from '../database/schema.ts';

export interface Row {
  readonly key: string;
  readonly cells: ReadonlyMap<string, Cell>;
  /** Of each value, in the order of the columns. */
  readonly digests: readonly string[];
}

/** Longer texts are not edited in a form; 64 Ki characters are a small book. */
const FORM_TEXT_MAX = 65_536;
/** Of values that are larger, so much at each end counts, and their size. */
const DIGEST_EDGE_BYTES = 65_536;
/** 72 bits: two values that a user could have seen do not share them. */
const DIGEST_LENGTH = 12;

/** Undefined where there is no such row, or no such name of one. */
export function maybeReadRow(database: SqliteHandle, table: Table, key: string): Row | undefined {
  const { identity } = table;
  const values = identity && parseKey(key, identity);
  if (identity === undefined || values === undefined) return undefined;
  const names = table.columns.map(({ name }) => name);
  const row = selectOne(
    database,
    `SELECT ${cellsSql(names, FORM_TEXT_MAX)}, ${names.map(edgesSql).join(', ')}
     FROM ${quoteName(table.name)} WHERE ${keyCondition(identity)}`,
    ...values,
  );
  if (row === undefined) return undefined;
  const cells = readCells(row, names);
  return { key, cells, digests: names.map((name, i) => digest(cells.get(name)!, row, i)) };
}

/** Both ends of what a cell does not hold as a whole. */
function edgesSql(name: string, i: number): string {
  const quoted = quoteName(name);
  const bytes = `CAST(${quoted} AS BLOB)`;
  const isLarge = `typeof(${quoted}) = 'blob'
    OR (typeof(${quoted}) = 'text' AND octet_length(${quoted}) > ${FORM_TEXT_MAX})`;
  return `CASE WHEN ${isLarge} THEN substr(${bytes}, 1, ${DIGEST_EDGE_BYTES}) END AS b${i},
    CASE WHEN ${isLarge} THEN substr(${bytes}, -${DIGEST_EDGE_BYTES}) END AS e${i}`;
}

function digest(cell: Cell, row: SqlRow, i: number): string {
  const edges = [row[`b${i}`], row[`e${i}`]].filter((edge) => edge instanceof Uint8Array);
  return digestOf(cell.kind, 'text' in cell ? cell.text : '', edges);
}

function digestOf(kind: Cell['kind'], text: string, edges: readonly Uint8Array[] = []): string {
  const hash = createHash('sha256').update(`${kind}\0${text}`);
  for (const edge of edges) hash.update(`\0${edge.length}\0`).update(edge);
  return hash.digest('base64url').slice(0, DIGEST_LENGTH);
}

/** Whether a value of this text, of whichever type, is what the digest was taken of. */
export function isDigestOf(text: string, digest: string): boolean {
  const kinds = text === '' ? (['null', 'text'] as const) : (['integer', 'real', 'text'] as const);
  return kinds.some((kind) => digestOf(kind, text) === digest);
}

/** The columns whose values are not those that the digests were taken of; computed ones follow. */
export function changedSince(table: Table, row: Row, digests: readonly string[]): string[] {
  return table.columns
    .filter(({ isGenerated }, i) => !isGenerated && row.digests[i] !== digests[i])
    .map(({ name }) => name);
}

export type Assignments = ReadonlyMap<string, SqlValue>;

/** Returns the name of the new row; undefined for one without. */
export function insertRow(
  database: SqliteHandle,
  table: Table,
  assignments: Assignments,
): string | undefined {
  const names = [...assignments.keys()].map(quoteName);
  const values =
    names.length === 0
      ? 'DEFAULT VALUES'
      : `(${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  const row = selectOne(
    database,
    `INSERT INTO ${quoteName(table.name)} ${values} RETURNING ${keySql(table.identity!)}`,
    ...assignments.values(),
  );
  return row && readKey(row, table.identity!);
}

/** Returns the name of the row afterwards, which is another where its key has changed. */
export function updateRow(
  database: SqliteHandle,
  table: Table,
  key: string,
  assignments: Assignments,
): string | undefined {
  const identity = table.identity!;
  const row = selectOne(
    database,
    `UPDATE ${quoteName(table.name)}
     SET ${[...assignments.keys()].map((name) => `${quoteName(name)} = ?`).join(', ')}
     WHERE ${keyCondition(identity)} RETURNING ${keySql(identity)}`,
    ...assignments.values(),
    ...parseKey(key, identity)!,
  );
  return row && readKey(row, identity);
}

export function deleteRow(database: SqliteHandle, table: Table, key: string): void {
  const identity = table.identity!;
  database
    .prepare(`DELETE FROM ${quoteName(table.name)} WHERE ${keyCondition(identity)}`)
    .run(...parseKey(key, identity)!);
}

/** A value as bytes, to be downloaded; undefined for NULL and where there is no such row. */
export function maybeReadBytes(
  database: SqliteHandle,
  table: Table,
  { key, column }: { readonly key: string; readonly column: string },
): Uint8Array | undefined {
  const values = table.identity && parseKey(key, table.identity);
  if (table.identity === undefined || values === undefined) return undefined;
  const row = selectOne(
    database,
    `SELECT CAST(${quoteName(column)} AS BLOB) AS bytes FROM ${quoteName(table.name)}
     WHERE ${keyCondition(table.identity)}`,
    ...values,
  );
  return row?.['bytes'] instanceof Uint8Array ? row['bytes'] : undefined;
}
