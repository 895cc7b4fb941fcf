// Which type of Arrow a column has: for the schema in Content-Type, and for Arrow results.
//
// The names are those of arrow-rs' JSON, which Seafowl's clients read. Types that Arrow does not
// have, or that DuckDB keeps in a form of its own, are texts.

import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

import type { ResultColumn } from '../../engine/ports.ts';

export interface ArrowField {
  readonly name: string;
  readonly data_type: unknown;
  readonly nullable: boolean;
  readonly dict_id: 0;
  readonly dict_is_ordered: false;
  readonly metadata: Readonly<Record<string, never>>;
}

const SIMPLE: Partial<Record<DuckDBTypeId, unknown>> = {
  [DuckDBTypeId.SQLNULL]: 'Null',
  [DuckDBTypeId.BOOLEAN]: 'Boolean',
  [DuckDBTypeId.TINYINT]: 'Int8',
  [DuckDBTypeId.SMALLINT]: 'Int16',
  [DuckDBTypeId.INTEGER]: 'Int32',
  [DuckDBTypeId.BIGINT]: 'Int64',
  [DuckDBTypeId.UTINYINT]: 'UInt8',
  [DuckDBTypeId.USMALLINT]: 'UInt16',
  [DuckDBTypeId.UINTEGER]: 'UInt32',
  [DuckDBTypeId.UBIGINT]: 'UInt64',
  [DuckDBTypeId.HUGEINT]: { Decimal128: [38, 0] },
  [DuckDBTypeId.FLOAT]: 'Float32',
  [DuckDBTypeId.DOUBLE]: 'Float64',
  [DuckDBTypeId.DATE]: 'Date32',
  [DuckDBTypeId.TIME]: { Time64: 'Microsecond' },
  [DuckDBTypeId.TIMESTAMP]: { Timestamp: ['Microsecond', null] },
  [DuckDBTypeId.TIMESTAMP_S]: { Timestamp: ['Second', null] },
  [DuckDBTypeId.TIMESTAMP_MS]: { Timestamp: ['Millisecond', null] },
  [DuckDBTypeId.TIMESTAMP_NS]: { Timestamp: ['Nanosecond', null] },
  [DuckDBTypeId.TIMESTAMP_TZ]: { Timestamp: ['Microsecond', 'UTC'] },
  [DuckDBTypeId.BLOB]: 'Binary',
};

export function arrowField(name: string, type: DuckDBType): ArrowField {
  return {
    name,
    data_type: arrowTypeName(type),
    nullable: true,
    dict_id: 0,
    dict_is_ordered: false,
    metadata: {},
  };
}

function arrowTypeName(type: DuckDBType): unknown {
  if (type.typeId === DuckDBTypeId.DECIMAL) return { Decimal128: [type.width, type.scale] };
  if (type.typeId === DuckDBTypeId.LIST) return { List: arrowField('item', type.valueType) };
  if (type.typeId === DuckDBTypeId.ARRAY) {
    return { FixedSizeList: [arrowField('item', type.valueType), type.length] };
  }
  if (type.typeId === DuckDBTypeId.STRUCT) {
    return { Struct: type.entryNames.map((name, i) => arrowField(name, type.entryTypes[i]!)) };
  }
  return SIMPLE[type.typeId] ?? 'Utf8';
}

/**
 * The value of Content-Type's parameter: compact JSON, all but ASCII letters and digits encoded.
 */
export function schemaParameter(columns: readonly ResultColumn[]): string {
  const fields = columns.map(({ name, type }) => arrowField(name, type));
  const json = Buffer.from(JSON.stringify({ fields, metadata: {} }));
  let text = '';
  for (const byte of json) {
    const char = String.fromCharCode(byte);
    const isPlain = /[A-Za-z0-9]/.test(char);
    text += isPlain ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
