// The question before rows are deleted, with everything that would go with them.

import type { Table } from '../database/schema.ts';
import type { Member } from '../http/site-context.ts';
import { humanName } from '../model/kinds.ts';
import type { Dependent, Dependents } from '../query/dependents.ts';
import { formatCount } from './home-page.ts';
import { countOf, html, type Html, NOTHING } from './html.ts';
import { icon } from './icons.ts';
import { memberPage, pageHead, tableCrumb } from './layout.ts';

export interface DeleteView {
  readonly table: Table;
  readonly rows: readonly { readonly key: string; readonly label: string }[];
  readonly dependents: Dependents;
  /** Why it was refused, where it was tried. */
  readonly problem: string | undefined;
}

export function deletePage(member: Member, view: DeleteView): Html {
  const { table, rows, dependents, problem } = view;
  const { addresses } = member.site;
  const title = `Delete ${countOf(rows.length, 'row', 'rows')}`;
  const isBlocked = dependents.blockers.length > 0;
  return memberPage(member, {
    title,
    table: table.name,
    crumbs: [tableCrumb(member.site, table.name)],
    body: html`${pageHead(title, html`<code>${table.name}</code>`)}
      ${
        problem === undefined
          ? NOTHING
          : html`<p class="notice bad" role="alert">${icon('warning')} ${problem}.</p>`
      }
      <div class="card">
        <ul class="links">
          ${rows.map(
            ({ key, label }) =>
              html`<li><a href="${addresses.row(table.name, key)}">${label}</a></li>`,
          )}
        </ul>
        ${consequences(dependents)} ${isBlocked ? blocked(dependents) : NOTHING}
        <form method="post" action="${addresses.remove(table.name, [])}" class="form-actions">
          <input type="hidden" name="token" value="${member.token}" />
          ${rows.map(({ key }) => html`<input type="hidden" name="key" value="${key}" />`)}
          ${
            isBlocked
              ? NOTHING
              : html`<button type="submit" class="danger">${icon('remove')} Delete</button>`
          }
          <a class="button secondary" href="${addresses.table(table.name)}">Back</a>
        </form>
      </div>`,
  });
}

function consequences({ dependents }: Dependents): Html {
  if (dependents.length === 0) return html`<p class="muted">No other row refers to them.</p>`;
  return html`<h2>What hangs on them</h2>
    ${dependentList(dependents)}`;
}

function dependentList(dependents: readonly Dependent[]): Html {
  return html`<ul>
    ${dependents.map(
      ({ table, columns, action, rows, dependents }) =>
        html`<li>
          <b>${formatCount(rows)}</b> of ${humanName(table.name)}
          <code>${columns.join(', ')}</code> ${effectOf(action)}
          ${dependents.length === 0 ? NOTHING : dependentList(dependents)}
        </li>`,
    )}
  </ul>`;
}

function effectOf(action: Dependent['action']): Html {
  switch (action) {
    case 'CASCADE':
      return html`<span class="badge danger">deleted too</span>`;
    case 'SET NULL':
      return html`<span class="badge">set to NULL</span>`;
    case 'SET DEFAULT':
      return html`<span class="badge">set to the default</span>`;
    case 'RESTRICT':
    case 'NO ACTION':
      return html`<span class="badge warning">not allowed</span>`;
  }
}

function blocked({ blockers }: Dependents): Html {
  const tables = [...new Set(blockers.map(({ table }) => humanName(table.name)))].join(', ');
  return html`<p class="notice warning">
    ${icon('warning')} Rows of ${tables} refer to them and have to go first.
  </p>`;
}
