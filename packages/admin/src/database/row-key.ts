// The name of a row in addresses and in the history: the values of its identity, each with its
// type, in letters that mean nothing in a path.
//
//   42            an integer          t-abc    a text of letters, digits, "_" and "-"
//   r1.5          a real              u-w6Q    any other text, base64url
//   x-00ff        a blob              @42      a rowid
//
// Several values are joined by a comma. Parsing is strict, so that a row has one name only.

import { type Cell, cellSql, readCell } from './cells.ts';
import type { SqlRow, SqlValue } from './handle.ts';
import { quoteName } from './quote.ts';
import type { RowIdentity } from './schema.ts';

/** Longer ones are of keys that nobody types; addresses have their limits. */
const KEY_LENGTH_MAX = 2000;

const KEY_TEXT_MAX = 1024;

/** What to select to name rows; as k0, k1, … */
export function keySql(identity: RowIdentity): string {
  return identity.names
    .map((name, i) => {
      const quoted = quoteName(name);
      const blob = `CASE WHEN typeof(${quoted}) = 'blob' THEN hex(${quoted}) END AS k${i}h`;
      return `${cellSql(quoted, `k${i}`, KEY_TEXT_MAX)}, ${blob}`;
    })
    .join(',\n');
}

/** The name of a selected row; undefined where a value is too long for one. */
export function readKey(row: SqlRow, identity: RowIdentity): string | undefined {
  const parts = identity.names.map((_, i) => formatPart(readCell(row, `k${i}`), row[`k${i}h`]));
  const key = `${identity.kind === 'rowid' ? '@' : ''}${parts.join(',')}`;
  return parts.includes(undefined) || key.length > KEY_LENGTH_MAX ? undefined : key;
}

function formatPart(cell: Cell, hex: unknown): string | undefined {
  switch (cell.kind) {
    case 'integer':
      return cell.text;
    case 'real':
      return `r${cell.text}`;
    case 'text':
      if (cell.isCut) return undefined;
      return formatText(cell.text);
    case 'blob':
      return `x-${String(hex).toLowerCase()}`;
    case 'null':
      return undefined;
  }
}

function formatText(text: string): string {
  return /^[\w-]+$/.test(text) ? `t-${text}` : `u-${Buffer.from(text).toString('base64url')}`;
}

/** The values that name a row, to be bound; undefined for what is no name of this identity. */
export function parseKey(key: string, identity: RowIdentity): SqlValue[] | undefined {
  if (key.length > KEY_LENGTH_MAX) return undefined;
  const isRowid = key.startsWith('@');
  if (isRowid !== (identity.kind === 'rowid')) return undefined;
  const parts = (isRowid ? key.slice(1) : key).split(',');
  if (parts.length !== identity.names.length) return undefined;
  const values = parts.map(parsePart);
  return values.includes(undefined) ? undefined : (values as SqlValue[]);
}

function parsePart(part: string): SqlValue | undefined {
  if (/^(?:0|-?[1-9]\d{0,18})$/.test(part)) return maybeInteger(part);
  if (/^r-?\d[\d.e+-]*$/.test(part)) {
    const value = Number(part.slice(1));
    return Number.isNaN(value) ? undefined : value;
  }
  if (/^t-[\w-]+$/.test(part)) return part.slice(2);
  if (/^x-(?:[0-9a-f]{2})*$/.test(part)) return Buffer.from(part.slice(2), 'hex');
  if (!/^u-[\w-]*$/.test(part)) return undefined;
  const text = Buffer.from(part.slice(2), 'base64url').toString();
  return formatText(text) === part ? text : undefined;
}

const INTEGER_MAX = 2n ** 63n - 1n;

/** SQLite's integers have 64 bits. */
export function maybeInteger(text: string): bigint | undefined {
  const value = BigInt(text);
  return value > INTEGER_MAX || value < -INTEGER_MAX - 1n ? undefined : value;
}

/** Holds for the row of that name. Its values are bound in the order of `identity.names`. */
export function keyCondition(identity: RowIdentity): string {
  return identity.names.map((name) => `${quoteName(name)} = ?`).join(' AND ');
}
