// DuckDB's vectors as Arrow's arrays: buffers are copied where both lay values out alike, which is
// so for numbers and times; bits, texts, decimals and lists are put together anew.

import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  makeData,
  Null,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from 'apache-arrow';

import { unscaledReader, uuidAt } from './json-values.ts';
import {
  arrayChildOf,
  isValid,
  listChildOf,
  listEntryOf,
  type RawVector,
  rowBytesOf,
  stringBytesOf,
  structChildOf,
} from './raw-vector.ts';
import { plainText } from './value-text.ts';

export function arrowField(name: string, type: DuckDBType): Field {
  return new Field(name, arrowType(type), true);
}

/** Types whose values both keep in the same bytes. */
const FIXED: Partial<Record<DuckDBTypeId, () => DataType>> = {
  [DuckDBTypeId.TINYINT]: () => new Int8(),
  [DuckDBTypeId.SMALLINT]: () => new Int16(),
  [DuckDBTypeId.INTEGER]: () => new Int32(),
  [DuckDBTypeId.BIGINT]: () => new Int64(),
  [DuckDBTypeId.UTINYINT]: () => new Uint8(),
  [DuckDBTypeId.USMALLINT]: () => new Uint16(),
  [DuckDBTypeId.UINTEGER]: () => new Uint32(),
  [DuckDBTypeId.UBIGINT]: () => new Uint64(),
  [DuckDBTypeId.FLOAT]: () => new Float32(),
  [DuckDBTypeId.DOUBLE]: () => new Float64(),
  [DuckDBTypeId.DATE]: () => new DateDay(),
  [DuckDBTypeId.TIME]: () => new TimeMicrosecond(),
  [DuckDBTypeId.TIMESTAMP]: () => new TimestampMicrosecond(),
  [DuckDBTypeId.TIMESTAMP_S]: () => new TimestampSecond(),
  [DuckDBTypeId.TIMESTAMP_MS]: () => new TimestampMillisecond(),
  [DuckDBTypeId.TIMESTAMP_NS]: () => new TimestampNanosecond(),
  [DuckDBTypeId.TIMESTAMP_TZ]: () => new TimestampMicrosecond('UTC'),
};

/** The same types as arrow-types.ts names. */
function arrowType(type: DuckDBType): DataType {
  const { typeId } = type;
  const fixed = FIXED[typeId];
  if (fixed !== undefined) return fixed();
  if (typeId === DuckDBTypeId.SQLNULL) return new Null();
  if (typeId === DuckDBTypeId.BOOLEAN) return new Bool();
  if (typeId === DuckDBTypeId.BLOB) return new Binary();
  if (typeId === DuckDBTypeId.HUGEINT) return new Decimal(0, 38, 128);
  if (type.typeId === DuckDBTypeId.DECIMAL) return new Decimal(type.scale, type.width, 128);
  if (type.typeId === DuckDBTypeId.LIST) return new List(arrowField('item', type.valueType));
  if (type.typeId === DuckDBTypeId.ARRAY) {
    return new FixedSizeList(type.length, arrowField('item', type.valueType));
  }
  if (type.typeId === DuckDBTypeId.STRUCT) {
    return new Struct(type.entryNames.map((name, i) => arrowField(name, type.entryTypes[i]!)));
  }
  return new Utf8();
}

/** `rows`: only these, in this order. */
export function arrowData(source: RawVector, rows?: Int32Array): Data {
  const column = rows === undefined ? source : pickRows(source, rows);
  const { type, count } = column;
  const { typeId } = type;
  const arrow = arrowType(type);
  const shared = { length: count, ...nullsOf(column) };
  if (FIXED[typeId] !== undefined) {
    // A view of another array type over a copy: the original is DuckDB's, and may not be aligned.
    const { buffer, byteLength } = column.bytes.slice();
    const { ArrayType } = arrow;
    const data = new ArrayType(buffer, 0, byteLength / ArrayType.BYTES_PER_ELEMENT);
    return makeData({ type: arrow as Int32, ...shared, data });
  }
  if (typeId === DuckDBTypeId.SQLNULL) return makeData({ type: arrow as Null, length: count });
  if (typeId === DuckDBTypeId.BOOLEAN) {
    return makeData({ type: arrow as Bool, ...shared, data: bitsOf(column) });
  }
  if (typeId === DuckDBTypeId.BLOB) {
    const texts = textsOf(column, (row) => stringBytesOf(column, row));
    return makeData({ type: arrow as Binary, ...shared, ...texts });
  }
  if (arrow instanceof Decimal) return decimalData(column, arrow);
  if (type.typeId === DuckDBTypeId.LIST) return listData(column, type.valueType, arrow as List);
  if (type.typeId === DuckDBTypeId.ARRAY) {
    const { length } = type;
    const childRows = rows === undefined ? undefined : itemRows(rows, length);
    const child = arrowData(arrayChildOf(source, type.valueType, length), childRows);
    return makeData({ type: arrow as FixedSizeList, ...shared, child });
  }
  if (type.typeId === DuckDBTypeId.STRUCT) {
    const children = type.entryTypes.map((each, i) =>
      arrowData(structChildOf(source, i, each), rows),
    );
    return makeData({ type: arrow as Struct, ...shared, children });
  }
  const texts = textsOf(column, bytesReader(source, rows));
  return makeData({ type: arrow as Utf8, ...shared, ...texts });
}

interface Nulls {
  readonly nullCount: number;
  readonly nullBitmap?: Uint8Array;
}

function nullsOf({ validity, count }: RawVector): Nulls {
  if (validity === undefined) return { nullCount: 0 };
  let nullCount = 0;
  for (let row = 0; row < count; row++) if (!isValid(validity, row)) nullCount += 1;
  return { nullCount, nullBitmap: validity.slice() };
}

function bitsOf({ bytes, count }: RawVector): Uint8Array {
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (let row = 0; row < count; row++) bits[row >> 3]! |= (bytes[row] === 0 ? 0 : 1) << (row & 7);
  return bits;
}

/** Arrow keeps every decimal in 128 bits, here as four words. */
function decimalData(column: RawVector, type: Decimal): Data {
  const { count, validity, view } = column;
  const data = new Uint32Array(count * 4);
  const unscaled = unscaledReader(type.precision, view);
  for (let row = 0; row < count; row++) {
    if (!isValid(validity, row)) continue;
    const value = BigInt.asUintN(128, BigInt(unscaled(row)));
    for (let i = 0; i < 4; i++)
      data[row * 4 + i] = Number((value >> BigInt(32 * i)) & 0xffff_ffffn);
  }
  return makeData({ type, length: count, ...nullsOf(column), data });
}

interface Texts {
  readonly valueOffsets: Int32Array;
  readonly data: Uint8Array;
}

function textsOf({ count, validity }: RawVector, bytesAt: (row: number) => Uint8Array): Texts {
  const parts: Uint8Array[] = [];
  const valueOffsets = new Int32Array(count + 1);
  for (let row = 0; row < count; row++) {
    const bytes = isValid(validity, row) ? bytesAt(row) : undefined;
    if (bytes !== undefined) parts.push(bytes);
    valueOffsets[row + 1] = valueOffsets[row]! + (bytes?.length ?? 0);
  }
  return { valueOffsets, data: Buffer.concat(parts) };
}

function bytesReader(source: RawVector, rows?: Int32Array): (row: number) => Uint8Array {
  const bytesAt = bytesReaderOf(source);
  return rows === undefined ? bytesAt : (row) => bytesAt(rows[row]!);
}

function bytesReaderOf(source: RawVector): (row: number) => Uint8Array {
  const { typeId } = source.type;
  if (typeId === DuckDBTypeId.VARCHAR) return (row) => stringBytesOf(source, row);
  if (typeId === DuckDBTypeId.UUID) {
    return (row) => Buffer.from(uuidAt(source.view, row * 16));
  }
  const textOf = plainText(source);
  return (row) => Buffer.from(textOf(row));
}

/** Lists of Arrow follow each other; those of DuckDB do not, where rows have been left out. */
function listData(column: RawVector, valueType: DuckDBType, type: List): Data {
  const { count, validity } = column;
  const child = listChildOf(column, valueType);
  const valueOffsets = new Int32Array(count + 1);
  const items: number[] = [];
  for (let row = 0; row < count; row++) {
    const [offset, length] = isValid(validity, row) ? listEntryOf(column, row) : [0, 0];
    for (let i = 0; i < length; i++) items.push(offset + i);
    valueOffsets[row + 1] = items.length;
  }
  const nulls = nullsOf(column);
  const values = arrowData(child, Int32Array.from(items));
  return makeData({ type, length: count, ...nulls, valueOffsets, child: values });
}

/** A vector of some rows of another; texts and lists still lie where they were. */
function pickRows(source: RawVector, rows: Int32Array): RawVector {
  const size = rowBytesOf(source.type);
  const bytes = new Uint8Array(rows.length * size);
  const validity = source.validity && new Uint8Array(Math.ceil(rows.length / 64) * 8);
  rows.forEach((from, to) => {
    bytes.set(source.bytes.subarray(from * size, (from + 1) * size), to * size);
    if (validity !== undefined && isValid(source.validity, from)) {
      validity[to >> 3]! |= 1 << (to & 7);
    }
  });
  return { ...source, count: rows.length, bytes, view: new DataView(bytes.buffer), validity };
}

function itemRows(rows: Int32Array, length: number): Int32Array {
  const items = new Int32Array(rows.length * length);
  rows.forEach((row, i) => {
    for (let j = 0; j < length; j++) items[i * length + j] = row * length + j;
  });
  return items;
}
