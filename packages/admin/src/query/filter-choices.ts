// Which filters a list offers: columns that refer to others, flags, moments, and columns that have
// few different values. Looking for them costs the same for a table of any size.

import { cellSql, readCell } from '../database/cells.ts';
import { type SqliteHandle, selectAll } from '../database/handle.ts';
import { quoteName } from '../database/quote.ts';
import { type Column, foreignKeyOf, type Schema, type Table } from '../database/schema.ts';
import { checkedChoices } from '../model/choices.ts';
import { isMoment, kindOf } from '../model/kinds.ts';
import { type Labelled, readChoices } from './labels.ts';
import { countRows } from './list-rows.ts';

export type FilterChoice =
  | { readonly form: 'moment'; readonly column: Column }
  | { readonly form: 'select'; readonly column: Column; readonly options: readonly Labelled[] }
  /** For what has too many values for a select. */
  | { readonly form: 'value'; readonly column: Column };

/** More would hide the list. */
const FILTERS_MAX = 8;
/** The rows in which different values are looked for. */
const SAMPLE_ROWS = 2000;
const DIFFERENT_MAX = 12;
const VALUE_LENGTH_MAX = 60;
/** A table with more rows is not offered as a select. */
export const SELECT_ROWS_MAX = 100;

const FLAG_OPTIONS: readonly Labelled[] = [
  { value: '1', label: 'Yes' },
  { value: '0', label: 'No' },
];

export function filterChoices(
  database: SqliteHandle,
  schema: Schema,
  table: Table,
): FilterChoice[] {
  const choices: FilterChoice[] = [];
  for (const column of table.columns) {
    if (choices.length === FILTERS_MAX) break;
    const choice = maybeChoice(database, schema, { table, column });
    if (choice !== undefined) choices.push(choice);
  }
  return choices;
}

function maybeChoice(
  database: SqliteHandle,
  schema: Schema,
  { table, column }: { readonly table: Table; readonly column: Column },
): FilterChoice | undefined {
  const key = foreignKeyOf(table, column.name);
  const target = key && schema.get(key.target);
  if (key !== undefined && target !== undefined) {
    if (countRows(database, target, [], SELECT_ROWS_MAX).isCut) return { form: 'value', column };
    const place = { table: target, column: key.targetColumns[0]! };
    const options = readChoices(database, place, { search: '', max: SELECT_ROWS_MAX });
    return { form: 'select', column, options };
  }
  const kind = kindOf(column);
  if (kind === 'boolean') return { form: 'select', column, options: FLAG_OPTIONS };
  if (isMoment(kind)) return { form: 'moment', column };
  const checked = checkedChoices(table, column.name);
  if (checked !== undefined) return select(column, checked);
  // Each look at a view may be a query over everything.
  if (table.kind !== 'table' || kind === 'blob') return undefined;
  if (column.keyPlace > 0 || isUnique(table, column.name)) return undefined;
  const values = fewValues(database, table, column);
  return values && select(column, values);
}

function select(column: Column, values: readonly string[]): FilterChoice {
  return { form: 'select', column, options: values.map((value) => ({ value, label: value })) };
}

function isUnique(table: Table, column: string): boolean {
  return table.indexes.some(
    ({ isUnique, columns }) => isUnique && columns.length === 1 && columns[0] === column,
  );
}

/** The values of a column where they repeat; undefined where nearly every row has its own. */
function fewValues(
  database: SqliteHandle,
  table: Table,
  { name }: Column,
): readonly string[] | undefined {
  const rows = selectAll(
    database,
    `SELECT ${cellSql('value', 'v', VALUE_LENGTH_MAX + 1)}, count(*) AS count
     FROM (SELECT ${quoteName(name)} AS value FROM ${quoteName(table.name)} LIMIT ${SAMPLE_ROWS})
     WHERE value IS NOT NULL GROUP BY value ORDER BY value LIMIT ${DIFFERENT_MAX + 1}`,
  );
  const cells = rows.map((row) => readCell(row, 'v'));
  const sampled = rows.reduce((sum, row) => sum + Number(row['count']), 0);
  if (rows.length < 2 || rows.length > DIFFERENT_MAX || sampled < 2 * rows.length) return undefined;
  const texts = cells.map((cell) => ('text' in cell && cell.text !== '' ? cell.text : undefined));
  const isShown = texts.every((text) => text !== undefined && text.length <= VALUE_LENGTH_MAX);
  return isShown ? (texts as string[]) : undefined;
}
