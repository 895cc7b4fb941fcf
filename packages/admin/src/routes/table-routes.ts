// Reading: the overview, lists, the structure of a table, single values, the history.

import { bindable } from '../database/cells.ts';
import { type Column, foreignKeyOf, maybeColumn, type Table } from '../database/schema.ts';
import { badRequest, notFound } from '../http/refusals.ts';
import { page, type Reply } from '../http/reply.ts';
import { describePosition, describeRole, nodeFacts } from '../http/node-summary.ts';
import type { Member } from '../http/site-context.ts';
import { humanName, kindOf } from '../model/kinds.ts';
import { historyPage, rowTitle } from '../pages/history-page.ts';
import { homePage } from '../pages/home-page.ts';
import { tableCrumb } from '../pages/layout.ts';
import { listPage } from '../pages/list-page.ts';
import { structurePage } from '../pages/structure-page.ts';
import { listConditions } from '../query/conditions.ts';
import { filterChoices } from '../query/filter-choices.ts';
import { readChoices, readLabels, rowLabel } from '../query/labels.ts';
import { countRows, type ListedRow, type RowCount, readPage } from '../query/list-rows.ts';
import { parseListState } from '../query/list-state.ts';
import { maybeReadBytes } from '../query/row.ts';
import { readLog } from '../store/history.ts';

/** What fits beside the tables of the overview. */
const HOME_ENTRIES = 10;
const HISTORY_ENTRIES = 50;
/** Columns that a list shows at first. */
const COLUMNS_MAX = 7;
/** What a search box suggests. */
const LOOKUP_MAX = 20;
/** The overview counts all tables; a larger one is "more than". */
const HOME_COUNT_MAX = 10_000;

export function showHome(member: Member): Reply {
  const { database, schema, site } = member;
  const tables = site.shownTables(schema).map((table) => ({
    table,
    // A view may be any query.
    rows: table.kind === 'table' ? countRows(database, table, [], HOME_COUNT_MAX) : undefined,
  }));
  return page(homePage(member, { tables, entries: readLog(database, { max: HOME_ENTRIES }) }));
}

export function showList(member: Member, table: Table): Reply {
  const { database, schema, site, url, nowMs } = member;
  const state = parseListState(table, url.searchParams);
  const conditions = listConditions(database, table, state, nowMs);
  const columns = state.columns ?? listColumns(table);
  const names = columns.map(({ name }) => name);
  const found = readPage(database, { ...state, table, columns: names, conditions });
  const isWhole = state.page === undefined && !found.hasNext;
  const rows: RowCount = isWhole
    ? { count: found.rows.length, isCut: false }
    : countRows(database, table, conditions);
  return page(
    listPage(member, {
      table,
      state,
      columns,
      page: found,
      rows,
      filters: filterChoices(database, schema, table),
      labels: labelsOf(member, { table, columns, rows: found.rows }),
      isWritable: site.writable(table) !== undefined,
    }),
  );
}

/** The key first, then what is short enough for a list. */
function listColumns(table: Table): readonly Column[] {
  const shown = table.columns.filter((column) => kindOf(column) !== 'blob');
  const isKey = ({ keyPlace }: Column): boolean => keyPlace > 0;
  const ordered = [...shown.filter(isKey), ...shown.filter((column) => !isKey(column))];
  return ordered.length === 0 ? table.columns.slice(0, 1) : ordered.slice(0, COLUMNS_MAX);
}

interface Listed {
  readonly table: Table;
  readonly columns: readonly Column[];
  readonly rows: readonly ListedRow[];
}

/** One question for each column that refers, however many rows there are. */
function labelsOf(
  { database, schema }: Member,
  { table, columns, rows }: Listed,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const labels = new Map<string, ReadonlyMap<string, string>>();
  for (const { name } of columns) {
    const key = foreignKeyOf(table, name);
    const target = key && schema.get(key.target);
    if (key === undefined || target === undefined) continue;
    const cells = rows.map((row) => row.cells.get(name)!).filter(({ kind }) => kind !== 'null');
    const values = cells.map(bindable).filter((value) => value !== null);
    const place = { table: target, column: key.targetColumns[0]! };
    labels.set(name, readLabels(database, place, [...new Set(values)]));
  }
  return labels;
}

export function showStructure(member: Member, table: Table): Reply {
  return page(structurePage(member, table));
}

/** Suggestions for a box that refers to a row of this table. */
export function lookUp({ database, url }: Member, table: Table): Reply {
  const column = maybeColumn(table, url.searchParams.get('column') ?? '');
  const search = (url.searchParams.get('q') ?? '').trim().slice(0, 100);
  if (column === undefined || search === '') return { kind: 'json', status: 200, value: [] };
  const place = { table, column: column.name };
  const value = readChoices(database, place, { search, max: LOOKUP_MAX });
  return { kind: 'json', status: 200, value };
}

export interface RowPlace {
  readonly table: Table;
  readonly key: string;
}

export function downloadValue(member: Member, place: RowPlace, columnName: string): Reply {
  const column = maybeColumn(place.table, columnName);
  if (column === undefined) return notFound(member);
  const where = { key: place.key, column: column.name };
  const bytes = maybeReadBytes(member.database, place.table, where);
  if (bytes === undefined) return notFound(member, 'There is no such value');
  return { kind: 'file', bytes, name: `${place.table.name}-${place.key}-${column.name}.bin` };
}

/** Of everything, of a table, or of a row. */
export function showHistory(member: Member, table?: Table, key?: string): Reply {
  const { database, url, site } = member;
  const before = url.searchParams.get('before') ?? '';
  if (!/^\d{0,15}$/.test(before)) return badRequest(member, 'The page of the history is no number');
  const beforeId = before === '' ? undefined : Number(before);
  const found = readLog(database, {
    table: table?.name,
    key,
    beforeId,
    max: HISTORY_ENTRIES + 1,
  });
  const entries = found.slice(0, HISTORY_ENTRIES);
  const isMore = found.length > HISTORY_ENTRIES;
  const crumbs = table === undefined ? [] : [tableCrumb(site, table.name)];
  if (table !== undefined && key !== undefined) {
    const text = rowTitle(rowLabel(database, table, key), key);
    crumbs.push({ text, href: site.addresses.row(table.name, key) });
  }
  const of = table === undefined ? 'all tables' : humanName(table.name);
  return page(
    historyPage(member, {
      title: 'History',
      below: `What was changed through this site: ${key === undefined ? of : 'this row'}`,
      crumbs,
      table: table?.name,
      entries,
      older: isMore ? `${url.pathname}?before=${entries.at(-1)!.id}` : undefined,
    }),
  );
}

/** For the script that keeps the bar of a page that stays open up to date. */
export function showNodeState({ node }: Member): Reply {
  if (node === undefined) return { kind: 'json', status: 200, value: null };
  const { name, role } = node;
  const values = Object.fromEntries(
    nodeFacts(node).map(([fact, value]) => [fact.toLowerCase(), value]),
  );
  const value = { name, role, words: describeRole(node), more: describePosition(node), values };
  return { kind: 'json', status: 200, value };
}
