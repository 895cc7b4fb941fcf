// Values of SQL on their way to a client process and back.
//
// As JSON: null, numbers and strings as they are; `{ int }` for integers that a double cannot hold,
// `{ real }` for infinities, `{ hex }` for blobs. As SQL text: literals, for the sqlite3 shell.
// REAL 1.0 and INTEGER 1 are both the number 1 here; ask SQL for typeof() where it matters.

import assert from 'node:assert/strict';

export type SqlValue = null | number | bigint | string | Uint8Array;

export type JsonSqlValue =
  | null
  | number
  | string
  | { readonly int: string }
  | { readonly real: string }
  | { readonly hex: string };

/** Integers that fit are numbers, others bigints: the same value always looks the same. */
export function integerValue(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function encodeSqlValue(value: SqlValue): JsonSqlValue {
  if (typeof value === 'bigint') {
    const integer = integerValue(value);
    return typeof integer === 'bigint' ? { int: String(integer) } : integer;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return { real: String(value) };
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  return value;
}

export function decodeSqlValue(value: JsonSqlValue): SqlValue {
  if (value === null || typeof value !== 'object') return value;
  if ('int' in value) return BigInt(value.int);
  if ('real' in value) return Number(value.real);
  return Uint8Array.from(Buffer.from(value.hex, 'hex'));
}

export function formatSqlLiteral(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  if (typeof value === 'string') return formatSqlText(value);
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  assert(!Number.isNaN(value), 'SQL has no NaN');
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999';
  // A literal without point or exponent would be an integer, or too large for one.
  const digits = String(value);
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

/** The same statement with literals in the place of its `?` parameters. */
export function inlineParameters(sql: string, params: readonly SqlValue[]): string {
  const waiting = [...params];
  // Quoted text, quoted names and comments may hold question marks that are none.
  const pattern = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;
  const inlined = sql.replaceAll(pattern, (found) => {
    if (found !== '?') return found;
    const value = waiting.shift();
    assert(value !== undefined, `Too few parameters for: ${sql}`);
    return formatSqlLiteral(value);
  });
  assert.equal(waiting.length, 0, `Too many parameters for: ${sql}`);
  return inlined;
}

/**
 * Reads what the sqlite3 shell prints in `.mode quote`: literals, comma and newline between them.
 */
export function parseQuotedRows(text: string): SqlValue[][] {
  const rows: SqlValue[][] = [];
  const pattern = /('(?:[^']|'')*'|X'[0-9a-fA-F]*'|[^',\n]+)([,\n])/gy;
  let row: SqlValue[] = [];
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex;
    const [, literal, separator] = pattern.exec(text) ?? [];
    assert(literal !== undefined, `Not a quoted row: ${text.slice(start, start + 80)}`);
    row.push(parseLiteral(literal));
    if (separator === '\n') {
      rows.push(row);
      row = [];
    }
  }
  assert.equal(row.length, 0, 'Rows end with a newline');
  return rows;
}

function parseLiteral(literal: string): SqlValue {
  if (literal === 'NULL') return null;
  if (literal.startsWith("'")) return literal.slice(1, -1).replaceAll("''", "'");
  if (literal.startsWith("X'")) return Uint8Array.from(Buffer.from(literal.slice(2, -1), 'hex'));
  if (/^-?\d+$/.test(literal)) return integerValue(BigInt(literal));
  const special: Record<string, number> = { Inf: Infinity, '-Inf': -Infinity };
  return special[literal] ?? Number(literal);
}

function formatSqlText(text: string): string {
  const quote = (part: string): string => `'${part.replaceAll("'", "''")}'`;
  // The shell ends a line at a zero byte.
  return text.includes('\0') ? `(${text.split('\0').map(quote).join('||char(0)||')})` : quote(text);
}
