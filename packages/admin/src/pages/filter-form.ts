// What a list is narrowed by: words, filters, columns. One form, so that it works without a script,
// and a line that says what is set, each with a link that takes it back.

import {
  formatListState,
  listParameters,
  type Filter,
  type ListState,
} from '../query/list-state.ts';
import type { FilterChoice } from '../query/filter-choices.ts';
import type { Member } from '../http/site-context.ts';
import { humanName } from '../model/kinds.ts';
import type { ListView } from './list-page.ts';
import { html, type Html, NOTHING } from './html.ts';
import { icon } from './icons.ts';

export function filterForm(member: Member, view: ListView): Html {
  const { table, state, filters } = view;
  const action = member.site.addresses.table(table.name);
  const offered = new Set(filters.map(({ column }) => column.name));
  // Filters that came by a link and have no control here stay as they are.
  const others = state.filters.filter(({ column }) => !offered.has(column.name));
  return html`<search class="filters">
    <form method="get" action="${action}" data-filters>
      ${hiddenFields({ ...state, search: '', filters: others })}
      <div class="search-row">
        <label class="visually-hidden" for="q">Search</label>
        <input
          type="search"
          id="q"
          name="q"
          value="${state.search}"
          placeholder="Search"
          maxlength="200"
        />
        <button type="submit">${icon('search')} Search</button>
      </div>
      ${filters.length === 0 ? NOTHING : filterFold(view)}
    </form>
    <form method="get" action="${action}">
      ${hiddenFields({ ...state, columns: undefined })} ${columnFold(view)}
    </form>
  </search>`;
}

/** What a form does not ask for stays as it is; it begins with the first page. */
function hiddenFields(state: ListState): Html {
  const parameters = listParameters({ ...state, page: undefined });
  return html`${parameters.map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  )}`;
}

function filterFold({ filters, state }: ListView): Html {
  const active = state.filters.length;
  return html`<details class="fold" ${active > 0 ? 'open' : ''}>
    <summary>
      ${icon('filter')} Filters
      ${active === 0 ? NOTHING : html`<span class="badge">${active}</span>`}
    </summary>
    <div class="fold-body">
      <div class="filter-grid">${filters.map((choice, i) => control(choice, state, i))}</div>
      <button type="submit" class="secondary">Apply</button>
    </div>
  </details>`;
}

function control(choice: FilterChoice, state: ListState, i: number): Html {
  const { column } = choice;
  const id = `filter-${i}`;
  const title = humanName(column.name);
  const current = state.filters.filter((filter) => filter.column.name === column.name);
  if (choice.form === 'moment') return momentControl({ id, title, name: column.name }, current);
  const value = isValue(current);
  if (choice.form === 'value') {
    return html`<div>
      <label for="${id}">${title}</label>
      <input
        id="${id}"
        name="is.${column.name}"
        value="${value.replace(/^=/, '')}"
        maxlength="200"
      />
    </div>`;
  }
  const options = [
    { value: '', label: 'Any' },
    ...choice.options.map((option) => ({ ...option, value: `=${option.value}` })),
    ...(column.isNotNull ? [] : [{ value: '~null', label: 'NULL' }]),
  ];
  return html`<div>
    <label for="${id}">${title}</label>
    <select id="${id}" name="is.${column.name}">
      ${options.map((option) => optionOf(option, value))}
    </select>
  </div>`;
}

function optionOf(
  { value, label }: { readonly value: string; readonly label: string },
  current: string,
): Html {
  return html`<option value="${value}" ${value === current ? 'selected' : ''}>${label}</option>`;
}

function isValue(filters: readonly Filter[]): string {
  for (const filter of filters) {
    if (filter.test === 'is') return `=${filter.value}`;
    if (filter.test === 'null' || filter.test === 'set') return `~${filter.test}`;
  }
  return '';
}

const SPANS: readonly { readonly value: string; readonly label: string }[] = [
  { value: '', label: 'Any time' },
  { value: 'today', label: 'Today' },
  { value: 'week', label: 'Past 7 days' },
  { value: 'month', label: 'This month' },
  { value: 'year', label: 'This year' },
];

function momentControl(
  { id, title, name }: { readonly id: string; readonly title: string; readonly name: string },
  current: readonly Filter[],
): Html {
  const valueOf = (test: 'within' | 'from' | 'to'): string => {
    const found = current.find((filter) => filter.test === test);
    return found !== undefined && 'value' in found ? found.value : '';
  };
  return html`<fieldset class="moment">
    <legend>${title}</legend>
    <label class="visually-hidden" for="${id}">${title}</label>
    <select id="${id}" name="in.${name}">
      ${SPANS.map((option) => optionOf(option, valueOf('within')))}
    </select>
    <div class="range">
      <label for="${id}-from">From</label>
      <input id="${id}-from" type="date" name="from.${name}" value="${valueOf('from')}" />
      <label for="${id}-to">To</label>
      <input id="${id}-to" type="date" name="to.${name}" value="${valueOf('to')}" />
    </div>
  </fieldset>`;
}

function columnFold({ table, columns, state }: ListView): Html {
  const shown = new Set(columns.map(({ name }) => name));
  return html`<details class="fold">
    <summary>
      ${icon('columns')} Columns
      ${state.columns === undefined ? NOTHING : html`<span class="badge">${columns.length}</span>`}
    </summary>
    <fieldset class="fold-body column-grid">
      <legend class="visually-hidden">Columns that are shown</legend>
      ${table.columns.map(
        ({ name }) =>
          html`<label>
            <input type="checkbox" name="col" value="${name}" ${shown.has(name) ? 'checked' : ''} />
            ${humanName(name)}
          </label>`,
      )}
      <button type="submit" class="secondary">Apply</button>
    </fieldset>
  </details>`;
}

/** What is set, each with a link to the list without it. */
export function stateChips(member: Member, { table, state }: ListView): Html {
  const base = member.site.addresses.table(table.name);
  const chip = (text: string, without: ListState): Html =>
    html`<li>
      <a class="chip" href="${base}${formatListState({ ...without, page: undefined })}"
        >${text} ${icon('close')}<span class="visually-hidden"> remove</span></a
      >
    </li>`;
  const chips = [
    ...(state.search === '' ? [] : [chip(`Search: ${state.search}`, { ...state, search: '' })]),
    ...state.filters.map((filter) =>
      chip(describeFilter(filter), {
        ...state,
        filters: state.filters.filter((other) => other !== filter),
      }),
    ),
  ];
  if (chips.length === 0) return NOTHING;
  return html`<ul class="chips" aria-label="What the list is narrowed by">
    ${chips}
  </ul>`;
}

function describeFilter(filter: Filter): string {
  const name = humanName(filter.column.name);
  switch (filter.test) {
    case 'is':
      return `${name}: ${filter.value}`;
    case 'null':
      return `${name}: NULL`;
    case 'set':
      return `${name}: not NULL`;
    case 'from':
      return `${name} from ${filter.value}`;
    case 'to':
      return `${name} to ${filter.value}`;
    case 'within':
      return `${name}: ${SPANS.find(({ value }) => value === filter.value)!.label}`;
  }
}
