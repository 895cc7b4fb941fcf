// Values as JSON, as Seafowl prints them: integers bare whatever their size, floats with a fraction
// or an exponent, NaN and infinities null, decimals bare with their whole scale, times as ISO 8601,
// blobs in hexadecimal, lists, structs and maps as arrays and objects.

import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

import type { ByteWriter } from './byte-writer.ts';
import {
  arrayChildOf,
  int128At,
  int64At,
  isValid,
  listChildOf,
  listEntryOf,
  mapEntriesOf,
  type RawVector,
  stringBytesOf,
  structChildOf,
} from './raw-vector.ts';
import {
  DATE_INFINITY,
  formatDecimal,
  formatDouble,
  formatFloat,
  MICROSECONDS,
  MILLISECONDS,
  NANOSECONDS,
  plainText,
  SECONDS,
  type TimeUnit,
  TIMESTAMP_INFINITY,
  writeDate,
  writeTime,
  writeTimestamp,
} from './value-text.ts';

/** Writes the value of a row. */
export type ValueWriter = (row: number) => void;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
const COMMA = 0x2c;
const COLON = 0x3a;
const HEX = '0123456789abcdef';
const UUID_TEXT = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** Of one vector; with a NULL where there is one. */
export function jsonWriter(column: RawVector, out: ByteWriter): ValueWriter {
  const write = presentWriter(column, out);
  const { validity } = column;
  if (validity === undefined) return write;
  return (row) => {
    if (isValid(validity, row)) write(row);
    else out.ascii('null');
  };
}

type WriterMaker = (column: RawVector, out: ByteWriter) => ValueWriter;

const MAKERS: Partial<Record<DuckDBTypeId, WriterMaker>> = {
  [DuckDBTypeId.BOOLEAN]: ({ bytes }, out) => {
    return (row) => out.ascii(bytes[row] === 0 ? 'false' : 'true');
  },
  [DuckDBTypeId.TINYINT]:
    ({ view }, out) =>
    (row) =>
      out.integer(view.getInt8(row)),
  [DuckDBTypeId.UTINYINT]:
    ({ view }, out) =>
    (row) =>
      out.integer(view.getUint8(row)),
  [DuckDBTypeId.SMALLINT]:
    ({ view }, out) =>
    (row) =>
      out.integer(view.getInt16(row * 2, true)),
  [DuckDBTypeId.USMALLINT]:
    ({ view }, out) =>
    (row) =>
      out.integer(view.getUint16(row * 2, true)),
  [DuckDBTypeId.INTEGER]:
    ({ view }, out) =>
    (row) =>
      out.integer(view.getInt32(row * 4, true)),
  [DuckDBTypeId.UINTEGER]:
    ({ view }, out) =>
    (row) =>
      out.integer(view.getUint32(row * 4, true)),
  [DuckDBTypeId.BIGINT]:
    ({ view }, out) =>
    (row) =>
      writeInteger(out, int64At(view, row * 8)),
  [DuckDBTypeId.UBIGINT]: ({ view }, out) => {
    return (row) => writeInteger(out, view.getBigUint64(row * 8, true));
  },
  [DuckDBTypeId.HUGEINT]:
    ({ view }, out) =>
    (row) =>
      writeInteger(out, int128At(view, row * 16)),
  [DuckDBTypeId.UHUGEINT]: ({ view }, out) => {
    return (row) => writeInteger(out, BigInt.asUintN(128, int128At(view, row * 16)));
  },
  [DuckDBTypeId.DOUBLE]: ({ view }, out) => {
    return (row) => writeFloat(out, view.getFloat64(row * 8, true), formatDouble);
  },
  [DuckDBTypeId.FLOAT]: ({ view }, out) => {
    return (row) => writeFloat(out, view.getFloat32(row * 4, true), formatFloat);
  },
  [DuckDBTypeId.DATE]:
    ({ view }, out) =>
    (row) =>
      writeDay(out, view.getInt32(row * 4, true)),
  [DuckDBTypeId.TIME]: timeWriter(MICROSECONDS),
  [DuckDBTypeId.TIME_NS]: timeWriter(NANOSECONDS),
  [DuckDBTypeId.TIMESTAMP]: timestampWriter(MICROSECONDS, false),
  [DuckDBTypeId.TIMESTAMP_S]: timestampWriter(SECONDS, false),
  [DuckDBTypeId.TIMESTAMP_MS]: timestampWriter(MILLISECONDS, false),
  [DuckDBTypeId.TIMESTAMP_NS]: timestampWriter(NANOSECONDS, false),
  [DuckDBTypeId.TIMESTAMP_TZ]: timestampWriter(MICROSECONDS, true),
  [DuckDBTypeId.VARCHAR]: (column, out) => (row) => writeString(out, stringBytesOf(column, row)),
  [DuckDBTypeId.BLOB]: (column, out) => (row) => writeHex(out, stringBytesOf(column, row)),
  [DuckDBTypeId.UUID]:
    ({ view }, out) =>
    (row) =>
      out.ascii(`"${uuidAt(view, row * 16)}"`),
};

function presentWriter(column: RawVector, out: ByteWriter): ValueWriter {
  const make = MAKERS[column.type.typeId];
  return make === undefined ? composedWriter(column, out) : make(column, out);
}

/** Types with parameters, and all others as texts. */
function composedWriter(column: RawVector, out: ByteWriter): ValueWriter {
  const { type, view } = column;
  if (type.typeId === DuckDBTypeId.DECIMAL) {
    const unscaled = unscaledReader(type.width, view);
    return (row) => out.ascii(formatDecimal(unscaled(row), type.scale));
  }
  if (type.typeId === DuckDBTypeId.LIST) return listWriter(column, type.valueType, out);
  if (type.typeId === DuckDBTypeId.MAP) return mapWriter(column, type.keyType, type.valueType, out);
  if (type.typeId === DuckDBTypeId.ARRAY) {
    const { length, valueType } = type;
    const write = jsonWriter(arrayChildOf(column, valueType, length), out);
    return (row) => writeItems(out, write, row * length, length);
  }
  if (type.typeId === DuckDBTypeId.STRUCT) {
    const writers = type.entryTypes.map((entryType, index) =>
      jsonWriter(structChildOf(column, index, entryType), out),
    );
    return objectWriter(type.entryNames, writers, out);
  }
  const textOf = plainText(column);
  return (row) => out.text(JSON.stringify(textOf(row)));
}

function timeWriter(unit: TimeUnit): WriterMaker {
  return ({ view }, out) => {
    return (row) => {
      out.byte(QUOTE);
      writeTime(out, int64At(view, row * 8), unit);
      out.byte(QUOTE);
    };
  };
}

function timestampWriter(unit: TimeUnit, isUtc: boolean): WriterMaker {
  return ({ view }, out) => {
    return (row) => {
      const time = int64At(view, row * 8);
      if (time === TIMESTAMP_INFINITY || time === -TIMESTAMP_INFINITY) {
        out.ascii('null');
        return;
      }
      out.byte(QUOTE);
      writeTimestamp(out, time, unit, isUtc);
      out.byte(QUOTE);
    };
  };
}

function listWriter(column: RawVector, valueType: DuckDBType, out: ByteWriter): ValueWriter {
  const write = jsonWriter(listChildOf(column, valueType), out);
  return (row) => {
    const [offset, length] = listEntryOf(column, row);
    writeItems(out, write, offset, length);
  };
}

function writeItems(out: ByteWriter, write: ValueWriter, offset: number, length: number): void {
  out.ascii('[');
  for (let i = 0; i < length; i++) {
    if (i > 0) out.byte(COMMA);
    write(offset + i);
  }
  out.ascii(']');
}

/** An object whose names are always the same; also a row is one. */
export function objectWriter(
  names: readonly string[],
  writers: readonly ValueWriter[],
  out: ByteWriter,
): ValueWriter {
  const prefixes = names.map((name, index) =>
    Buffer.from(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
  );
  if (prefixes.length === 0) return () => out.ascii('{}');
  return (row) => {
    for (let i = 0; i < writers.length; i++) {
      out.copy(prefixes[i]!);
      writers[i]!(row);
    }
    out.ascii('}');
  };
}

/** An object: keys that are no strings become some. */
function mapWriter(
  column: RawVector,
  keyType: DuckDBType,
  valueType: DuckDBType,
  out: ByteWriter,
): ValueWriter {
  const entries = mapEntriesOf(column);
  const keys = structChildOf(entries, 0, keyType);
  const isText = keyType.typeId === DuckDBTypeId.VARCHAR;
  const writeKey = isText ? jsonWriter(keys, out) : undefined;
  const keyText = isText ? undefined : plainText(keys);
  const writeValue = jsonWriter(structChildOf(entries, 1, valueType), out);
  return (row) => {
    const [offset, length] = listEntryOf(column, row);
    out.ascii('{');
    for (let i = offset; i < offset + length; i++) {
      if (i > offset) out.byte(COMMA);
      if (writeKey !== undefined) writeKey(i);
      else out.text(JSON.stringify(keyText!(i)));
      out.byte(COLON);
      writeValue(i);
    }
    out.ascii('}');
  };
}

function writeInteger(out: ByteWriter, value: number | bigint): void {
  if (typeof value === 'number') out.integer(value);
  else out.ascii(String(value));
}

function writeFloat(out: ByteWriter, value: number, format: (value: number) => string): void {
  out.ascii(Number.isFinite(value) ? format(value) : 'null');
}

function writeDay(out: ByteWriter, days: number): void {
  if (Math.abs(days) === DATE_INFINITY) {
    out.ascii('null');
    return;
  }
  out.byte(QUOTE);
  writeDate(out, days);
  out.byte(QUOTE);
}

/** UTF-8 already; what JSON escapes are single bytes of it. */
function writeString(out: ByteWriter, text: Uint8Array): void {
  out.reserve(text.length * 6 + 2);
  const target = out.bytes;
  let at = out.length;
  target[at++] = QUOTE;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    if (byte < BLANK || byte === QUOTE || byte === BACKSLASH) {
      const escaped = JSON.stringify(String.fromCharCode(byte));
      for (let j = 1; j < escaped.length - 1; j++) target[at++] = escaped.charCodeAt(j);
    } else {
      target[at++] = byte;
    }
  }
  target[at++] = QUOTE;
  out.length = at;
}

function writeHex(out: ByteWriter, bytes: Uint8Array): void {
  out.byte(QUOTE);
  for (const byte of bytes) out.ascii(HEX[byte >> 4]! + HEX[byte & 15]!);
  out.byte(QUOTE);
}

/** How a DECIMAL's integer is read, which is as wide as its precision needs. */
export function unscaledReader(width: number, view: DataView): (row: number) => number | bigint {
  if (width <= 4) return (row) => view.getInt16(row * 2, true);
  if (width <= 9) return (row) => view.getInt32(row * 4, true);
  if (width <= 18) return (row) => int64At(view, row * 8);
  return (row) => int128At(view, row * 16);
}

/** DuckDB keeps a UUID as a HUGEINT with the highest bit flipped, so that it sorts. */
export function uuidAt(view: DataView, at: number): string {
  const bits = BigInt.asUintN(128, int128At(view, at)) ^ (1n << 127n);
  return bits.toString(16).padStart(32, '0').replace(UUID_TEXT, '$1-$2-$3-$4-$5');
}
