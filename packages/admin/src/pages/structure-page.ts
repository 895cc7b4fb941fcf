// How a table is made, as SQLite knows it.

import type { Table } from '../database/schema.ts';
import type { Member } from '../http/site-context.ts';
import { humanName } from '../model/kinds.ts';
import { html, type Html, NOTHING } from './html.ts';
import { memberPage, pageHead, tableCrumb } from './layout.ts';

export function structurePage(member: Member, table: Table): Html {
  const words = [
    table.kind,
    ...(table.isStrict ? ['STRICT'] : []),
    ...(table.isWithoutRowid ? ['WITHOUT ROWID'] : []),
  ];
  const below = html`<code>${table.name}</code> · ${words.join(', ')}`;
  return memberPage(member, {
    title: 'Structure',
    table: table.name,
    crumbs: [tableCrumb(member.site, table.name)],
    body: html`${pageHead(humanName(table.name), below)}
      <section class="card" aria-labelledby="columns-title">
        <h2 id="columns-title">Columns</h2>
        ${columnsOf(table)}
      </section>
      ${references(member, table)} ${table.indexes.length === 0 ? NOTHING : indexes(table)}
      <section class="card" aria-labelledby="sql-title">
        <h2 id="sql-title">As it was created</h2>
        <pre tabindex="0"><code>${table.sql}</code></pre>
      </section>`,
  });
}

function columnsOf(table: Table): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Type</th>
          <th scope="col">Empty</th>
          <th scope="col">Default</th>
          <th scope="col">Key</th>
        </tr>
      </thead>
      <tbody>
        ${table.columns.map(
          (column) =>
            html`<tr>
              <th scope="row"><code>${column.name}</code></th>
              <td>${column.declaredType}${column.isGenerated ? ' generated' : ''}</td>
              <td>${column.isNotNull ? 'NOT NULL' : 'NULL'}</td>
              <td>
                ${column.defaultSql === undefined ? '' : html`<code>${column.defaultSql}</code>`}
              </td>
              <td>${column.keyPlace === 0 ? '' : `primary key ${column.keyPlace}`}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function references({ site }: Member, table: Table): Html {
  const link = (name: string): Html =>
    html`<a href="${site.addresses.table(name)}">${humanName(name)}</a>`;
  const out = table.foreignKeys.map(
    ({ columns, target, targetColumns, onDelete }) =>
      html`<li>
        <code>${columns.join(', ')}</code> refers to ${link(target)}
        <code>${targetColumns.join(', ')}</code> <span class="muted">ON DELETE ${onDelete}</span>
      </li>`,
  );
  const back = table.referencedBy.map(
    ({ table: from, columns, onDelete }) =>
      html`<li>
        ${link(from)} <code>${columns.join(', ')}</code> refers to it
        <span class="muted">ON DELETE ${onDelete}</span>
      </li>`,
  );
  if (out.length + back.length === 0) return NOTHING;
  return html`<section class="card" aria-labelledby="references-title">
    <h2 id="references-title">References</h2>
    <ul class="links">
      ${out}${back}
    </ul>
  </section>`;
}

function indexes({ indexes }: Table): Html {
  return html`<section class="card" aria-labelledby="indexes-title">
    <h2 id="indexes-title">Indexes</h2>
    <ul class="links">
      ${indexes.map(
        ({ name, columns, isUnique, isPartial }) =>
          html`<li>
            <code>${name}</code> on ${columns.map((column) => column ?? 'an expression').join(', ')}
            ${isUnique ? html`<span class="badge">unique</span>` : NOTHING}
            ${isPartial ? html`<span class="badge">partial</span>` : NOTHING}
          </li>`,
      )}
    </ul>
  </section>`;
}
