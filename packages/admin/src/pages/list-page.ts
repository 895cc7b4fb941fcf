// The rows of a table: found, filtered, ordered, page by page. Everything is a link or a form that
// is read, so an address shows the same list to everybody.

import type { Cell } from '../database/cells.ts';
import { type Column, foreignKeyOf, type Table } from '../database/schema.ts';
import type { Member } from '../http/site-context.ts';
import { humanName, isMoment, kindOf } from '../model/kinds.ts';
import type { FilterChoice } from '../query/filter-choices.ts';
import { keyLabel } from '../query/labels.ts';
import { type ListPage, type ListedRow, PAGE_ROWS, type RowCount } from '../query/list-rows.ts';
import { formatListState, type ListState } from '../query/list-state.ts';
import { filterForm, stateChips } from './filter-form.ts';
import { formatCount } from './home-page.ts';
import { html, type Html, NOTHING } from './html.ts';
import { icon } from './icons.ts';
import { memberPage, pageHead } from './layout.ts';
import { showCell } from './values.ts';

export interface ListView {
  readonly table: Table;
  readonly state: ListState;
  readonly columns: readonly Column[];
  readonly page: ListPage;
  readonly rows: RowCount;
  readonly filters: readonly FilterChoice[];
  /** What rows of other tables are called, by the column that refers and the value. */
  readonly labels: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly isWritable: boolean;
}

export function listPage(member: Member, view: ListView): Html {
  const { table, isWritable, page } = view;
  const { addresses } = member.site;
  const title = humanName(table.name);
  const below = html`<code>${table.name}</code> · ${formatCount(view.rows)}`;
  const actions = html`<a class="button secondary" href="${addresses.tableHistory(table.name)}"
      >${icon('history')} History</a
    ><a class="button secondary" href="${addresses.structure(table.name)}"
      >${icon('structure')} Structure</a
    >
    ${
      isWritable
        ? html`<a class="button" href="${addresses.add(table.name)}">${icon('add')} Add</a>`
        : html`<span class="badge">read only</span>`
    }`;
  return memberPage(member, {
    title,
    crumbs: [],
    table: table.name,
    body: html`${pageHead(title, below, actions)} ${filterForm(member, view)}
    ${stateChips(member, view)} ${page.rows.length === 0 ? emptyList(view) : rowsForm(member, view)}
    ${pager(member, view)}`,
  });
}

function emptyList({ state }: ListView): Html {
  const isFiltered = state.search !== '' || state.filters.length > 0;
  return html`<p class="card muted">
    ${isFiltered ? 'No row is like that.' : 'There are no rows yet.'}
  </p>`;
}

/** The chosen rows go to the page that asks before it deletes. */
function rowsForm(member: Member, view: ListView): Html {
  const { table, isWritable } = view;
  if (!isWritable) return rowsTable(member, view);
  return html`<form
    method="get"
    action="${member.site.addresses.remove(table.name, [])}"
    data-selection
  >
    ${rowsTable(member, view)}
    <div class="selection">
      <button type="submit" class="secondary danger">
        ${icon('remove')} Delete selected <span data-selected></span>
      </button>
    </div>
  </form>`;
}

function rowsTable(member: Member, view: ListView): Html {
  const { columns, page, isWritable, table } = view;
  return html`<div class="scroll">
    <table class="rows" role="table" aria-label="${humanName(table.name)}">
      <thead role="rowgroup" class="narrow-visually-hidden">
        <tr role="row">
          ${isWritable ? selectAllHead() : NOTHING}
          ${columns.map((column) => columnHead(member, view, column))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${page.rows.map((row) => tableRow(member, view, row))}
      </tbody>
    </table>
  </div>`;
}

function selectAllHead(): Html {
  return html`<th role="columnheader" scope="col" class="pick">
    <input type="checkbox" aria-label="Select all rows" data-select-all hidden />
    <span class="visually-hidden">Selection</span>
  </th>`;
}

function columnHead(member: Member, { table, state }: ListView, column: Column): Html {
  const { order } = state;
  const isOrdered = order?.column.name === column.name;
  const isDescending = isOrdered && order.isDescending;
  const next: ListState = {
    ...state,
    page: undefined,
    order: { column, isDescending: isOrdered && !isDescending },
  };
  const sort = isOrdered ? (isDescending ? 'descending' : 'ascending') : 'none';
  const href = `${member.site.addresses.table(table.name)}${formatListState(next)}`;
  return html`<th
    role="columnheader"
    scope="col"
    aria-sort="${sort}"
    class="${alignment(table, column)}"
  >
    <a href="${href}" title="${column.name}"
      >${humanName(column.name)}${isOrdered ? icon(isDescending ? 'down' : 'up') : NOTHING}</a
    >
  </th>`;
}

/** Digits stand under digits; what is read as words stands left, a moment on one line. */
function alignment(table: Table, column: Column): string {
  const kind = kindOf(column);
  if (isMoment(kind)) return 'moment-cell';
  const isNumber = kind === 'integer' || kind === 'real' || kind === 'number';
  return isNumber && foreignKeyOf(table, column.name) === undefined ? 'right' : '';
}

function tableRow(member: Member, view: ListView, row: ListedRow): Html {
  const { columns, isWritable } = view;
  const name = row.key === undefined ? '' : keyLabel(row.key);
  const pick =
    row.key === undefined
      ? html`<td role="cell" class="pick"></td>`
      : html`<td role="cell" class="pick">
          <input type="checkbox" name="key" value="${row.key}" aria-label="Select row ${name}" />
        </td>`;
  return html`<tr role="row">
    ${isWritable ? pick : NOTHING}
    ${columns.map((column, i) => tableCell(member, view, { row, column, isFirst: i === 0 }))}
  </tr>`;
}

interface CellPlace {
  readonly row: ListedRow;
  readonly column: Column;
  readonly isFirst: boolean;
}

function tableCell(member: Member, view: ListView, { row, column, isFirst }: CellPlace): Html {
  const cell = row.cells.get(column.name)!;
  const { addresses } = member.site;
  const shown = showCell(cell, column);
  const content =
    isFirst && row.key !== undefined
      ? html`<a class="row-link" href="${addresses.row(view.table.name, row.key)}">${shown}</a>`
      : (referenceLink(member, view, { cell, column }) ?? shown);
  const kind = alignment(view.table, column);
  return html`<td role="cell" data-label="${humanName(column.name)}" class="${kind}">
    <div>${content}</div>
  </td>`;
}

/** To the row that a value refers to. */
function referenceLink(
  member: Member,
  { table, labels }: ListView,
  { cell, column }: { readonly cell: Cell; readonly column: Column },
): Html | undefined {
  const key = foreignKeyOf(table, column.name);
  if (key === undefined || (cell.kind !== 'integer' && cell.kind !== 'text')) return undefined;
  const query = new URLSearchParams({ [`is.${key.targetColumns[0]!}`]: `=${cell.text}` });
  const label = labels.get(column.name)?.get(cell.text);
  const href = `${member.site.addresses.table(key.target)}?${query.toString()}`;
  return html`<a href="${href}">${label ?? cell.text}</a>
    ${label === undefined ? NOTHING : html`<span class="muted">${cell.text}</span>`}`;
}

function pager(member: Member, view: ListView): Html {
  const { page, state, table } = view;
  if (!page.hasPrevious && !page.hasNext) return NOTHING;
  const base = member.site.addresses.table(table.name);
  const href = (to: ListState['page']): string =>
    `${base}${formatListState({ ...state, page: to })}`;
  const first = html`<a href="${href(undefined)}">First page</a> · `;
  const previous = page.hasPrevious ? previousPage(view) : undefined;
  const next = page.hasNext ? nextPage(view) : undefined;
  const link = (to: ListState['page'] | false, text: Html): Html =>
    to === false
      ? html`<span></span>`
      : html`<a class="button secondary" href="${href(to)}">${text}</a>`;
  return html`<nav class="pager" aria-label="Pages">
    ${link(previous ?? false, html`${icon('previous')} Previous`)}
    <span class="muted"> ${page.hasPrevious ? first : NOTHING}${PAGE_ROWS} rows a page </span>
    ${link(next ?? false, html`Next ${icon('next')}`)}
  </nav>`;
}

function previousPage({ page, state }: ListView): ListState['page'] {
  const key = page.rows[0]?.key;
  if (key !== undefined) return { side: 'before', key };
  const number = state.page?.side === 'number' ? state.page.number - 1 : 1;
  return { side: 'number', number };
}

function nextPage({ page, state }: ListView): ListState['page'] {
  const key = page.rows.at(-1)?.key;
  if (key !== undefined) return { side: 'after', key };
  const number = state.page?.side === 'number' ? state.page.number + 1 : 2;
  return { side: 'number', number };
}
