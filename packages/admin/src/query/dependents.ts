// What hangs on rows that are to be deleted: which rows of other tables go with them, lose their
// reference, or do not let them go.
//
// It is what a reader sees at this moment, for the question on the page. SQLite decides when it
// deletes, in one transaction with everything that cascades.

import type { SqliteHandle, SqlValue } from '../database/handle.ts';
import { quoteName } from '../database/quote.ts';
import { keyCondition, parseKey } from '../database/row-key.ts';
import type { ForeignKey, ReferentialAction, Schema, Table } from '../database/schema.ts';
import type { Condition } from './conditions.ts';
import { countRows, type RowCount } from './list-rows.ts';

export interface Dependent {
  readonly table: Table;
  readonly columns: readonly string[];
  readonly action: ReferentialAction;
  readonly rows: RowCount;
  /** What hangs on those rows, where they are deleted too. */
  readonly dependents: readonly Dependent[];
}

export interface Dependents {
  readonly dependents: readonly Dependent[];
  /** Those that do not let the rows go. */
  readonly blockers: readonly Dependent[];
}

/** Chains of tables that are longer are followed so far. */
const DEPTH_MAX = 5;
/** "Many" is enough to know before a deletion. */
const COUNT_MAX = 10_000;

export function readDependents(
  database: SqliteHandle,
  schema: Schema,
  table: Table,
  keys: readonly string[],
): Dependents {
  const rows = rowsCondition(table, keys);
  const dependents = follow(database, schema, { table, rows, depth: 0 });
  const all = flatten(dependents);
  const deleted = new Set([
    table.name,
    ...all.filter(({ action }) => action === 'CASCADE').map(({ table }) => table.name),
  ]);
  // NO ACTION looks at the end, when rows of tables that cascade may be gone.
  const blockers = all.filter(
    ({ action, table }) =>
      action === 'RESTRICT' || (action === 'NO ACTION' && !deleted.has(table.name)),
  );
  return { dependents, blockers };
}

function rowsCondition(table: Table, keys: readonly string[]): Condition {
  const identity = table.identity!;
  const values = keys.map((key) => parseKey(key, identity)!);
  return {
    sql: values.map(() => `(${keyCondition(identity)})`).join(' OR '),
    values: values.flat(),
  };
}

interface Place {
  readonly table: Table;
  /** Holds for the rows of the table that go. */
  readonly rows: Condition;
  readonly depth: number;
}

function follow(database: SqliteHandle, schema: Schema, place: Place): Dependent[] {
  if (place.depth === DEPTH_MAX) return [];
  return place.table.referencedBy.flatMap((key): Dependent[] => {
    const table = schema.get(key.table);
    if (table === undefined) return [];
    const referring = referringRows(key, place);
    const rows = countRows(database, table, [referring], COUNT_MAX);
    if (rows.count === 0) return [];
    const dependents =
      key.onDelete === 'CASCADE'
        ? follow(database, schema, { table, rows: referring, depth: place.depth + 1 })
        : [];
    return [{ table, columns: key.columns, action: key.onDelete, rows, dependents }];
  });
}

/** The rows that refer to those of a place; not those of the place itself, which go anyhow. */
function referringRows(key: ForeignKey, { table, rows }: Place): Condition {
  const names = (columns: readonly string[]): string => columns.map(quoteName).join(', ');
  const sql =
    `(${names(key.columns)}) IN (SELECT ${names(key.targetColumns)} ` +
    `FROM ${quoteName(table.name)} WHERE ${rows.sql})`;
  if (key.table !== table.name) return { sql, values: rows.values };
  const values: SqlValue[] = [...rows.values, ...rows.values];
  return { sql: `${sql} AND NOT (${rows.sql})`, values };
}

function flatten(dependents: readonly Dependent[]): Dependent[] {
  return dependents.flatMap((dependent) => [dependent, ...flatten(dependent.dependents)]);
}
