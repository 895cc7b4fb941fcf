// What was changed: of a row, a table, or everything.

import type { Member } from '../http/site-context.ts';
import { humanName } from '../model/kinds.ts';
import { keyLabel } from '../query/labels.ts';
import type { LogEntry } from '../store/history.ts';
import { html, type Html, moment, NOTHING } from './html.ts';
import { type Crumb, memberPage, pageHead } from './layout.ts';
import { showLogged } from './values.ts';

export interface HistoryView {
  readonly title: string;
  readonly below: string;
  readonly crumbs: readonly Crumb[];
  readonly table: string | undefined;
  readonly entries: readonly LogEntry[];
  /** Where older entries are. */
  readonly older: string | undefined;
}

const ACTIONS: Readonly<Record<LogEntry['action'], string>> = {
  add: 'Added',
  change: 'Changed',
  delete: 'Deleted',
  user: 'User',
};

export function historyPage(member: Member, view: HistoryView): Html {
  const { title, below, crumbs, table, entries, older } = view;
  const place = table === undefined ? ({ place: 'history' } as const) : {};
  return memberPage(member, {
    title,
    crumbs,
    table,
    ...place,
    body: html`${pageHead(title, below)}
    ${entries.length === 0 ? html`<p class="card muted">Nothing was changed yet.</p>` : NOTHING}
    ${historyList(member, entries)}
    ${
      older === undefined
        ? NOTHING
        : html`<p><a class="button secondary" href="${older}">Older</a></p>`
    }`,
  });
}

export function historyList(member: Member, entries: readonly LogEntry[]): Html {
  return html`<ol class="log">
    ${entries.map((entry) => historyEntry(member, entry))}
  </ol>`;
}

function historyEntry(member: Member, entry: LogEntry): Html {
  const { action, atMs, user, node } = entry;
  return html`<li class="log-${action}">
    <p>
      <span class="badge">${ACTIONS[action]}</span> ${subject(member, entry)}
      <span class="muted">
        ${moment(atMs)} by
        ${user === '' ? 'the command line' : user}${node === '' ? '' : ` on ${node}`}
      </span>
    </p>
    ${changesOf(entry)}
  </li>`;
}

function subject({ site, schema }: Member, { action, table, key, label }: LogEntry): Html {
  if (action === 'user') return html`<b>${label}</b>`;
  const where = html`<span class="muted">${humanName(table)}</span>`;
  if (action === 'delete' || !schema.has(table) || key === '')
    return html`<b>${label}</b> ${where}`;
  return html`<a href="${site.addresses.row(table, key)}"><b>${label}</b></a> ${where}`;
}

function changesOf({ changes, action }: LogEntry): Html {
  if (changes.length === 0) return NOTHING;
  const rows = changes.map(
    ({ column, before, after }) =>
      html`<tr>
        <th scope="row">${column}</th>
        ${action === 'add' ? NOTHING : html`<td class="before">${showLogged(before)}</td>`}
        ${action === 'delete' ? NOTHING : html`<td class="after">${showLogged(after)}</td>`}
      </tr>`,
  );
  return html`<details class="changes">
    <summary>${changes.map(({ column }) => column).join(', ')}</summary>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Column</th>
            ${action === 'add' ? NOTHING : html`<th scope="col">Before</th>`}
            ${action === 'delete' ? NOTHING : html`<th scope="col">After</th>`}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </details>`;
}

/** A name of a row for a heading. */
export function rowTitle(label: string, key: string): string {
  const plain = keyLabel(key);
  return label === plain ? plain : `${label} (${plain})`;
}
