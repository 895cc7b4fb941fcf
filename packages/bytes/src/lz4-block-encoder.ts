// Compresses LZ4 blocks, at the fast level: one look-up a position in a small hash table, and
// longer steps the longer nothing is found.

import { assert } from './assert.ts';
import { BufferView } from './buffer-view.ts';
import {
  MATCH_DISTANCE_MAX,
  MATCH_LENGTH_MIN,
  TOKEN_LENGTH_MAX,
  lz4BlockBound,
} from './lz4-block.ts';

/** A match begins at least this many bytes before the end of the block; required by the format. */
const MATCH_START_MARGIN = 12;

/** The last bytes of a block are literals; required by the format. */
const LAST_LITERALS = 5;

/** 4,096 slots: with their 16 KiB the table stays in the first-level cache. */
const HASH_BITS = 12;

/** Spreads the bits of a word (2^32 divided by the golden ratio). */
const HASH_FACTOR = 0x9e3779b1;

/** After 2^6 misses in a row steps become two bytes long, after as many again three, and so on. */
const STEP_SHIFT = 6;

/** What the table's entries can count to. */
const POSITION_MAX = 0x7fffffff;

export class Lz4BlockEncoder {
  /**
   * Last position of each hash. Positions are counted over all blocks, so that entries of earlier
   * blocks tell themselves apart and the table need not be cleared for each.
   */
  readonly #table = new Int32Array(1 << HASH_BITS);
  /** Position of the block's first byte in that count, which starts at 1: 0 is "no entry". */
  #origin = 1;
  readonly #views = new BufferView();

  /**
   * Compresses the bytes from `start` to `end` into `target` at `targetStart`.
   * Returns where the block ends in `target`, which must have room for lz4BlockBound() of the
   * length.
   */
  encode(
    source: Uint8Array,
    start: number,
    end: number,
    target: Uint8Array,
    targetStart: number,
  ): number {
    assert(0 <= start && start <= end && end <= source.length, 'Compresses outside of the array');
    const length = end - start;
    assert(target.length - targetStart >= lz4BlockBound(length), 'Target is too small for LZ4');
    if (this.#origin + length > POSITION_MAX) {
      this.#table.fill(0);
      this.#origin = 1;
    }
    const table = this.#table;
    const words = this.#views.of(source);
    const base = source.byteOffset;
    const toPosition = this.#origin - start;
    const lastStart = end - MATCH_START_MARGIN;
    let to = targetStart;
    let anchor = start;
    let at = start;
    let misses = 0;
    while (at <= lastStart) {
      const word = words.getInt32(base + at, true);
      const slot = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS);
      const candidate = table[slot]! - toPosition;
      table[slot] = at + toPosition;
      const distance = at - candidate;
      if (
        candidate < start ||
        distance > MATCH_DISTANCE_MAX ||
        words.getInt32(base + candidate, true) !== word
      ) {
        at += 1 + (misses >>> STEP_SHIFT);
        misses += 1;
        continue;
      }
      const matchEnd = findMatchEnd(words, base + at, distance, base + end - LAST_LITERALS) - base;
      // The steps may have passed over the true beginning of the match.
      while (at > anchor && at - distance > start && source[at - 1] === source[at - distance - 1]) {
        at -= 1;
      }
      const excess = matchEnd - at - MATCH_LENGTH_MIN;
      to = writeToken(target, to, at - anchor, excess);
      to = copyBytes(source, anchor, at, target, to);
      to = writeMatch(target, to, distance, excess);
      at = matchEnd;
      anchor = matchEnd;
      misses = 0;
    }
    this.#origin += length;
    to = writeToken(target, to, end - anchor, 0);
    return copyBytes(source, anchor, end, target, to);
  }
}

/** Where the bytes from `at` stop being equal to those `distance` before; the first four are. */
function findMatchEnd(words: DataView, at: number, distance: number, limit: number): number {
  let end = at + MATCH_LENGTH_MIN;
  for (; end + 4 <= limit; end += 4) {
    const difference = words.getInt32(end, true) ^ words.getInt32(end - distance, true);
    // The lowest bit that differs tells how many whole bytes before it are equal.
    if (difference !== 0) return end + ((31 - Math.clz32(difference & -difference)) >>> 3);
  }
  while (end < limit && words.getUint8(end) === words.getUint8(end - distance)) end += 1;
  return end;
}

/** Writes a token and what of the number of literals it cannot hold; returns where that ends. */
function writeToken(target: Uint8Array, to: number, literals: number, excess: number): number {
  const upper = literals < TOKEN_LENGTH_MAX ? literals : TOKEN_LENGTH_MAX;
  const lower = excess < TOKEN_LENGTH_MAX ? excess : TOKEN_LENGTH_MAX;
  target[to] = (upper << 4) | lower;
  return upper < TOKEN_LENGTH_MAX
    ? to + 1
    : writeLength(target, to + 1, literals - TOKEN_LENGTH_MAX);
}

/** Writes a match: its distance and what of its length the token cannot hold. */
function writeMatch(target: Uint8Array, to: number, distance: number, excess: number): number {
  target[to] = distance;
  target[to + 1] = distance >>> 8;
  return excess < TOKEN_LENGTH_MAX
    ? to + 2
    : writeLength(target, to + 2, excess - TOKEN_LENGTH_MAX);
}

/** Writes a length as bytes of 255 and one that is less. */
function writeLength(target: Uint8Array, to: number, length: number): number {
  let at = to;
  let rest = length;
  for (; rest >= 255; rest -= 255) {
    target[at] = 255;
    at += 1;
  }
  target[at] = rest;
  return at + 1;
}

/** Byte by byte: literal runs are short, and here a copy by the engine costs more than it saves. */
function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  to: number,
): number {
  let at = to;
  for (let from = start; from < end; from += 1) {
    target[at] = source[from]!;
    at += 1;
  }
  return at;
}
