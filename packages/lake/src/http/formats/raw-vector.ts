// A column of a chunk as DuckDB has it in memory: bytes, and bits that say which rows are NULL.
//
// The values of @duckdb/node-api are objects, one a cell; formats that write millions of cells read
// the memory itself. Layouts are those of DuckDB's C API ("Vectors"):
// https://duckdb.org/docs/stable/clients/c/vector
// The memory belongs to the chunk: it is read before the next chunk is fetched, and never kept.

import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';

export interface RawVector {
  readonly type: DuckDBType;
  readonly count: number;
  readonly vector: duckdb.Vector;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** A bit a row, least significant first, 1 for a value; undefined: there is no NULL. */
  readonly validity: Uint8Array | undefined;
}

type Parent = Pick<RawVector, 'vector' | 'count'>;

/** Bytes a row takes; 0 for types whose rows are in their children. */
const ROW_BYTES: Partial<Record<DuckDBTypeId, number>> = {
  [DuckDBTypeId.BOOLEAN]: 1,
  [DuckDBTypeId.TINYINT]: 1,
  [DuckDBTypeId.UTINYINT]: 1,
  [DuckDBTypeId.SMALLINT]: 2,
  [DuckDBTypeId.USMALLINT]: 2,
  [DuckDBTypeId.INTEGER]: 4,
  [DuckDBTypeId.UINTEGER]: 4,
  [DuckDBTypeId.FLOAT]: 4,
  [DuckDBTypeId.DATE]: 4,
  [DuckDBTypeId.BIGINT]: 8,
  [DuckDBTypeId.UBIGINT]: 8,
  [DuckDBTypeId.DOUBLE]: 8,
  [DuckDBTypeId.TIME]: 8,
  [DuckDBTypeId.TIME_NS]: 8,
  [DuckDBTypeId.TIMESTAMP]: 8,
  [DuckDBTypeId.TIMESTAMP_S]: 8,
  [DuckDBTypeId.TIMESTAMP_MS]: 8,
  [DuckDBTypeId.TIMESTAMP_NS]: 8,
  [DuckDBTypeId.TIMESTAMP_TZ]: 8,
  [DuckDBTypeId.HUGEINT]: 16,
  [DuckDBTypeId.UHUGEINT]: 16,
  [DuckDBTypeId.UUID]: 16,
  [DuckDBTypeId.INTERVAL]: 16,
  [DuckDBTypeId.VARCHAR]: 16,
  [DuckDBTypeId.BLOB]: 16,
  [DuckDBTypeId.LIST]: 16,
  [DuckDBTypeId.MAP]: 16,
};

/** Strings of so many bytes stand in the vector itself, longer ones elsewhere. */
const INLINE_BYTES_MAX = 12;

export function rowBytesOf(type: DuckDBType): number {
  if (type.typeId !== DuckDBTypeId.DECIMAL) return ROW_BYTES[type.typeId] ?? 0;
  const { width } = type;
  return width <= 4 ? 2 : width <= 9 ? 4 : width <= 18 ? 8 : 16;
}

export function columnOf(chunk: duckdb.DataChunk, index: number, type: DuckDBType): RawVector {
  const count = duckdb.data_chunk_get_size(chunk);
  return rawVector(duckdb.data_chunk_get_vector(chunk, index), type, count);
}

export function rawVector(vector: duckdb.Vector, type: DuckDBType, count: number): RawVector {
  const size = rowBytesOf(type) * count;
  const bytes = size === 0 ? new Uint8Array(0) : duckdb.vector_get_data(vector, size);
  // DuckDB keeps the bits in words of 64.
  const validityBytes = Math.ceil(count / 64) * 8;
  // The declaration forgets that it is null where there is no NULL.
  const validity = duckdb.vector_get_validity(vector, validityBytes) as Uint8Array | null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { type, count, vector, bytes, view, validity: validity ?? undefined };
}

export function isValid(validity: Uint8Array | undefined, row: number): boolean {
  return validity === undefined || ((validity[row >> 3]! >> (row & 7)) & 1) === 1;
}

/** The bytes of a string or blob; a view of DuckDB's memory. */
export function stringBytesOf({ bytes, view }: RawVector, row: number): Uint8Array {
  const at = row * 16;
  const length = view.getUint32(at, true);
  if (length <= INLINE_BYTES_MAX) return bytes.subarray(at + 4, at + 4 + length);
  const { buffer, byteOffset } = bytes;
  return duckdb.get_data_from_pointer(buffer as ArrayBuffer, byteOffset + at + 8, length);
}

/** Where the elements of a list of this row begin in its child, and how many there are. */
export function listEntryOf({ view }: RawVector, row: number): readonly [number, number] {
  const [offset, length] = [
    view.getBigUint64(row * 16, true),
    view.getBigUint64(row * 16 + 8, true),
  ];
  return [Number(offset), Number(length)];
}

export function listChildOf({ vector }: RawVector, type: DuckDBType): RawVector {
  const child = duckdb.list_vector_get_child(vector);
  return rawVector(child, type, duckdb.list_vector_get_size(vector));
}

export function arrayChildOf(
  { vector, count }: RawVector,
  type: DuckDBType,
  length: number,
): RawVector {
  return rawVector(duckdb.array_vector_get_child(vector), type, count * length);
}

export function structChildOf(
  { vector, count }: Parent,
  index: number,
  type: DuckDBType,
): RawVector {
  return rawVector(duckdb.struct_vector_get_child(vector, index), type, count);
}

/**
 * A map is a list of structs of key and value: these structs, which have no memory of their own.
 */
export function mapEntriesOf({ vector }: RawVector): Parent {
  const entries = duckdb.list_vector_get_child(vector);
  return { vector: entries, count: duckdb.list_vector_get_size(vector) };
}

/** A signed integer of 64 bits as a number, where it is exact; else as a bigint. */
export function int64At(view: DataView, at: number): number | bigint {
  const high = view.getInt32(at + 4, true);
  // Up to 2^53 in size a number is exact.
  if (high >= -0x20_0000 && high < 0x20_0000)
    return high * 0x1_0000_0000 + view.getUint32(at, true);
  return view.getBigInt64(at, true);
}

/** An integer of 128 bits, of a HUGEINT or a wide DECIMAL. */
export function int128At(view: DataView, at: number): bigint {
  return (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true);
}
