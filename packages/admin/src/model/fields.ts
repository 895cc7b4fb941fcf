// The fields of a form: how each column of a row is asked for, and what an empty box means.
//
// NULL, the empty text and the default of a column look the same in a box. So a text that was typed
// always counts, and for an empty box the field says what it stands for: the only meaning there is,
// or the one that the user chose.

import type { Cell } from '../database/cells.ts';
import { type Column, type ForeignKey, foreignKeyOf, type Table } from '../database/schema.ts';
import { checkedChoices } from './choices.ts';
import { type ColumnKind, kindOf } from './kinds.ts';

export type EmptyMeaning = 'null' | 'text' | 'default';

export type Control =
  | 'line'
  | 'textarea'
  | 'date'
  | 'checkbox'
  /** One of a list. */
  | 'select'
  /** A row of another table. */
  | 'reference'
  | 'file'
  /** Shown, and not changed here. */
  | 'fixed';

export interface Field {
  readonly column: Column;
  readonly kind: ColumnKind;
  readonly control: Control;
  /** Of a select. */
  readonly choices: readonly string[];
  readonly reference: ForeignKey | undefined;
  /** What an empty box can stand for; none: it may not be empty. The first is chosen at first. */
  readonly emptyMeanings: readonly EmptyMeaning[];
  /** Why it is fixed. */
  readonly reason: string | undefined;
}

/** `cell`: the value of a row that is changed; undefined for a new row. */
export function describeField(table: Table, column: Column, cell: Cell | undefined): Field {
  const kind = kindOf(column);
  const reference = foreignKeyOf(table, column.name);
  const reason = whyFixed(column, cell);
  const choices = checkedChoices(table, column.name) ?? [];
  const control =
    reason === undefined ? controlOf({ kind, reference, choices, column }, cell) : 'fixed';
  return {
    column,
    kind,
    control,
    choices,
    reference,
    emptyMeanings: emptyMeanings(column, kind, cell),
    reason,
  };
}

function whyFixed({ isGenerated }: Column, cell: Cell | undefined): string | undefined {
  if (isGenerated) return 'Computed from other columns';
  if (cell?.kind !== 'text') return undefined;
  if (cell.isCut) return 'Too long to be edited here';
  return isFormSafe(cell.text) ? undefined : 'Contains characters that a form would change';
}

/** Whether a browser sends back what it was given: it knows lines, but no NUL and no lone CR. */
function isFormSafe(text: string): boolean {
  return !/\0|\r(?!\n)|\uFFFD/.test(text);
}

type Described = Pick<Field, 'kind' | 'reference' | 'choices' | 'column'>;

function controlOf(
  { kind, reference, choices, column }: Described,
  cell: Cell | undefined,
): Control {
  if (cell?.kind === 'blob' || kind === 'blob') return 'file';
  if (reference !== undefined) return 'reference';
  const text = cell !== undefined && 'text' in cell ? cell.text : '';
  const isNew = cell === undefined || cell.kind === 'null';
  if (choices.length > 0 && (isNew || choices.includes(text))) return 'select';
  if (kind === 'boolean' && (isNew || text === '0' || text === '1')) {
    return column.isNotNull ? 'checkbox' : 'select';
  }
  if (kind === 'date' && (isNew || /^\d{4}-\d{2}-\d{2}$/.test(text))) return 'date';
  if (kind === 'text' || kind === 'json' || kind === 'any') return 'textarea';
  return text.includes('\n') ? 'textarea' : 'line';
}

/** A text may be empty; a number, a date or a document may not. */
function isTextual(column: Column, kind: ColumnKind): boolean {
  return kind === 'line' || kind === 'text' || (kind === 'any' && column.declaredType === '');
}

function emptyMeanings(
  column: Column,
  kind: ColumnKind,
  cell: Cell | undefined,
): readonly EmptyMeaning[] {
  const meanings: EmptyMeaning[] = [];
  const isNew = cell === undefined;
  if (isNew && (column.defaultSql !== undefined || column.isRowid)) meanings.push('default');
  if (!column.isNotNull) meanings.push('null');
  if (isTextual(column, kind) || (cell?.kind === 'text' && cell.text === '')) meanings.push('text');
  const isEmptyNow = cell?.kind === 'text' && cell.text === '';
  return isEmptyNow ? meanings.toReversed() : meanings;
}

/** The types and rules of a column, as SQL says them. */
export function describeColumn(column: Column): string {
  const parts = [column.declaredType === '' ? 'any type' : column.declaredType];
  if (column.keyPlace > 0) parts.push('PRIMARY KEY');
  else if (column.isNotNull) parts.push('NOT NULL');
  if (column.isGenerated) parts.push('GENERATED');
  if (column.defaultSql !== undefined) parts.push(`DEFAULT ${column.defaultSql}`);
  return parts.join(' ');
}
