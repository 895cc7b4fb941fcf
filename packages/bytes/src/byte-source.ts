// Bytes that can be read at any place: all that readers of files ask of the outside.

import { assert } from './assert.ts';

/** An open file, for example, or a part of one. Positions are in bytes from its beginning. */
export interface ByteSource {
  /**
   * Reads up to `length` bytes at `position` into `into` at `offset`. Returns how many were read: 0
   * only at the end.
   */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
}

/** What an array holds, as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    read(into, offset, length, position) {
      assert(position >= 0, 'A source begins at 0');
      const part = bytes.subarray(position, position + length);
      into.set(part, offset);
      return part.length;
    },
  };
}

/** What follows the first `start` bytes of a source. */
export function sourceFrom(source: ByteSource, start: number): ByteSource {
  return {
    read: (into, offset, length, position) => source.read(into, offset, length, start + position),
  };
}

/** Fills `into` with what is at `position`; false if the source ends before that. */
export function readWhole(source: ByteSource, into: Uint8Array, position: number): boolean {
  let done = 0;
  while (done < into.length) {
    const count = source.read(into, done, into.length - done, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}
