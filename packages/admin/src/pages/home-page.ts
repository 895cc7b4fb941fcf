// The first page: the tables with how much is in them, and what was changed last.

import type { Table } from '../database/schema.ts';
import type { Member } from '../http/site-context.ts';
import { humanName } from '../model/kinds.ts';
import type { RowCount } from '../query/list-rows.ts';
import type { LogEntry } from '../store/history.ts';
import { historyList } from './history-page.ts';
import { countOf, html, type Html, NOTHING } from './html.ts';
import { icon } from './icons.ts';
import { memberPage, pageHead } from './layout.ts';

export interface HomeView {
  readonly tables: readonly { readonly table: Table; readonly rows: RowCount | undefined }[];
  readonly entries: readonly LogEntry[];
}

export function homePage(member: Member, { tables, entries }: HomeView): Html {
  const { addresses, options } = member.site;
  const below = countOf(tables.length, 'table', 'tables');
  const noTables = html`<p class="card muted">There are no tables yet.</p>`;
  return memberPage(member, {
    title: 'Overview',
    place: 'home',
    body: html`${pageHead(options.title, below)}
      <div class="home">
        <section aria-labelledby="tables-title">
          <h2 id="tables-title">Tables</h2>
          ${tables.length === 0 ? noTables : NOTHING}
          <ul class="tiles">
            ${tables.map(({ table, rows }) => tile(member, table, rows))}
          </ul>
        </section>
        <section aria-labelledby="history-title">
          <h2 id="history-title">Last changes</h2>
          ${
            entries.length === 0
              ? html`<p class="card muted">Nothing was changed here yet.</p>`
              : html`${historyList(member, entries)}
                  <p><a href="${addresses.history()}">All changes</a></p>`
          }
        </section>
      </div>`,
  });
}

function tile(member: Member, table: Table, rows: RowCount | undefined): Html {
  const { site } = member;
  const { addresses } = site;
  const title = humanName(table.name);
  const add =
    site.writable(table) === undefined
      ? NOTHING
      : html`<a class="tile-add" href="${addresses.add(table.name)}"
          >${icon('add')} Add<span class="visually-hidden"> to ${title}</span></a
        >`;
  return html`<li class="tile">
    <a class="tile-name" href="${addresses.table(table.name)}"
      >${icon(table.kind === 'view' ? 'view' : 'table')} ${title}</a
    >
    <span class="muted">${rows === undefined ? table.kind : formatCount(rows)}</span>
    ${add}
  </li>`;
}

export function formatCount({ count, isCut }: RowCount): string {
  return isCut ? `more than ${count.toLocaleString('en')} rows` : countOf(count, 'row', 'rows');
}
