// The form of a row: a new one, or one that is there, with what belongs to it beside.

import { type Cell, formatSize } from '../database/cells.ts';
import type { Table } from '../database/schema.ts';
import type { Member } from '../http/site-context.ts';
import { describeColumn } from '../model/fields.ts';
import { humanName } from '../model/kinds.ts';
import type { RowCount } from '../query/list-rows.ts';
import type { LogEntry } from '../store/history.ts';
import { fieldControl, type FieldView } from './field-control.ts';
import { historyList } from './history-page.ts';
import { formatCount } from './home-page.ts';
import { html, type Html, NOTHING } from './html.ts';
import { icon } from './icons.ts';
import { memberPage, pageHead, tableCrumb } from './layout.ts';
import { showCell } from './values.ts';

export interface Relation {
  readonly text: string;
  readonly href: string;
  readonly rows: RowCount;
}

/** A value that somebody else has changed since the form was made. */
export interface Conflict {
  readonly column: string;
  readonly now: Cell;
  readonly wanted: string | undefined;
}

export interface RowView {
  readonly table: Table;
  /** Undefined for a new row. */
  readonly key: string | undefined;
  readonly title: string;
  readonly fields: readonly FieldView[];
  /** Of the values that the form was made of. */
  readonly digests: readonly string[];
  /** Of the row as a whole. */
  readonly problem: string | undefined;
  readonly conflicts: readonly Conflict[];
  readonly relations: readonly Relation[];
  readonly entries: readonly LogEntry[];
  readonly isWritable: boolean;
}

export function rowPage(member: Member, view: RowView): Html {
  const { table, key, title, relations, entries } = view;
  const { addresses } = member.site;
  const actions =
    key === undefined
      ? NOTHING
      : html`<a class="button secondary" href="${addresses.rowHistory(table.name, key)}"
          >${icon('history')} History</a
        >`;
  const hasAside = relations.length > 0 || entries.length > 0;
  return memberPage(member, {
    title,
    table: table.name,
    crumbs: [tableCrumb(member.site, table.name)],
    body: html`${pageHead(title, html`<code>${table.name}</code>`, actions)}
      <div class="${hasAside ? 'with-aside' : ''}">
        <div>${view.isWritable ? rowForm(member, view) : rowFacts(view)}</div>
        ${hasAside ? aside(member, view) : NOTHING}
      </div>`,
  });
}

function rowForm(member: Member, view: RowView): Html {
  const { table, key, fields, digests } = view;
  const { addresses } = member.site;
  const action = key === undefined ? addresses.add(table.name) : addresses.row(table.name, key);
  const hasFile = fields.some(({ field }) => field.control === 'file');
  return html`${problemsOf(view)} ${conflictsOf(view)}
    <form
      method="post"
      action="${action}"
      class="card row-form"
      ${hasFile ? html`enctype="multipart/form-data"` : NOTHING}
      novalidate
      data-dirty
    >
      <input type="hidden" name="token" value="${member.token}" />
      <input type="hidden" name="seen" value="${digests.join(',')}" />
      ${fields.map((field, i) => fieldRow(member, view, { field, i }))}
      <div class="form-actions">
        <button type="submit" name="afterwards" value="list">Save</button>
        <button type="submit" name="afterwards" value="stay" class="secondary">
          Save and continue
        </button>
        ${
          key === undefined
            ? html`<button type="submit" name="afterwards" value="add" class="secondary">
                Save and add another
              </button>`
            : html`<a class="button secondary danger" href="${addresses.remove(table.name, [key])}"
                >${icon('remove')} Delete</a
              >`
        }
      </div>
    </form>`;
}

function problemsOf({ problem, fields }: RowView): Html {
  const wrong = fields.filter((field) => field.problem !== undefined);
  if (problem === undefined && wrong.length === 0) return NOTHING;
  return html`<div class="notice bad" role="alert" tabindex="-1" autofocus>
    <p>${icon('warning')} ${problem ?? 'The row was not saved'}.</p>
    ${
      wrong.length === 0
        ? NOTHING
        : html`<ul>
            ${wrong.map(
              ({ field, problem }) =>
                html`<li>
                  <a href="#${fieldId(fields.findIndex((one) => one.field === field))}"
                    >${humanName(field.column.name)}</a
                  >: ${problem}
                </li>`,
            )}
          </ul>`
    }
  </div>`;
}

function conflictsOf({ conflicts, table }: RowView): Html {
  if (conflicts.length === 0) return NOTHING;
  const columnOf = (name: string): Table['columns'][number] =>
    table.columns.find((column) => column.name === name)!;
  return html`<section class="card conflict" aria-labelledby="conflict-title">
    <h2 id="conflict-title">What somebody else has changed</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">In the database now</th>
            <th scope="col">In your form</th>
          </tr>
        </thead>
        <tbody>
          ${conflicts.map(
            ({ column, now, wanted }) =>
              html`<tr>
                <th scope="row">${humanName(column)}</th>
                <td>${showCell(now, columnOf(column))}</td>
                <td>${wanted ?? html`<span class="nothing">not changed</span>`}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="muted">
      The form below has your values. Save again to write them over those of the database.
    </p>
  </section>`;
}

function fieldId(i: number): string {
  return `f-${i}`;
}

function fieldRow(
  member: Member,
  { table, key }: RowView,
  { field: view, i }: { readonly field: FieldView; readonly i: number },
): Html {
  const { field, problem } = view;
  const id = fieldId(i);
  const isRequired =
    field.emptyMeanings.length === 0 && !['fixed', 'checkbox', 'file'].includes(field.control);
  const download =
    key === undefined || view.cell === undefined || !isDownload(view)
      ? NOTHING
      : html`<a href="${member.site.addresses.value(table.name, key, field.column.name)}"
          >${icon('download')} Download ${sizeOf(view.cell)}</a
        >`;
  const name = html`${humanName(field.column.name)}
  ${isRequired ? html`<span class="required" title="May not be empty">*</span>` : NOTHING}`;
  const label =
    field.control === 'fixed'
      ? html`<span class="label" id="${id}">${name}</span>`
      : html`<label for="${id}">${name}</label>`;
  return html`<div class="field">
    <div class="field-head">${label} <code>${describeColumn(field.column)}</code></div>
    ${fieldControl(member, view, id)} ${download}
    ${problem === undefined ? NOTHING : html`<p class="problem" id="${id}-problem">${problem}</p>`}
  </div>`;
}

function isDownload({ field, cell }: FieldView): boolean {
  return cell?.kind === 'blob' || (field.control === 'fixed' && cell?.kind === 'text');
}

function sizeOf(cell: Cell): string {
  return 'sizeBytes' in cell ? formatSize(cell.sizeBytes) : '';
}

/** A row that cannot be changed here. */
function rowFacts({ fields }: RowView): Html {
  return html`<dl class="card facts">
    ${fields.map(
      ({ field, cell }) =>
        html`<div>
          <dt>${humanName(field.column.name)}</dt>
          <dd>${cell === undefined ? NOTHING : showCell(cell, field.column)}</dd>
        </div>`,
    )}
  </dl>`;
}

function aside(member: Member, { relations, entries, table, key }: RowView): Html {
  return html`<aside>
    ${
      relations.length === 0
        ? NOTHING
        : html`<section aria-labelledby="related-title">
            <h2 id="related-title">Refers to this row</h2>
            <ul class="links">
              ${relations.map(
                ({ text, href, rows }) =>
                  html`<li>
                    <a href="${href}">${text}</a> <span class="muted">${formatCount(rows)}</span>
                  </li>`,
              )}
            </ul>
          </section>`
    }
    ${
      entries.length === 0 || key === undefined
        ? NOTHING
        : html`<section aria-labelledby="changes-title">
            <h2 id="changes-title">Last changes</h2>
            ${historyList(member, entries)}
            <p><a href="${member.site.addresses.rowHistory(table.name, key)}">All changes</a></p>
          </section>`
    }
  </aside>`;
}
