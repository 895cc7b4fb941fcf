// Input that arrives in pieces, handed out in the lengths a parser asks for.
//
// A length that lies whole in the piece at hand is handed out where it lies; only what straddles
// two pieces is copied together. A feed never takes more from its input than was asked for, so what
// follows a format that knows its own end stays where it is.

import { assert } from './assert.ts';

const EMPTY = new Uint8Array(0);

/** Room for the small fields of formats; it grows with the longest length asked for. */
const SPILL_BYTES = 256;

export class ByteFeed {
  /** What the last take() or peek() found is here, from `start`; valid until the next call. */
  bytes: Uint8Array = EMPTY;
  start = 0;
  #taken = 0;

  /** The piece, and what of it has not been used. */
  #piece: Uint8Array = EMPTY;
  #at = 0;
  #end = 0;

  /** Bytes from pieces that were not enough, from #spillStart to #spillEnd: before the piece's. */
  #spill: Uint8Array = EMPTY;
  #spillStart = 0;
  #spillEnd = 0;

  /** Number of bytes handed out by take() and takeSome() so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Number of bytes of the piece that were not asked for yet. */
  get unused(): number {
    return this.#end - this.#at;
  }

  /** The next piece of input, which must stay as it is until the feed says that it wants more. */
  give(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    assert(this.#at === this.#end, 'A feed gets a piece while the last one is not used up');
    assert(0 <= start && start <= end && end <= bytes.length, 'Feeds bytes outside of the array');
    this.#piece = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Hands out the next `length` bytes; false when there are not that many yet: give() more. */
  take(length: number): boolean {
    if (!this.peek(length)) return false;
    this.#consume(length);
    return true;
  }

  /** As take(), but the next call sees the same bytes again. */
  peek(length: number): boolean {
    const spilled = this.#spillEnd - this.#spillStart;
    if (spilled === 0 && this.unused >= length) {
      this.bytes = this.#piece;
      this.start = this.#at;
      return true;
    }
    if (spilled < length) this.#fillSpill(length);
    this.bytes = this.#spill;
    this.start = this.#spillStart;
    return this.#spillEnd - this.#spillStart >= length;
  }

  /** Hands out up to `length` bytes, as many as can be had at once; returns how many. */
  takeSome(length: number): number {
    const spilled = this.#spillEnd - this.#spillStart;
    const some = Math.min(length, spilled === 0 ? this.unused : spilled);
    return this.take(some) ? some : 0;
  }

  #consume(length: number): void {
    this.#taken += length;
    if (this.bytes === this.#piece) this.#at += length;
    else this.#spillStart += length;
  }

  /** Moves bytes of the piece behind those spilled until there are `length`, if there are. */
  #fillSpill(length: number): void {
    const spilled = this.#spillEnd - this.#spillStart;
    const more = Math.min(length - spilled, this.unused);
    if (this.#spillStart + length > this.#spill.length) {
      const old = this.#spill.subarray(this.#spillStart, this.#spillEnd);
      if (length > this.#spill.length) this.#spill = new Uint8Array(Math.max(length, SPILL_BYTES));
      this.#spill.set(old);
      this.#spillStart = 0;
      this.#spillEnd = spilled;
    }
    this.#spill.set(this.#piece.subarray(this.#at, this.#at + more), this.#spillEnd);
    this.#at += more;
    this.#spillEnd += more;
  }
}
