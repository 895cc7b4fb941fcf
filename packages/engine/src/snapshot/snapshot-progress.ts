// How much of a snapshot is written, for those who read it in other threads while it grows: one
// number in memory that they share.
//
// Invariant: what is below `writtenBytes` is in the file and does not change.

import { assert } from '@skein/bytes';

const FAILED = -1n;

export class SnapshotProgress {
  readonly memory: SharedArrayBuffer;
  readonly #words: BigInt64Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#words = new BigInt64Array(memory);
  }

  /** Undefined once it has failed: the rest never comes. */
  get writtenBytes(): number | undefined {
    const value = Atomics.load(this.#words, 0);
    return value === FAILED ? undefined : Number(value);
  }

  advance(writtenBytes: number): void {
    assert(writtenBytes >= (this.writtenBytes ?? Infinity), 'A snapshot shrinks, or has failed');
    this.#set(BigInt(writtenBytes));
  }

  fail(): void {
    this.#set(FAILED);
  }

  /** Resolves when it is not `writtenBytes` any more: at once if that is so now. */
  async whenMoved(writtenBytes: number): Promise<void> {
    const waiting = Atomics.waitAsync(this.#words, 0, BigInt(writtenBytes));
    if (waiting.async) await waiting.value;
  }

  #set(value: bigint): void {
    Atomics.store(this.#words, 0, value);
    Atomics.notify(this.#words, 0);
  }
}
