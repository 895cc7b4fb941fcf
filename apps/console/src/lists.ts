// The lists beside the editor: tables with their columns and versions, and what was run before.

import type { Catalog, CatalogTable } from './api.ts';
import { make } from './dom.ts';
import { formatCount, formatMs, quoteName } from './format.ts';
import type { HistoryEntry } from './history.ts';

export interface ListActions {
  /** Puts a query into the editor. */
  readonly use: (sql: string) => void;
  readonly run: (sql: string) => void;
}

/** The newest; a table that is written each minute has thousands. */
const VERSIONS_SHOWN = 50;
const PREVIEW_ROWS = 100;
/** The schema whose tables need no prefix. */
const DEFAULT_SCHEMAS = new Set(['main', 'public']);

export function drawTables(parent: HTMLElement, catalog: Catalog, actions: ListActions): void {
  const schemas = catalog.schemas.filter(({ tables }) => tables.length > 0);
  if (schemas.length === 0) {
    const text = 'No tables yet. CREATE TABLE makes one, an upload too.';
    parent.replaceChildren(make('p', { class: 'empty' }, text));
    return;
  }
  parent.replaceChildren(
    ...schemas.flatMap(({ name, tables }) => [
      make('h2', {}, name),
      ...tables.map((table) => tableItem(name, table, actions)),
    ]),
  );
}

function tableItem(schema: string, table: CatalogTable, actions: ListActions): HTMLElement {
  const { name, kind, columns, versions } = table;
  const path = DEFAULT_SCHEMAS.has(schema)
    ? quoteName(name)
    : `${quoteName(schema)}.${quoteName(name)}`;
  const preview = make(
    'button',
    {
      class: 'small',
      title: `Show the first ${PREVIEW_ROWS} rows`,
      onClick: () => actions.run(`SELECT * FROM ${path} LIMIT ${PREVIEW_ROWS}`),
    },
    'Show',
  );
  const columnList = columns.map((column) =>
    make('li', {}, make('span', {}, column.name), make('code', {}, column.type.toLowerCase())),
  );
  const title = make('summary', {}, make('span', { class: 'name' }, name));
  if (kind !== 'table') title.append(make('span', { class: 'kind' }, kind));
  const parts = [title, preview, make('ul', { class: 'columns' }, ...columnList)];
  const details = make('details', { class: 'item' }, ...parts);
  if (versions.length > 0) details.append(versionList(path, versions, actions));
  return details;
}

function versionList(
  path: string,
  versions: CatalogTable['versions'],
  { run }: ListActions,
): HTMLElement {
  const items = versions
    .slice(-VERSIONS_SHOWN)
    .toReversed()
    .map(({ snapshot, time }) => {
      const sql = `SELECT * FROM ${path} AT (VERSION => ${snapshot}) LIMIT ${PREVIEW_ROWS}`;
      const label = `${snapshot} · ${time.replace('T', ' ').slice(0, 19)}`;
      const title = 'Show the table as it was then';
      return make(
        'li',
        {},
        make('button', { class: 'link', title, onClick: () => run(sql) }, label),
      );
    });
  const count = formatCount(versions.length, 'version');
  const summary = make('summary', {}, count);
  return make('details', { class: 'versions' }, summary, make('ul', {}, ...items));
}

export function drawHistory(
  parent: HTMLElement,
  entries: readonly HistoryEntry[],
  { use, clear }: { readonly use: (sql: string) => void; readonly clear: () => void },
): void {
  if (entries.length === 0) {
    const text = 'What you run is listed here, in this browser only.';
    parent.replaceChildren(make('p', { class: 'empty' }, text));
    return;
  }
  const items = entries.map(({ sql, at, ms, rowCount }) => {
    const outcome = rowCount === undefined ? 'failed' : formatCount(rowCount, 'row');
    const when = new Date(at).toLocaleString();
    const className = rowCount === undefined ? 'past failed' : 'past';
    return make(
      'button',
      { class: className, title: sql, onClick: () => use(sql) },
      make('code', {}, sql.trim().replaceAll(/\s+/g, ' ')),
      make('small', {}, `${outcome} · ${formatMs(ms)} · ${when}`),
    );
  });
  const button = make('button', { class: 'small', onClick: clear }, 'Forget all');
  parent.replaceChildren(...items, button);
}
