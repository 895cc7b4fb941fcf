// Values on their way out of SQLite and into it again, without loss: a cell says which type SQLite
// stored, whatever the column declares. Long texts come shortened, blobs as their size.
//
// Integers come as text, because a driver would round those beyond 53 bits.

import type { SqlRow, SqlValue } from './handle.ts';
import { quoteName } from './quote.ts';

export type Cell =
  | { readonly kind: 'null' }
  | { readonly kind: 'integer'; readonly text: string }
  | { readonly kind: 'real'; readonly text: string }
  /** `sizeBytes` is of the whole text, `text` may be its beginning. */
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly isCut: boolean;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'blob'; readonly sizeBytes: number };

const NULL_CELL: Cell = { kind: 'null' };

/**
 * What to select for a cell; it comes in three columns named after `alias`. `textMax`: how many
 * characters are wanted of a text.
 */
export function cellSql(expression: string, alias: string, textMax: number): string {
  return `typeof(${expression}) AS ${alias}t,
    CASE typeof(${expression})
      WHEN 'integer' THEN CAST(${expression} AS TEXT)
      WHEN 'text' THEN substr(${expression}, 1, ${textMax})
      WHEN 'real' THEN ${expression}
    END AS ${alias}v,
    CASE WHEN typeof(${expression}) IN ('text', 'blob') THEN octet_length(${expression}) END
      AS ${alias}s`;
}

/** The cells of columns, as c0, c1, … */
export function cellsSql(columns: readonly string[], textMax: number): string {
  return columns.map((name, i) => cellSql(quoteName(name), `c${i}`, textMax)).join(',\n');
}

export function readCell(row: SqlRow, alias: string): Cell {
  const value = row[`${alias}v`];
  const sizeBytes = Number(row[`${alias}s`] ?? 0);
  switch (row[`${alias}t`]) {
    case 'integer':
      return { kind: 'integer', text: String(value) };
    case 'real':
      return { kind: 'real', text: formatReal(value as number) };
    case 'text': {
      const text = String(value);
      return { kind: 'text', text, isCut: Buffer.byteLength(text) < sizeBytes, sizeBytes };
    }
    case 'blob':
      return { kind: 'blob', sizeBytes };
    default:
      return NULL_CELL;
  }
}

export function readCells(row: SqlRow, columns: readonly string[]): ReadonlyMap<string, Cell> {
  return new Map(columns.map((name, i) => [name, readCell(row, `c${i}`)]));
}

/** The shortest text that is this number, and looks like one with a fraction, as in SQLite. */
function formatReal(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999';
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** What to bind for a cell that is not shortened; blobs have no value here. */
export function bindable(cell: Cell): SqlValue {
  switch (cell.kind) {
    case 'integer':
      return BigInt(cell.text);
    case 'real':
      return Number(cell.text);
    case 'text':
      return cell.text;
    case 'null':
    case 'blob':
      return null;
  }
}

/** The text of a cell as people read it; empty for NULL. */
export function cellText(cell: Cell): string {
  switch (cell.kind) {
    case 'null':
      return '';
    case 'blob':
      return formatSize(cell.sizeBytes);
    case 'integer':
    case 'real':
    case 'text':
      return cell.text;
  }
}

export function formatSize(sizeBytes: number): string {
  if (sizeBytes < 1024) return sizeBytes === 1 ? '1 byte' : `${sizeBytes} bytes`;
  const kib = sizeBytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
