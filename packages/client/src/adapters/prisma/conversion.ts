// Values between Prisma and SQLite. Prisma says of its arguments what they are; of results SQLite
// says how their columns were declared, and where it does not, the values tell.

import { type ArgType, type ColumnType, ColumnTypeEnum } from '@prisma/driver-adapter-utils';

import type { SqlValue } from '../../database/shape.ts';

/** How columns are declared that Prisma Migrate makes, and that people write. */
const DECLARED: Readonly<Record<string, ColumnType>> = {
  ...named(ColumnTypeEnum.Numeric, 'DECIMAL'),
  ...named(ColumnTypeEnum.Float, 'FLOAT'),
  ...named(ColumnTypeEnum.Double, 'DOUBLE', 'DOUBLE PRECISION', 'NUMERIC', 'REAL'),
  ...named(ColumnTypeEnum.Int32, 'TINYINT', 'SMALLINT', 'MEDIUMINT', 'INT', 'INTEGER', 'INT2'),
  ...named(ColumnTypeEnum.Int64, 'BIGINT', 'UNSIGNED BIG INT', 'INT8'),
  ...named(ColumnTypeEnum.DateTime, 'DATETIME', 'TIMESTAMP'),
  ...named(ColumnTypeEnum.Date, 'DATE'),
  ...named(ColumnTypeEnum.Time, 'TIME'),
  ...named(ColumnTypeEnum.Text, 'TEXT', 'CLOB', 'CHARACTER', 'VARCHAR', 'NCHAR', 'NVARCHAR'),
  ...named(ColumnTypeEnum.Bytes, 'BLOB'),
  ...named(ColumnTypeEnum.Boolean, 'BOOLEAN'),
  ...named(ColumnTypeEnum.Json, 'JSONB'),
};

function named(type: ColumnType, ...names: readonly string[]): Record<string, ColumnType> {
  return Object.fromEntries(names.map((name) => [name, type]));
}

/** What the columns of a result are; `declared` is null for those that are no columns of tables. */
export function columnTypesOf(
  declared: readonly (string | null)[],
  rows: readonly (readonly unknown[])[],
): ColumnType[] {
  return declared.map((name, index) => {
    const known = name === null ? undefined : DECLARED[name.toUpperCase()];
    if (known !== undefined) return known;
    const row = rows.find((each) => each[index] !== null);
    return row === undefined ? ColumnTypeEnum.Int32 : typeOf(row[index]);
  });
}

function typeOf(value: unknown): ColumnType {
  if (typeof value === 'string') return ColumnTypeEnum.Text;
  if (typeof value === 'bigint') return ColumnTypeEnum.Int64;
  if (typeof value === 'number') return ColumnTypeEnum.UnknownNumber;
  return ColumnTypeEnum.Bytes;
}

/** A value of a result, as Prisma takes it: bigint as text where a number does not hold it. */
export function fromSqlite(value: unknown, type: ColumnType): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (type === ColumnTypeEnum.DateTime) return new Date(Number(value)).toISOString();
    const number = Number(value);
    if (typeof value === 'bigint') return Number.isSafeInteger(number) ? number : String(value);
    // Of columns of affinity INTEGER that hold a fraction all the same.
    const isWhole = type === ColumnTypeEnum.Int32 || type === ColumnTypeEnum.Int64;
    return isWhole ? Math.trunc(number) : number;
  }
  return value;
}

/** An argument as SQLite stores it: moments as text of ISO 8601, as Prisma's own adapters do. */
export function toSqlite(value: unknown, { scalarType }: Pick<ArgType, 'scalarType'>): SqlValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return formatDate(value);
  if (typeof value !== 'string') return value as SqlValue;
  const read = TEXT_READERS[scalarType];
  return read === undefined ? value : read(value);
}

/** What Prisma sends as text and is none. */
const TEXT_READERS: Readonly<Partial<Record<ArgType['scalarType'], (text: string) => SqlValue>>> = {
  int: (text) => Number.parseInt(text, 10),
  bigint: BigInt,
  float: Number.parseFloat,
  decimal: Number.parseFloat,
  datetime: (text) => formatDate(new Date(text)),
  bytes: (text) => Buffer.from(text, 'base64'),
};

function formatDate(date: Date): string {
  return date.toISOString().replace('Z', '+00:00');
}
