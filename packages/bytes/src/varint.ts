// Unsigned LEB128 numbers: seven bits a byte, lowest first, the upper bit says that more follow.

import { assert } from './assert.ts';
import { type BytesErrorCode, BytesFormatError } from './errors.ts';

/** Longest encoding of a number that JavaScript holds exactly (53 bits). */
export const VARINT_BYTES_MAX = 8;

/** A place in an array, moved by what reads from it. */
export interface ByteCursor {
  readonly bytes: Uint8Array;
  offset: number;
  /** Reading stops here. */
  readonly end: number;
}

/** Writes a number up to 2^53 - 1 at `offset`; returns where it ends. */
export function writeVarint(bytes: Uint8Array, offset: number, value: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, 'Encodes a varint that is no such number');
  assert(offset + VARINT_BYTES_MAX <= bytes.length, 'Writes a varint outside of the array');
  let at = offset;
  let rest = value;
  while (rest >= 0x80) {
    bytes[at] = (rest & 0x7f) | 0x80;
    at += 1;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at] = rest;
  return at + 1;
}

/** Reads a number up to 2^53 - 1 and moves the cursor behind it. */
export function readVarint(cursor: ByteCursor): number {
  const start = cursor.offset;
  let value = 0;
  let weight = 1;
  for (;;) {
    if (cursor.offset >= cursor.end) {
      throw badVarint('VARINT_TRUNCATED', 'it has no last byte', start);
    }
    const byte = cursor.bytes[cursor.offset]!;
    cursor.offset += 1;
    value += (byte & 0x7f) * weight;
    weight *= 0x80;
    if (value > Number.MAX_SAFE_INTEGER || cursor.offset - start > VARINT_BYTES_MAX) {
      throw badVarint('VARINT_OVERFLOW', 'it does not fit into 53 bits', start);
    }
    if (byte < 0x80) return value;
  }
}

function badVarint(code: BytesErrorCode, problem: string, offset: number): BytesFormatError {
  return new BytesFormatError(code, `Cannot decode varint: ${problem}`, { offset });
}
