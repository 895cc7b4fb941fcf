// Columns of an upload, as Seafowl's clients send them: the schema of arrow-rs as JSON.

import { z } from 'zod';

import { LakeError } from '../engine/errors.ts';
import type { ExternalColumn } from './external-table.ts';

const Field = z.looseObject({ name: z.string().min(1), data_type: z.unknown() });
const Schema = z.looseObject({ fields: z.array(Field).min(1).max(10_000) });

const SIMPLE: Readonly<Record<string, string>> = {
  Boolean: 'BOOLEAN',
  Int8: 'TINYINT',
  Int16: 'SMALLINT',
  Int32: 'INTEGER',
  Int64: 'BIGINT',
  UInt8: 'UTINYINT',
  UInt16: 'USMALLINT',
  UInt32: 'UINTEGER',
  UInt64: 'UBIGINT',
  Float16: 'FLOAT',
  Float32: 'FLOAT',
  Float64: 'DOUBLE',
  Utf8: 'VARCHAR',
  LargeUtf8: 'VARCHAR',
  Utf8View: 'VARCHAR',
  Binary: 'BLOB',
  LargeBinary: 'BLOB',
  Date32: 'DATE',
  Date64: 'TIMESTAMP',
};

const Timestamp = z.object({
  Timestamp: z.tuple([z.string(), z.string().nullable()]),
});
const Decimal = z.union([
  z.object({ Decimal128: z.tuple([z.int().min(1).max(38), z.int().min(0).max(38)]) }),
  z.object({ Decimal256: z.tuple([z.int().min(1).max(38), z.int().min(0).max(38)]) }),
]);
const Time = z.union([z.object({ Time32: z.string() }), z.object({ Time64: z.string() })]);

/** Throws LAKE_PLAN. */
export function columnsOfArrowSchema(schema: unknown): ExternalColumn[] {
  const parsed = Schema.safeParse(schema);
  if (!parsed.success) {
    throw invalid(parsed.error.issues[0]?.message ?? 'malformed');
  }
  return parsed.data.fields.map(({ name, data_type: type }) => ({ name, type: duckType(type) }));
}

function duckType(type: unknown): string {
  const simple = typeof type === 'string' ? SIMPLE[type] : undefined;
  if (simple !== undefined) return simple;
  const timestamp = Timestamp.safeParse(type);
  if (timestamp.success) {
    return timestamp.data.Timestamp[1] === null ? 'TIMESTAMP' : 'TIMESTAMPTZ';
  }
  const decimal = Decimal.safeParse(type);
  if (decimal.success) {
    const [digits, scale] = Object.values(decimal.data)[0]!;
    return `DECIMAL(${digits}, ${scale})`;
  }
  if (Time.safeParse(type).success) return 'TIME';
  throw invalid(`unknown type ${JSON.stringify(type)}`);
}

function invalid(why: string): LakeError {
  return new LakeError('plan', 'LAKE_PLAN', `Error parsing the file schema: ${why}`);
}
