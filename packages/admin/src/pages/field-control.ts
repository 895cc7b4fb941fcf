// One field of a form, as a browser asks for it: every box has its label, its help and its problem
// in words that readers of a screen find.

import { type Cell, cellText } from '../database/cells.ts';
import type { Member } from '../http/site-context.ts';
import type { EmptyMeaning, Field } from '../model/fields.ts';
import { humanName } from '../model/kinds.ts';
import { CLEAR_PREFIX, EMPTY_PREFIX, type Form, VALUE_PREFIX } from '../model/parse-form.ts';
import type { Labelled } from '../query/labels.ts';
import { html, type Html, NOTHING } from './html.ts';
import { showCell } from './values.ts';

export interface FieldView {
  readonly field: Field;
  /** What the row has; undefined for a new one. */
  readonly cell: Cell | undefined;
  /** What was typed into a form that comes back. */
  readonly typed: Form | undefined;
  readonly problem: string | undefined;
  /** Rows to refer to; undefined where there are too many. */
  readonly options: readonly Labelled[] | undefined;
  /** What the row is called that is referred to now. */
  readonly label: string | undefined;
}

const MEANINGS: Readonly<Record<EmptyMeaning, string>> = {
  null: 'NULL',
  text: 'the empty text',
  default: 'the default',
};

/** Lines of a box before it grows. */
const ROWS_MAX = 16;

export function fieldControl(member: Member, view: FieldView, id: string): Html {
  const { control } = view.field;
  switch (control) {
    case 'fixed':
      return fixed(view, id);
    case 'file':
      return file(view, id);
    case 'checkbox':
      return checkbox(view, id);
    case 'select':
      return select(view, id, choicesOf(view));
    case 'reference':
      return reference(member, view, id);
    case 'textarea':
      return textarea(view, id);
    case 'date':
    case 'line':
      return line(view, id);
  }
}

function described(view: FieldView, id: string): Html {
  if (view.problem !== undefined) return invalid(view, id);
  return hasEmptyHint(view) ? html`aria-describedby="${id}-empty"` : NOTHING;
}

function invalid({ problem }: FieldView, id: string): Html {
  return problem === undefined
    ? NOTHING
    : html`aria-invalid="true" aria-describedby="${id}-problem"`;
}

function textarea(view: FieldView, id: string): Html {
  const text = boxText(view);
  const rows = Math.min(text.split('\n').length, ROWS_MAX);
  // The line break after the tag is not part of the text, and keeps one that is.
  return html`<textarea
      id="${id}"
      name="${VALUE_PREFIX}${view.field.column.name}"
      rows="${rows}"
      spellcheck="false"
      ${described(view, id)}
    >
${text}</textarea
    >${emptyChoice(view, id)}`;
}

function line(view: FieldView, id: string): Html {
  const { kind, column, control } = view.field;
  const isNumber = kind === 'integer' || kind === 'epoch' || kind === 'real' || kind === 'number';
  const mode = isNumber ? html`inputmode="${kind === 'integer' ? 'numeric' : 'decimal'}"` : NOTHING;
  const hint = kind === 'datetime' ? html`placeholder="2026-01-31 12:30:00"` : NOTHING;
  return html`<input
      id="${id}"
      type="${control === 'date' ? 'date' : 'text'}"
      name="${VALUE_PREFIX}${column.name}"
      value="${boxText(view)}"
      autocomplete="off"
      spellcheck="false"
      ${mode}
      ${hint}
      ${described(view, id)}
    />${emptyChoice(view, id)}`;
}

/** The star of a field that may not be empty says so, and that an empty text is one goes unsaid. */
function hasEmptyHint({ field: { emptyMeanings } }: FieldView): boolean {
  return emptyMeanings.length > 1 || (emptyMeanings.length === 1 && emptyMeanings[0] !== 'text');
}

/** What an empty box means: said where there is one meaning, asked where there are several. */
function emptyChoice(view: FieldView, id: string): Html {
  if (!hasEmptyHint(view)) return NOTHING;
  const { field, typed, cell } = view;
  const { emptyMeanings, column } = field;
  const explain = (meaning: EmptyMeaning): string =>
    meaning === 'default' && column.defaultSql !== undefined
      ? `the default: ${column.defaultSql}`
      : meaning === 'default'
        ? 'the next number'
        : MEANINGS[meaning];
  const only = emptyMeanings[0]!;
  if (emptyMeanings.length === 1) {
    return html`<small class="empty" id="${id}-empty">Empty: ${explain(only)}</small>`;
  }
  const now = cell?.kind === 'null' ? 'null' : undefined;
  const chosen = typed?.get(EMPTY_PREFIX + column.name) ?? now ?? only;
  return html`<div class="empty">
    <label for="${id}-empty"
      >Empty<span class="visually-hidden"> ${humanName(column.name)}</span> means</label
    >
    <select id="${id}-empty" name="${EMPTY_PREFIX}${column.name}">
      ${emptyMeanings.map(
        (meaning) =>
          html`<option value="${meaning}" ${meaning === chosen ? 'selected' : ''}>
            ${explain(meaning)}
          </option>`,
      )}
    </select>
  </div>`;
}

interface Choice {
  readonly value: string;
  readonly label: string;
}

function choicesOf({ field }: FieldView): readonly Choice[] {
  if (field.choices.length > 0) {
    return field.choices.map((value) => ({ value, label: value === '' ? '(empty)' : value }));
  }
  return [
    { value: '1', label: 'Yes' },
    { value: '0', label: 'No' },
  ];
}

function select(view: FieldView, id: string, choices: readonly Choice[]): Html {
  const { column, emptyMeanings } = view.field;
  const current = boxText(view);
  const meaning = emptyMeanings.find((meaning) => meaning !== 'text');
  const empty =
    meaning === undefined && choices.some(({ value }) => value === current)
      ? []
      : [{ value: '', label: meaning === undefined ? 'Choose …' : emptyLabel(view, meaning) }];
  return html`<select id="${id}" name="${VALUE_PREFIX}${column.name}" ${invalid(view, id)}>
    ${[...empty, ...choices].map(
      ({ value, label }) =>
        html`<option value="${value}" ${value === current ? 'selected' : ''}>${label}</option>`,
    )}
  </select>`;
}

function emptyLabel({ field }: FieldView, meaning: EmptyMeaning): string {
  return meaning === 'default' ? `Default: ${field.column.defaultSql ?? ''}` : 'NULL';
}

/** One of few rows, or the number of one of many, which a script helps to find. */
function reference(member: Member, view: FieldView, id: string): Html {
  const { column, reference } = view.field;
  const { options, label } = view;
  const { addresses } = member.site;
  const current = boxText(view);
  if (options !== undefined) {
    const isKnown = current === '' || options.some(({ value }) => value === current);
    const choices = options.map(({ value, label }) => ({
      value,
      label: value === label ? value : `${label} (${value})`,
    }));
    return select(view, id, isKnown ? choices : [{ value: current, label: current }, ...choices]);
  }
  const { target, targetColumns } = reference!;
  const targetColumn = targetColumns[0]!;
  return html`<input
      id="${id}"
      type="text"
      name="${VALUE_PREFIX}${column.name}"
      value="${current}"
      autocomplete="off"
      list="${id}-list"
      data-lookup="${addresses.lookup(target)}?column=${encodeURIComponent(targetColumn)}"
      ${described(view, id)}
    />
    <datalist id="${id}-list"></datalist>
    <small
      >${label === undefined ? NOTHING : html`Now: <b>${label}</b>. `}Any value of ${targetColumn}
      in
      <a href="${addresses.table(target)}" target="_blank" rel="noopener"
        >${humanName(target)}<span class="visually-hidden"> (new tab)</span></a
      ></small
    >${emptyChoice(view, id)}`;
}

function checkbox(view: FieldView, id: string): Html {
  const { column } = view.field;
  const { cell, typed } = view;
  const sent = typed?.get(VALUE_PREFIX + column.name);
  const initial = cell === undefined ? column.defaultSql : boxText(view);
  const isOn = typed === undefined ? /^(?:1|true)$/i.test(initial ?? '') : sent !== undefined;
  return html`<input
    id="${id}"
    type="checkbox"
    role="switch"
    name="${VALUE_PREFIX}${column.name}"
    value="1"
    ${isOn ? 'checked' : ''}
    ${invalid(view, id)}
  />`;
}

function file(view: FieldView, id: string): Html {
  const { column } = view.field;
  const { cell } = view;
  const clear =
    cell === undefined || cell.kind === 'null'
      ? NOTHING
      : html`<label class="clear">
          <input type="checkbox" name="${CLEAR_PREFIX}${column.name}" value="1" />
          ${column.isNotNull ? 'Make it empty' : 'Set to NULL'}
        </label>`;
  const now = cell === undefined ? NOTHING : html`<small>Now: ${showCell(cell, column)}</small>`;
  return html`${now}<input
      id="${id}"
      type="file"
      name="${VALUE_PREFIX}${column.name}"
      ${invalid(view, id)}
    />${clear}`;
}

function fixed({ field, cell }: FieldView, id: string): Html {
  const value = cell === undefined ? NOTHING : showCell(cell, field.column);
  return html`<div class="fixed" aria-labelledby="${id}">${value}</div>
    <small>${field.reason}</small>`;
}

/** What stands in a box: what was typed, or what the row has. */
function boxText({ field, typed, cell }: FieldView): string {
  const sent = typed?.get(VALUE_PREFIX + field.column.name);
  if (typeof sent === 'string') return sent;
  return cell === undefined || cell.kind === 'blob' ? '' : cellText(cell);
}
