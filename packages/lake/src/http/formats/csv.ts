// Results as CSV (RFC 4180): a line of names, commas, lines that end with a line feed. NULL is an
// empty field, an empty text is `""`: so that both come back. Lists, structs and maps are JSON.

import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

import { ByteWriter } from './byte-writer.ts';
import { jsonWriter, type ValueWriter } from './json-values.ts';
import { columnOf, isValid, type RawVector, stringBytesOf } from './raw-vector.ts';
import { formatDouble, formatFloat, plainText } from './value-text.ts';
import { NOTHING, type ResultFormat } from './result-format.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_END = 0x0a;
const CARRIAGE_RETURN = 0x0d;

const NESTED: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.LIST,
  DuckDBTypeId.ARRAY,
  DuckDBTypeId.STRUCT,
  DuckDBTypeId.MAP,
]);

export const CSV: ResultFormat = {
  name: 'csv',
  contentType: 'text/csv; charset=utf-8; header=present',
  begin: (columns) => {
    const out = new ByteWriter();
    return {
      head: () => {
        columns.forEach(({ name }, index) => {
          if (index > 0) out.byte(COMMA);
          writeField(out, Buffer.from(name));
        });
        out.byte(LINE_END);
        return out.take();
      },
      rows: (chunk) => {
        const writers = columns.map(({ type }, index) =>
          csvWriter(columnOf(chunk.chunk, index, type), out),
        );
        const { rowCount } = chunk;
        for (let row = 0; row < rowCount; row++) {
          writers.forEach((write, index) => {
            if (index > 0) out.byte(COMMA);
            write(row);
          });
          out.byte(LINE_END);
        }
        return out.take();
      },
      end: () => NOTHING,
      failure: (code, message) => Buffer.from(`# skein_error ${code}: ${oneLine(message)}\n`),
    };
  },
};

function csvWriter(column: RawVector, out: ByteWriter): ValueWriter {
  const write = presentWriter(column, out);
  const { validity } = column;
  return (row) => {
    if (isValid(validity, row)) write(row);
  };
}

function presentWriter(column: RawVector, out: ByteWriter): ValueWriter {
  const { type, view } = column;
  const { typeId } = type;
  if (typeId === DuckDBTypeId.VARCHAR) {
    return (row) => writeField(out, stringBytesOf(column, row));
  }
  // JSON has no NaN and no infinities.
  if (typeId === DuckDBTypeId.DOUBLE) {
    return (row) => out.ascii(formatDouble(view.getFloat64(row * 8, true)));
  }
  if (typeId === DuckDBTypeId.FLOAT) {
    return (row) => out.ascii(formatFloat(view.getFloat32(row * 4, true)));
  }
  return jsonBased(column, type, out);
}

/** What JSON writes bare stands as it is; of what it quotes the inside does, or all as a text. */
function jsonBased(column: RawVector, type: DuckDBType, out: ByteWriter): ValueWriter {
  const value = new ByteWriter();
  const write = jsonWriter({ ...column, validity: undefined }, value);
  const textOf = hasOwnText(type) ? undefined : plainText(column);
  return (row) => {
    if (textOf !== undefined) {
      writeField(out, Buffer.from(textOf(row)));
      return;
    }
    value.length = 0;
    write(row);
    const { bytes, length } = value;
    if (NESTED.has(type.typeId)) writeField(out, bytes.subarray(0, length));
    else out.copy(bytes[0] === QUOTE ? bytes.subarray(1, length - 1) : bytes.subarray(0, length));
  };
}

/** Types that JSON writes as another type's text have escapes in it. */
function hasOwnText({ typeId }: DuckDBType): boolean {
  return typeId !== DuckDBTypeId.ENUM && typeId !== DuckDBTypeId.UNION;
}

function writeField(out: ByteWriter, text: Uint8Array): void {
  if (!needsQuotes(text)) {
    out.copy(text);
    return;
  }
  out.byte(QUOTE);
  for (const byte of text) {
    if (byte === QUOTE) out.byte(QUOTE);
    out.byte(byte);
  }
  out.byte(QUOTE);
}

function needsQuotes(text: Uint8Array): boolean {
  if (text.length === 0) return true;
  for (const byte of text) {
    if (byte === QUOTE || byte === COMMA || byte === LINE_END || byte === CARRIAGE_RETURN) {
      return true;
    }
  }
  return false;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
