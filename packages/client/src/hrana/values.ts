// Values and rows as Hrana 2 writes them in JSON, and as applications have them: integers as
// numbers where those are exact, else as bigint; blobs as Buffer.

import type { SqlValue } from '../database/shape.ts';

export type HranaValue =
  | { readonly type: 'null' }
  | { readonly type: 'integer' | 'text'; readonly value: string }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'blob'; readonly base64: string };

/** Values in their order, or by name. */
export type SqlArguments = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;

export interface HranaStatement {
  readonly sql: string;
  readonly args: readonly HranaValue[];
  readonly named_args: readonly { readonly name: string; readonly value: HranaValue }[];
}

export interface HranaResult {
  readonly cols: readonly { readonly name: string | null }[];
  readonly rows: readonly (readonly HranaValue[])[];
  readonly affected_row_count: number;
  readonly last_insert_rowid: string | null;
}

/** What a statement has done. */
export interface QueryResult {
  readonly columns: readonly string[];
  /** By the names of the columns. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How many rows it has written. */
  readonly changes: number;
  /** Of the last row that it has inserted; undefined for one that only reads. */
  readonly lastInsertRowid: number | bigint | undefined;
}

export function toHranaStatement(sql: string, args: SqlArguments): HranaStatement {
  if (isList(args)) return { sql, args: args.map(toHrana), named_args: [] };
  const named = Object.entries(args).map(([name, value]) => ({ name, value: toHrana(value) }));
  return { sql, args: [], named_args: named };
}

export function isList(args: SqlArguments): args is readonly SqlValue[] {
  return Array.isArray(args);
}

export function fromHranaResult(result: HranaResult): QueryResult {
  const columns = result.cols.map(({ name }) => name ?? '');
  const rows = result.rows.map((row) => {
    return Object.fromEntries(row.map((value, index) => [columns[index]!, fromHrana(value)]));
  });
  const { affected_row_count: changes, last_insert_rowid: rowid } = result;
  return {
    columns,
    rows,
    changes,
    lastInsertRowid: rowid === null ? undefined : toInteger(rowid),
  };
}

/** As better-sqlite3 binds it: a number is a float, whole or not. */
function toHrana(value: SqlValue): HranaValue {
  if (value === null) return { type: 'null' };
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) };
  if (typeof value === 'string') return { type: 'text', value };
  if (typeof value === 'number') return { type: 'float', value };
  return { type: 'blob', base64: Buffer.from(value).toString('base64') };
}

function fromHrana(value: HranaValue): unknown {
  switch (value.type) {
    case 'null':
      return null;
    case 'integer':
      return toInteger(value.value);
    case 'float':
    case 'text':
      return value.value;
    case 'blob':
      return Buffer.from(value.base64, 'base64');
  }
}

function toInteger(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}
