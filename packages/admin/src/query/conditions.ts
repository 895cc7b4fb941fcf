// Search and filters as SQL. Names are those of the schema, quoted; everything that a request says
// is bound.

import { likePattern, quoteName } from '../database/quote.ts';
import { type SqliteHandle, selectOne, type SqlValue } from '../database/handle.ts';
import { maybeInteger } from '../database/row-key.ts';
import type { Column, Table } from '../database/schema.ts';
import { kindOf } from '../model/kinds.ts';
import type { Filter, ListState, MomentSpan } from './list-state.ts';

export interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Each word is looked for in each column. */
const WORDS_MAX = 8;
const SEARCHED_COLUMNS_MAX = 16;
/** How many rows may be looked at to learn how a column keeps moments. */
const SAMPLE_ROWS = 1000;
/** Milliseconds since 1970 are above it, seconds below, from 1973 to the year 5138. */
const MILLISECONDS_MIN = 100_000_000_000;
const DAY_MS = 86_400_000;

/** What rows of a list fulfil; `nowMs` is for "today". */
export function listConditions(
  database: SqliteHandle,
  table: Table,
  { search, filters }: Pick<ListState, 'search' | 'filters'>,
  nowMs: number,
): Condition[] {
  const words = search.split(/\s+/).filter((word) => word !== '');
  return [
    ...words.slice(0, WORDS_MAX).map((word) => wordCondition(table, word)),
    ...filters.map((filter) => filterCondition(database, { table, filter, nowMs })),
  ];
}

export function joinConditions(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.length === 0 ? '1' : conditions.map(({ sql }) => `(${sql})`).join(' AND '),
    values: conditions.flatMap(({ values }) => values),
  };
}

/** The columns in which words are looked for. */
function searchedColumns(table: Table): readonly Column[] {
  return table.columns
    .filter((column) =>
      ['line', 'text', 'json', 'any', 'datetime', 'date'].includes(kindOf(column)),
    )
    .slice(0, SEARCHED_COLUMNS_MAX);
}

function wordCondition(table: Table, word: string): Condition {
  const parts = searchedColumns(table).map(({ name }): Condition => ({
    sql: `${quoteName(name)} LIKE ? ESCAPE '\\'`,
    values: [likePattern(word)],
  }));
  const number = /^-?\d{1,19}$/.test(word) ? maybeInteger(word) : undefined;
  if (number !== undefined) {
    const keys = table.columns.filter(
      ({ keyPlace, affinity }) => keyPlace > 0 && affinity === 'INTEGER',
    );
    parts.push(...keys.map(({ name }) => ({ sql: `${quoteName(name)} = ?`, values: [number] })));
  }
  if (parts.length === 0) return { sql: '0', values: [] };
  return {
    sql: parts.map(({ sql }) => sql).join(' OR '),
    values: parts.flatMap(({ values }) => values),
  };
}

interface FilterTask {
  readonly table: Table;
  readonly filter: Filter;
  readonly nowMs: number;
}

function filterCondition(database: SqliteHandle, task: FilterTask): Condition {
  const { table, filter, nowMs } = task;
  const name = quoteName(filter.column.name);
  switch (filter.test) {
    case 'null':
      return { sql: `${name} IS NULL`, values: [] };
    case 'set':
      return { sql: `${name} IS NOT NULL`, values: [] };
    case 'is':
      return equals(filter.column, filter.value);
    case 'from':
    case 'to': {
      const day = Date.parse(`${filter.value}T00:00:00Z`);
      // A day that no calendar has.
      if (Number.isNaN(day)) return { sql: '0', values: [] };
      const bind = momentBinder(database, table, filter.column);
      return filter.test === 'from'
        ? { sql: `${name} >= ?`, values: [bind(day)] }
        : { sql: `${name} < ?`, values: [bind(day + DAY_MS)] };
    }
    case 'within': {
      const [start, end] = spanOf(filter.value, nowMs);
      const bind = momentBinder(database, table, filter.column);
      return { sql: `${name} >= ? AND ${name} < ?`, values: [bind(start), bind(end)] };
    }
  }
}

/** A column that declares no type compares texts and numbers as they are. */
function equals(column: Column, text: string): Condition {
  const name = quoteName(column.name);
  const number = /^-?\d{1,19}$/.test(text) ? maybeInteger(text) : undefined;
  if (column.affinity !== 'BLOB' || number === undefined) {
    return { sql: `${name} = ?`, values: [text] };
  }
  return { sql: `${name} IN (?, ?)`, values: [text, number] };
}

/** From the first to the one that is no more in it. */
function spanOf(span: MomentSpan, nowMs: number): [startMs: number, endMs: number] {
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const date = new Date(today);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  switch (span) {
    case 'today':
      return [today, today + DAY_MS];
    case 'week':
      return [today - 6 * DAY_MS, today + DAY_MS];
    case 'month':
      return [Date.UTC(year, month), Date.UTC(year, month + 1)];
    case 'year':
      return [Date.UTC(year, 0), Date.UTC(year + 1, 0)];
  }
}

/** How a moment is written in a column, which one of its values tells. */
function momentBinder(
  database: SqliteHandle,
  table: Table,
  column: Column,
): (atMs: number) => SqlValue {
  const name = quoteName(column.name);
  const sample = selectOne(
    database,
    `SELECT value FROM (SELECT ${name} AS value FROM ${quoteName(table.name)} LIMIT ${SAMPLE_ROWS})
     WHERE typeof(value) IN ('integer', 'real') LIMIT 1`,
  )?.['value'];
  // Days compare with what begins with them, whatever follows: "2026-01-02" < "2026-01-02T03:04".
  if (sample === undefined) return (atMs) => new Date(atMs).toISOString().slice(0, 10);
  const isMs = Math.abs(Number(sample)) >= MILLISECONDS_MIN;
  return (atMs) => BigInt(isMs ? atMs : Math.floor(atMs / 1000));
}
