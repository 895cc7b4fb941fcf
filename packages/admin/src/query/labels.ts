// What a row is called where there is room for one word: in lists that refer to it, in the history.

import { cellSql, cellText, readCell } from '../database/cells.ts';
import { type SqliteHandle, type SqlValue, selectAll } from '../database/handle.ts';
import { likePattern, quoteName } from '../database/quote.ts';
import { keyCondition, maybeInteger, parseKey } from '../database/row-key.ts';
import type { Table } from '../database/schema.ts';
import { kindOf } from '../model/kinds.ts';

const LABEL_LENGTH_MAX = 60;
/** In the order in which they are looked for. */
const LABEL_NAMES = ['name', 'title', 'label', 'username', 'email', 'slug', 'subject', 'content'];

/** The column that names a row to people; undefined where only its key does. */
function labelColumn(table: Table): string | undefined {
  for (const wanted of LABEL_NAMES) {
    const found = table.columns.find(({ name }) => name.toLowerCase() === wanted);
    if (found !== undefined && found.affinity === 'TEXT') return found.name;
  }
  return table.columns.find(
    (column) => column.keyPlace === 0 && ['line', 'text'].includes(kindOf(column)),
  )?.name;
}

export interface Labelled {
  /** The value of the column that is referred to, as text. */
  readonly value: string;
  readonly label: string;
}

/**
 * Rows of a table to refer to by a column, at most `max`: all in the order of their labels, or the
 * first that contain `search`, since to sort them would read the whole table.
 */
export function readChoices(
  database: SqliteHandle,
  { table, column }: { readonly table: Table; readonly column: string },
  { search, max }: { readonly search: string; readonly max: number },
): Labelled[] {
  const name = labelColumn(table) ?? column;
  const label = quoteName(name);
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  if (search !== '') {
    conditions.push(`${label} LIKE ? ESCAPE '\\' OR ${quoteName(column)} = ?`);
    const number = /^-?\d{1,19}$/.test(search) ? maybeInteger(search) : undefined;
    values.push(likePattern(search), number ?? search);
  }
  const rows = selectAll(
    database,
    `SELECT ${cellSql(quoteName(column), 'v', LABEL_LENGTH_MAX)},
       ${cellSql(label, 'l', LABEL_LENGTH_MAX)}
     FROM ${quoteName(table.name)} ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' ')}`}
     ${search === '' ? `ORDER BY ${label} COLLATE NOCASE` : ''} LIMIT ${max}`,
    ...values,
  );
  return rows.map((row) => {
    const value = cellText(readCell(row, 'v'));
    return { value, label: oneLine(cellText(readCell(row, 'l'))) || value };
  });
}

/** The labels of the rows that have one of `values` in `column`, by value. */
export function readLabels(
  database: SqliteHandle,
  { table, column }: { readonly table: Table; readonly column: string },
  values: readonly SqlValue[],
): ReadonlyMap<string, string> {
  const name = labelColumn(table);
  if (name === undefined || values.length === 0) return new Map();
  const rows = selectAll(
    database,
    `SELECT ${cellSql(quoteName(column), 'v', LABEL_LENGTH_MAX)},
       ${cellSql(quoteName(name), 'l', LABEL_LENGTH_MAX)}
     FROM ${quoteName(table.name)}
     WHERE ${quoteName(column)} IN (${values.map(() => '?').join(', ')})`,
    ...values,
  );
  return new Map(
    rows.map((row) => [cellText(readCell(row, 'v')), oneLine(cellText(readCell(row, 'l')))]),
  );
}

/** What the row of that name is called: its label, or the name itself. */
export function rowLabel(database: SqliteHandle, table: Table, key: string): string {
  const name = labelColumn(table);
  const values = table.identity && parseKey(key, table.identity);
  if (name === undefined || table.identity === undefined || values === undefined) {
    return keyLabel(key);
  }
  const rows = selectAll(
    database,
    `SELECT ${cellSql(quoteName(name), 'l', LABEL_LENGTH_MAX)} FROM ${quoteName(table.name)}
     WHERE ${keyCondition(table.identity)}`,
    ...values,
  );
  const label = rows[0] === undefined ? '' : oneLine(cellText(readCell(rows[0], 'l')));
  return label === '' ? keyLabel(key) : label;
}

/** A name of a row without the letters that tell types. */
export function keyLabel(key: string): string {
  const parts = key.replace(/^@/, '').split(',');
  return parts
    .map((part) => {
      if (part.startsWith('u-')) return Buffer.from(part.slice(2), 'base64url').toString();
      return part.replace(/^(?:[tx]-|r)/, '');
    })
    .join(', ');
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length < LABEL_LENGTH_MAX ? line : `${line.slice(0, LABEL_LENGTH_MAX - 1)}…`;
}
