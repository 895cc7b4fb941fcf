// Parameters of a request, which came as JSON, as values of DuckDB. Whole numbers are BIGINT: as
// DOUBLE they could not be a LIMIT, and large ones would not be what they were.

import {
  type DuckDBPreparedStatement,
  type DuckDBValue,
  listValue,
  structValue,
} from '@duckdb/node-api';

import { LakeError } from './errors.ts';
import type { ExecuteOptions } from './ports.ts';

export function bindParameters(
  statement: DuckDBPreparedStatement,
  parameters: ExecuteOptions['parameters'],
): void {
  if (statement.parameterCount === 0) return;
  if (parameters === undefined) {
    throw new LakeError('plan', 'LAKE_PLAN', 'The statement has parameters, the request gave none');
  }
  statement.bind(toValues(parameters));
}

/** As `bind` and `run` take them. */
export function toValues(
  parameters: NonNullable<ExecuteOptions['parameters']>,
): DuckDBValue[] | Record<string, DuckDBValue> {
  if (isList(parameters)) return parameters.map(toValue);
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, toValue(value)]),
  );
}

function isList(
  parameters: NonNullable<ExecuteOptions['parameters']>,
): parameters is readonly unknown[] {
  return Array.isArray(parameters);
}

function toValue(value: unknown): DuckDBValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object') return value as DuckDBValue;
  if (Array.isArray(value)) return listValue(value.map(toValue));
  // What is DuckDB's own already has a class.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value as DuckDBValue;
  return structValue(
    Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toValue(field)])),
  );
}
