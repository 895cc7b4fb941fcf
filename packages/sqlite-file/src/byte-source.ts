// Where bytes of a file come from: the one thing the readers of this package ask of the outside.

import { assert } from '@skein/bytes';

/** Synchronous reads at a position. */
export interface ByteSource {
  /**
   * Reads up to `length` bytes at `position` of the file into `into`, from `offset` on, and returns
   * how many came; 0 only at the end of the file.
   */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
}

/** Fills `into` from `position` on; false if the file ends before that. */
export function readWhole(source: ByteSource, into: Uint8Array, position: number): boolean {
  let done = 0;
  while (done < into.length) {
    const count = source.read(into, done, into.length - done, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}

/** A file that is in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    read(into, offset, length, position) {
      assert(position >= 0, 'A file begins at 0');
      const piece = bytes.subarray(position, position + length);
      into.set(piece, offset);
      return piece.length;
    },
  };
}
