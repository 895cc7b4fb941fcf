// Types of WASM functions, as DuckDB's and as values that cross to the thread that runs them.
//
// Seafowl's encoding: dates are days, timestamps nanoseconds, since 1970.

import {
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  DuckDBDateValue,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  SMALLINT,
  TIMESTAMP,
  VARCHAR,
} from '@duckdb/node-api';

import type { FunctionTypeName } from '../../sql/function-definition.ts';
import type { PackValue } from './message-pack.ts';

const TYPES: Readonly<Record<FunctionTypeName, DuckDBType>> = {
  i32: INTEGER,
  i64: BIGINT,
  f32: FLOAT,
  f64: DOUBLE,
  smallint: SMALLINT,
  int: INTEGER,
  integer: INTEGER,
  bigint: BIGINT,
  float: FLOAT,
  real: FLOAT,
  double: DOUBLE,
  boolean: BOOLEAN,
  char: VARCHAR,
  varchar: VARCHAR,
  text: VARCHAR,
  date: DATE,
  timestamp: TIMESTAMP,
};

const NUMERIC: ReadonlySet<FunctionTypeName> = new Set([
  'i32',
  'i64',
  'f32',
  'f64',
  'int',
  'integer',
  'bigint',
  'float',
  'real',
  'double',
]);

const NANOS_PER_MICRO = 1000n;
const INT32_MAX = 2 ** 31;
const INT64_MAX = 2n ** 63n;

export function duckType(name: FunctionTypeName): DuckDBType {
  return TYPES[name];
}

/** Whether WASM itself has the type, without an encoding. */
export function isNumeric(name: FunctionTypeName): boolean {
  return NUMERIC.has(name);
}

export function toWasm(value: DuckDBValue): PackValue {
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBTimestampValue) return value.micros * NANOS_PER_MICRO;
  if (value === null || typeof value !== 'object') return value;
  throw new TypeError('The argument has a type that functions cannot take');
}

/** Throws RangeError if the function gave what it did not promise. */
export function fromWasm(value: PackValue, type: FunctionTypeName): DuckDBValue {
  if (value === null) return null;
  const duck = TYPES[type];
  if (duck === VARCHAR) return expectKind(value, 'string', type);
  if (duck === BOOLEAN) return expectKind(value, 'boolean', type);
  if (duck === FLOAT || duck === DOUBLE) return Number(expectNumber(value, type));
  const integer = toInteger(expectNumber(value, type), type);
  if (duck === BIGINT) return integer;
  if (duck === TIMESTAMP) return new DuckDBTimestampValue(integer / NANOS_PER_MICRO);
  const small = Number(integer);
  if (Math.abs(small) > INT32_MAX) throw new RangeError(`${small} is no ${type}`);
  return duck === DATE ? new DuckDBDateValue(small) : small;
}

function expectKind(value: PackValue, kind: 'string' | 'boolean', type: string): DuckDBValue {
  if (typeof value !== kind) throw new RangeError(`The function did not give a ${type}`);
  return value as DuckDBValue;
}

function expectNumber(value: PackValue, type: string): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  throw new RangeError(`The function did not give a ${type}`);
}

function toInteger(value: number | bigint, type: string): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new RangeError(`${value} is no ${type}`);
  }
  const integer = BigInt(value);
  if (integer >= INT64_MAX || integer < -INT64_MAX) throw new RangeError(`${value} is no ${type}`);
  return integer;
}
