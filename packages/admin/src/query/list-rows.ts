// The rows of one page of a list. Pages are told by the row before them, not by a number, so that
// the last page of a million rows costs what the first one does, where an index has the order.

import { type Cell, cellsSql, readCells } from '../database/cells.ts';
import {
  type SqliteHandle,
  type SqlRow,
  type SqlValue,
  selectAll,
  selectOne,
} from '../database/handle.ts';
import { quoteName } from '../database/quote.ts';
import { keyCondition, keySql, parseKey, readKey } from '../database/row-key.ts';
import type { RowIdentity, Table } from '../database/schema.ts';
import { type Condition, joinConditions } from './conditions.ts';
import type { ListState } from './list-state.ts';

export interface ListedRow {
  /** Undefined where rows have no names. */
  readonly key: string | undefined;
  readonly cells: ReadonlyMap<string, Cell>;
}

export interface ListPage {
  readonly rows: readonly ListedRow[];
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
}

export const PAGE_ROWS = 50;
/** Texts of a list are for a glance. */
const LIST_TEXT_MAX = 120;

export interface ListTask {
  readonly table: Table;
  readonly columns: readonly string[];
  readonly conditions: readonly Condition[];
  readonly order: ListState['order'];
  readonly page: ListState['page'];
}

export function readPage(database: SqliteHandle, task: ListTask): ListPage {
  const { identity } = task.table;
  return identity === undefined
    ? readNumberedPage(database, task)
    : readKeyedPage(database, task, identity);
}

/** Rows of a view have no names: the ones before are counted. */
function readNumberedPage(database: SqliteHandle, task: ListTask): ListPage {
  const { table, columns, order, page } = task;
  const number = page?.side === 'number' ? page.number : 1;
  const where = joinConditions(task.conditions);
  const by =
    order === undefined
      ? ''
      : `ORDER BY ${quoteName(order.column.name)} ${order.isDescending ? 'DESC' : 'ASC'}`;
  const rows = selectAll(
    database,
    `SELECT ${cellsSql(columns, LIST_TEXT_MAX)} FROM ${quoteName(table.name)}
     WHERE ${where.sql} ${by} LIMIT ${PAGE_ROWS + 1} OFFSET ${(number - 1) * PAGE_ROWS}`,
    ...where.values,
  );
  return {
    rows: rows
      .slice(0, PAGE_ROWS)
      .map((row) => ({ key: undefined, cells: readCells(row, columns) })),
    hasPrevious: number > 1,
    hasNext: rows.length > PAGE_ROWS,
  };
}

function readKeyedPage(database: SqliteHandle, task: ListTask, identity: RowIdentity): ListPage {
  const { table, columns } = task;
  const order = resolveOrder(task, identity);
  const start = maybeStart(database, task, identity);
  const isBackward = start?.side === 'before';
  const isDescending = order.isDescending !== isBackward;
  const conditions = [...task.conditions];
  if (start !== undefined) conditions.push(beyond(task, { ...order, isDescending }, start));
  const where = joinConditions(conditions);
  const direction = isDescending ? 'DESC' : 'ASC';
  const terms = [...(order.column === undefined ? [] : [order.column]), ...identity.names];
  const found = selectAll(
    database,
    `SELECT ${keySql(identity)}, ${cellsSql(columns, LIST_TEXT_MAX)} FROM ${quoteName(table.name)}
     WHERE ${where.sql}
     ORDER BY ${terms.map((name) => `${quoteName(name)} ${direction}`).join(', ')}
     LIMIT ${PAGE_ROWS + 1}`,
    ...where.values,
  );
  const hasMore = found.length > PAGE_ROWS;
  const rows = found.slice(0, PAGE_ROWS).map((row) => readRow(row, identity, columns));
  if (isBackward) rows.reverse();
  return {
    rows,
    hasPrevious: isBackward ? hasMore : start !== undefined,
    hasNext: isBackward || hasMore,
  };
}

function readRow(row: SqlRow, identity: RowIdentity, columns: readonly string[]): ListedRow {
  return { key: readKey(row, identity), cells: readCells(row, columns) };
}

interface Order {
  /** Beside the identity, which decides between equals. */
  readonly column: string | undefined;
  readonly isDescending: boolean;
}

/** At first what came last stands first, where numbers tell. */
function resolveOrder(
  { table, order }: Pick<ListTask, 'table' | 'order'>,
  identity: RowIdentity,
): Order {
  const isByNumber = identity.kind === 'rowid' || table.columns.some(({ isRowid }) => isRowid);
  if (order === undefined) return { column: undefined, isDescending: isByNumber };
  const { name } = order.column;
  const isIdentity = identity.names.length === 1 && identity.names[0] === name;
  return { column: isIdentity ? undefined : name, isDescending: order.isDescending };
}

interface Start {
  readonly side: 'after' | 'before';
  readonly values: readonly SqlValue[];
  /** Whether the row has NULL where the list is ordered. */
  readonly isNull: boolean;
}

/** Undefined for the first page, also when the row is gone. */
function maybeStart(
  database: SqliteHandle,
  { table, order, page }: ListTask,
  identity: RowIdentity,
): Start | undefined {
  if (page === undefined || page.side === 'number') return undefined;
  const values = parseKey(page.key, identity);
  if (values === undefined) return undefined;
  const ordered = order === undefined ? '1' : quoteName(order.column.name);
  const row = selectOne(
    database,
    `SELECT ${ordered} IS NULL AS is_null FROM ${quoteName(table.name)}
     WHERE ${keyCondition(identity)}`,
    ...values,
  );
  return row && { side: page.side, values, isNull: Number(row['is_null']) === 1 };
}

/**
 * Holds for the rows after the start, in an order where NULL comes before everything. The condition
 * begins with a range that an index can be searched for.
 */
function beyond({ table }: ListTask, { column, isDescending }: Order, start: Start): Condition {
  const identity = table.identity!;
  const sign = isDescending ? '<' : '>';
  const key = `(${identity.names.map(quoteName).join(', ')})`;
  const marks = `(${identity.names.map(() => '?').join(', ')})`;
  const isKeyBeyond = `${key} ${sign} ${marks}`;
  const { values } = start;
  if (column === undefined) return { sql: isKeyBeyond, values };
  const name = quoteName(column);
  if (start.isNull) {
    const sql = isDescending
      ? `${name} IS NULL AND ${isKeyBeyond}`
      : `${name} IS NOT NULL OR ${isKeyBeyond}`;
    return { sql, values };
  }
  const value = `(SELECT ${name} FROM ${quoteName(table.name)} WHERE ${keyCondition(identity)})`;
  const isNotNull = table.columns.some(({ name, isNotNull }) => name === column && isNotNull);
  const orNull = isDescending && !isNotNull ? ` OR ${name} IS NULL` : '';
  const range = `${name} ${sign}= ${value}${orNull}`;
  const exact = `${name} ${sign} ${value}${orNull} OR ${isKeyBeyond}`;
  return { sql: `(${range}) AND (${exact})`, values: [...values, ...values, ...values] };
}

export interface RowCount {
  readonly count: number;
  /** Whether there are more. */
  readonly isCut: boolean;
}

/** Counting reads every row, so it ends when the number says no more than "many". */
export const COUNT_MAX = 100_000;

export function countRows(
  database: SqliteHandle,
  table: Table,
  conditions: readonly Condition[] = [],
  max: number = COUNT_MAX,
): RowCount {
  const where = joinConditions(conditions);
  const row = selectOne(
    database,
    `SELECT count(*) AS count FROM
       (SELECT 1 FROM ${quoteName(table.name)} WHERE ${where.sql} LIMIT ${max + 1})`,
    ...where.values,
  );
  const count = Number(row!['count']);
  return { count: Math.min(count, max), isCut: count > max };
}
