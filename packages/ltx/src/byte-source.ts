// Bytes that can be read at any place.

import { LtxFormatError } from './errors.ts';

/** An open file, for example, or a part of one. */
export interface ByteSource {
  /**
   * Reads up to `length` bytes at `position` into `into` at `offset`. Returns how many were read:
   * fewer only at the end.
   */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
}

/** What an array holds, as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    read(into, offset, length, position) {
      const part = bytes.subarray(position, position + length);
      into.set(part, offset);
      return part.length;
    },
  };
}

/** What follows the first `start` bytes of a source: an LTX file inside of a larger one. */
export function sourceFrom(source: ByteSource, start: number): ByteSource {
  return {
    read: (into, offset, length, position) => source.read(into, offset, length, start + position),
  };
}

/** The `length` bytes of an LTX file at `position`; throws LtxFormatError if it ends before. */
export function readExactly(source: ByteSource, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (source.read(bytes, 0, length, position) === length) return bytes;
  const details = { offset: position, expected: length };
  throw new LtxFormatError('LTX_TRUNCATED', 'LTX file ends too early', details);
}
