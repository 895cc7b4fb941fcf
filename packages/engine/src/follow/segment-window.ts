// A piece of a segment in memory, through which records are read one behind the other with few
// calls.
//
// What was lent by view() stays where it is until begin(): what does not fit behind it is refused,
// and `isFull` says so. So a batch of transactions is handed on without being copied.

import { assert } from '@skein/bytes';
import type { DiskFile } from '@skein/host';

/** What one batch has at the most. Larger than any header of a record. */
export const WINDOW_BYTES: number = 1024 * 1024;

/** The first read of a batch: one or two small transactions. Each further one is twice as large. */
const FIRST_READ_BYTES = 16 * 1024;

export class SegmentWindow implements Pick<DiskFile, 'read'> {
  readonly #bytes = new Uint8Array(WINDOW_BYTES);
  #file: DiskFile | undefined;
  /** Where in the file the window begins, and how much of it was read. */
  #start = 0;
  #length = 0;
  #readBytes = FIRST_READ_BYTES;
  #isLent = false;
  #isFull = false;

  /** Forgets what it has: it may have been read before it was written. Ends what was lent. */
  begin(): void {
    this.#length = 0;
    this.#readBytes = FIRST_READ_BYTES;
    this.#isLent = false;
    this.#isFull = false;
  }

  /** Goes on with another file, which stays the caller's; what was lent stays valid. */
  use(file: DiskFile): void {
    this.#file = file;
    if (this.#isLent) this.#start = Number.NEGATIVE_INFINITY;
    else this.#length = 0;
  }

  /** Whether something was refused since begin(): it did not fit behind what was lent. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** As DiskFile.read, of what fits. */
  read(op: string, into: Uint8Array, offset: number, length: number, position: number): number {
    if (!this.#has(op, position, length)) return 0;
    const at = position - this.#start;
    into.set(this.#bytes.subarray(at, at + length), offset);
    return length;
  }

  /** The bytes at a position, until begin(). Undefined when they do not fit, or the file ends. */
  view(op: string, position: number, length: number): Uint8Array | undefined {
    if (!this.#has(op, position, length)) return undefined;
    this.#isLent = true;
    const at = position - this.#start;
    return this.#bytes.subarray(at, at + length);
  }

  /** Makes the bytes be in the window. False when they cannot, or the file ends before. */
  #has(op: string, position: number, length: number): boolean {
    if (this.#contains(position, length)) return true;
    const isBehind = position >= this.#start && position <= this.#start + this.#length;
    const fits = position >= this.#start && position - this.#start + length <= WINDOW_BYTES;
    if (!fits && (this.#isLent || length > WINDOW_BYTES)) {
      this.#isFull = true;
      return false;
    }
    // What lies in between is not read for nothing.
    if (!fits || (!isBehind && !this.#isLent)) {
      this.#start = position;
      this.#length = 0;
      this.#readBytes = FIRST_READ_BYTES;
    }
    this.#readUpTo(op, position - this.#start + length);
    return this.#contains(position, length);
  }

  #contains(position: number, length: number): boolean {
    const at = position - this.#start;
    return at >= 0 && at + length <= this.#length;
  }

  #readUpTo(op: string, end: number): void {
    assert(this.#file !== undefined, 'A window without a file is read');
    while (this.#length < end) {
      const wanted = Math.max(end - this.#length, this.#readBytes);
      const room = Math.min(wanted, WINDOW_BYTES - this.#length);
      const at = this.#start + this.#length;
      const count = this.#file.read(op, this.#bytes, this.#length, room, at);
      this.#length += count;
      if (count < room) return;
      this.#readBytes = Math.min(this.#readBytes * 2, WINDOW_BYTES);
    }
  }
}
