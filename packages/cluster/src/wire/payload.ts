// A payload of known length that may come in many pieces. It is handed out where it lies when it
// came in one, and collected otherwise.

import { assert, type ByteFeed } from '@skein/bytes';

const EMPTY = new Uint8Array(0);

/** Room is made as bytes come, not as a head promises them. */
const FIRST_BYTES = 64 * 1024;

export class Payload {
  #bytes: Uint8Array = EMPTY;
  #length = 0;
  #size = 0;

  begin(byteCount: number): void {
    assert(this.#length === 0, 'A payload begins inside of another');
    this.#size = byteCount;
  }

  /** The payload, when all of it has come. */
  next(feed: ByteFeed): Uint8Array | undefined {
    const isInOnePiece = this.#length === 0 && feed.unused >= this.#size;
    if (isInOnePiece && feed.take(this.#size)) {
      return feed.bytes.subarray(feed.start, feed.start + this.#size);
    }
    this.#collect(feed);
    if (this.#length < this.#size) return undefined;
    const whole = this.#bytes.subarray(0, this.#size);
    this.#bytes = EMPTY;
    this.#length = 0;
    return whole;
  }

  #collect(feed: ByteFeed): void {
    for (;;) {
      const count = feed.takeSome(this.#size - this.#length);
      if (count === 0) return;
      this.#reserve(this.#length + count);
      this.#bytes.set(feed.bytes.subarray(feed.start, feed.start + count), this.#length);
      this.#length += count;
    }
  }

  #reserve(needed: number): void {
    if (needed <= this.#bytes.length) return;
    const room = Math.max(needed, FIRST_BYTES, 2 * this.#bytes.length);
    const bytes = new Uint8Array(Math.min(room, this.#size));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}
