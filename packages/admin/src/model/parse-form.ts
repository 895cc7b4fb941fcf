// What a form says, as values to write. A field that says what the row has already is left alone,
// so that a value of an unusual type stays as it is.

import type { Cell } from '../database/cells.ts';
import type { SqlValue } from '../database/handle.ts';
import { maybeInteger } from '../database/row-key.ts';
import type { EmptyMeaning, Field } from './fields.ts';

/** Fields of a form by name; a name that comes twice counts once. */
export type Form = ReadonlyMap<string, string | Uint8Array>;

export const VALUE_PREFIX = 'v.';
export const EMPTY_PREFIX = 'empty.';
export const CLEAR_PREFIX = 'clear.';

export type ParsedField =
  /** Left as it is, or to its default. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'set'; readonly value: SqlValue }
  | { readonly kind: 'wrong'; readonly problem: string };

const KEEP: ParsedField = { kind: 'keep' };

/** `cell`: what the row has; undefined for a new row. */
export function parseField(field: Field, form: Form, cell: Cell | undefined): ParsedField {
  const { column } = field;
  if (field.control === 'fixed') return KEEP;
  if (field.control === 'file') return parseFile(field, form, cell);
  const typed = form.get(VALUE_PREFIX + column.name);
  if (field.control === 'checkbox') {
    return parseText(field, typed === undefined ? '0' : '1', cell);
  }
  // A form that does not have the field says nothing about it.
  if (typeof typed !== 'string') return cell === undefined ? parseEmpty(field, form, cell) : KEEP;
  const text = normalizeLines(typed);
  return text === '' ? parseEmpty(field, form, cell) : parseText(field, text, cell);
}

function parseFile(field: Field, form: Form, cell: Cell | undefined): ParsedField {
  const { name, isNotNull } = field.column;
  const file = form.get(VALUE_PREFIX + name);
  if (file instanceof Uint8Array && file.length > 0) return { kind: 'set', value: file };
  if (form.get(CLEAR_PREFIX + name) === '1') {
    return { kind: 'set', value: isNotNull ? new Uint8Array(0) : null };
  }
  const isMissing = cell === undefined && field.emptyMeanings.length === 0;
  // A new row without a file has the only blob that is nothing.
  return isMissing ? { kind: 'set', value: new Uint8Array(0) } : KEEP;
}

function parseEmpty(field: Field, form: Form, cell: Cell | undefined): ParsedField {
  const { emptyMeanings, column } = field;
  const chosen = form.get(EMPTY_PREFIX + column.name) as EmptyMeaning | undefined;
  const meaning =
    chosen !== undefined && emptyMeanings.includes(chosen) ? chosen : emptyMeanings[0];
  if (meaning === undefined) return wrong('This may not be empty');
  switch (meaning) {
    case 'default':
      return KEEP;
    case 'null':
      return cell?.kind === 'null' ? KEEP : { kind: 'set', value: null };
    case 'text':
      return cell?.kind === 'text' && cell.text === '' ? KEEP : { kind: 'set', value: '' };
  }
}

function parseText(field: Field, text: string, cell: Cell | undefined): ParsedField {
  if (cell !== undefined && 'text' in cell && normalizeLines(cell.text) === text) return KEEP;
  switch (field.kind) {
    case 'integer':
    case 'epoch':
    case 'boolean':
      return parseInteger(text);
    case 'real':
    case 'number':
      return parseNumber(field, text);
    case 'date':
    case 'datetime':
      return parseMoment(field, text);
    case 'json':
      return isJson(text) ? { kind: 'set', value: text } : wrong('This is no JSON');
    case 'any':
      return { kind: 'set', value: untyped(text, cell) };
    case 'line':
    case 'text':
    case 'blob':
      return { kind: 'set', value: text };
  }
}

function parseInteger(text: string): ParsedField {
  if (!/^[+-]?\d{1,30}$/.test(text.trim())) return wrong('This is no whole number');
  const value = maybeInteger(text.trim());
  return value === undefined ? wrong('The number is too large') : { kind: 'set', value };
}

/** Decimals keep their digits as far as SQLite can: it converts them itself. */
function parseNumber({ kind, column }: Field, text: string): ParsedField {
  const trimmed = text.trim();
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed)) return wrong('This is no number');
  const isText = kind === 'number' || column.affinity === 'NUMERIC';
  return { kind: 'set', value: isText ? trimmed : Number(trimmed) };
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATETIME =
  /^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?Z| ?[+-]\d{2}:?\d{2})?)?$/;

/** A calendar day, with or without a time; or a number, in a column that is not of texts. */
function parseMoment({ kind, column }: Field, text: string): ParsedField {
  const trimmed = text.trim();
  if (column.affinity !== 'TEXT' && /^-?\d+$/.test(trimmed)) return parseInteger(trimmed);
  const day = kind === 'date' ? DATE.exec(trimmed)?.[0] : DATETIME.exec(trimmed)?.[1];
  if (day !== undefined && isDay(day)) return { kind: 'set', value: trimmed };
  const example = kind === 'date' ? '2026-01-31' : '2026-01-31 12:30:00';
  return wrong(`This is no ${kind === 'date' ? 'date' : 'moment'} as ${example}`);
}

/** The 30th of February is none. */
function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A column without a type keeps that of the row; in a new row what looks like a number is one. */
function untyped(text: string, cell: Cell | undefined): SqlValue {
  if (cell?.kind === 'text') return text;
  if (/^-?\d{1,19}$/.test(text)) return maybeInteger(text) ?? text;
  return /^-?\d+\.\d+$/.test(text) ? Number(text) : text;
}

/** Browsers send CRLF for each end of a line. */
export function normalizeLines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

function wrong(problem: string): ParsedField {
  return { kind: 'wrong', problem };
}
