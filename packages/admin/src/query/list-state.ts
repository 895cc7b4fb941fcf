// What a list shows, as its address says it: search, order, filters, columns, page. Names that are
// no column of the table are left out, so that nothing else can reach SQL.

import { type Column, maybeColumn, type Table } from '../database/schema.ts';

export type MomentSpan = 'today' | 'week' | 'month' | 'year';

export type Filter =
  | { readonly test: 'is'; readonly column: Column; readonly value: string }
  | { readonly test: 'null' | 'set'; readonly column: Column }
  /** Days, in UTC: from the first to the last. */
  | { readonly test: 'from' | 'to'; readonly column: Column; readonly value: string }
  | { readonly test: 'within'; readonly column: Column; readonly value: MomentSpan };

export interface ListState {
  readonly search: string;
  readonly order: { readonly column: Column; readonly isDescending: boolean } | undefined;
  readonly filters: readonly Filter[];
  /** Undefined for those that the site chooses. */
  readonly columns: readonly Column[] | undefined;
  /** The page after or before the row of that name. */
  readonly page:
    | { readonly side: 'after' | 'before'; readonly key: string }
    /** For what has no names of rows. */
    | { readonly side: 'number'; readonly number: number }
    | undefined;
}

/** Longer words are no search. */
const SEARCH_LENGTH_MAX = 200;
const VALUE_LENGTH_MAX = 1000;
/** Each is a condition in SQL. */
const FILTERS_MAX = 20;
/** Deeper pages of a view are read row by row from the beginning. */
const PAGE_NUMBER_MAX = 200;

const SPANS: ReadonlySet<string> = new Set(['today', 'week', 'month', 'year']);
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function parseListState(table: Table, query: URLSearchParams): ListState {
  const filters = [...query].flatMap(([name, value]) => parseFilter(table, name, value) ?? []);
  const chosen = [...new Set(query.getAll('col'))].flatMap(
    (name) => exactColumn(table, name) ?? [],
  );
  return {
    search: (query.get('q') ?? '').trim().slice(0, SEARCH_LENGTH_MAX),
    order: parseOrder(table, query),
    filters: filters.slice(0, FILTERS_MAX),
    columns: chosen.length === 0 ? undefined : chosen,
    page: parsePage(query),
  };
}

function parseOrder(table: Table, query: URLSearchParams): ListState['order'] {
  const column = exactColumn(table, query.get('order') ?? '');
  return column && { column, isDescending: query.get('dir') === 'desc' };
}

function parsePage(query: URLSearchParams): ListState['page'] {
  for (const side of ['after', 'before'] as const) {
    const key = query.get(side);
    if (key !== null && key !== '') return { side, key };
  }
  const number = Number(query.get('page') ?? 1);
  if (!Number.isInteger(number) || number < 2) return undefined;
  return { side: 'number', number: Math.min(number, PAGE_NUMBER_MAX) };
}

function parseFilter(table: Table, name: string, value: string): Filter | undefined {
  const dot = name.indexOf('.');
  const test = name.slice(0, Math.max(dot, 0));
  const column = dot < 0 ? undefined : exactColumn(table, name.slice(dot + 1));
  if (column === undefined || value === '' || value.length > VALUE_LENGTH_MAX) return undefined;
  switch (test) {
    case 'is':
      if (value === '~null') return { test: 'null', column };
      if (value === '~set') return { test: 'set', column };
      return { test: 'is', column, value: value.startsWith('=') ? value.slice(1) : value };
    case 'from':
    case 'to':
      return DAY.test(value) ? { test, column, value } : undefined;
    case 'in':
      return SPANS.has(value) ? { test: 'within', column, value: value as MomentSpan } : undefined;
    default:
      return undefined;
  }
}

function exactColumn(table: Table, name: string): Column | undefined {
  const column = name === '' ? undefined : maybeColumn(table, name);
  return column?.name === name ? column : undefined;
}

/** A filter as the address has it. */
function filterParameter(filter: Filter): readonly [name: string, value: string] {
  const { name } = filter.column;
  switch (filter.test) {
    case 'is':
      return [`is.${name}`, `=${filter.value}`];
    case 'null':
    case 'set':
      return [`is.${name}`, `~${filter.test}`];
    case 'from':
    case 'to':
      return [`${filter.test}.${name}`, filter.value];
    case 'within':
      return [`in.${name}`, filter.value];
  }
}

/** The query of an address that shows `state`; empty for the list as it is at first. */
export function formatListState(state: ListState): string {
  const query = new URLSearchParams(listParameters(state)).toString();
  return query === '' ? '' : `?${query}`;
}

/** Names and values, in order; forms keep what they do not ask for with them. */
export function listParameters(state: ListState): [name: string, value: string][] {
  const parameters: [string, string][] = [];
  if (state.search !== '') parameters.push(['q', state.search]);
  parameters.push(...state.filters.map((filter): [string, string] => [...filterParameter(filter)]));
  if (state.order !== undefined) {
    parameters.push(['order', state.order.column.name]);
    if (state.order.isDescending) parameters.push(['dir', 'desc']);
  }
  for (const { name } of state.columns ?? []) parameters.push(['col', name]);
  const { page } = state;
  if (page?.side === 'number') parameters.push(['page', String(page.number)]);
  else if (page !== undefined) parameters.push([page.side, page.key]);
  return parameters;
}
