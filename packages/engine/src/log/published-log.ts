// What the engine's thread tells other threads of the log, and what they need of it: a few numbers
// in memory that all of them share.
//
// Invariants:
//  - durableLsn never passes a record of which a sync has not returned: what is read up to it may
//    be sent to another node.
//  - firstLsn moves before the file of a record below it is given away. Whoever has read records,
//    and then finds firstLsn at or below the first of them, has read what was written there.
//  - tailSequence moves before a record of that segment is durable. So the segments before it have
//    all of their records.
//  - lastLsn moves before whoever committed the record is told so.
//  - Each of them only grows. Each number is read and written whole, and means something by itself.
//
// The engine's thread writes these, and the epoch; the thread that follows for others writes what
// it needs of the log.

import { assert } from '@skein/bytes';

const DURABLE_LSN = 0;
const FIRST_LSN = 1;
const TAIL_SEQUENCE = 2;
const EPOCH = 3;
const NEEDED_LSN = 4;
const PINNED_LSN = 5;
const LAST_LSN = 6;
const WORDS = 7;

export class PublishedLog {
  readonly memory: SharedArrayBuffer;
  readonly #words: BigInt64Array<SharedArrayBuffer>;

  /** Without memory of another thread: the engine's own, which it gives to the others. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(WORDS * 8)) {
    assert(memory.byteLength === WORDS * 8, 'Not the memory of a published log');
    this.memory = memory;
    this.#words = new BigInt64Array(memory);
  }

  /** Records up to this one are durable; 0 in a new log. */
  get durableLsn(): number {
    return this.#load(DURABLE_LSN);
  }

  /** The last record, durable or not. */
  get lastLsn(): number {
    return this.#load(LAST_LSN);
  }

  /** The first record that is kept. */
  get firstLsn(): number {
    return this.#load(FIRST_LSN);
  }

  /** The newest segment; 0: there is none. */
  get tailSequence(): number {
    return this.#load(TAIL_SEQUENCE);
  }

  /** The term of leadership in which the next record will be written. */
  get epoch(): number {
    return this.#load(EPOCH);
  }

  /** The first record that somebody who follows has not got; 0: nobody follows. */
  get neededLsn(): number {
    return this.#load(NEEDED_LSN);
  }

  /** The first record behind a snapshot that is being sent, or needed meanwhile; 0: none is. */
  get pinnedLsn(): number {
    return this.#load(PINNED_LSN);
  }

  /** Wakes whoever waits. The records must be durable. */
  publishDurable(lsn: number): void {
    assert(lsn >= this.durableLsn, 'The durable end of the log moves back');
    this.#store(DURABLE_LSN, lsn);
    this.wake();
  }

  /** To be called when a record has been appended, before its transaction is reported as done. */
  publishLast(lsn: number): void {
    assert(lsn >= this.lastLsn, 'The end of the log moves back');
    this.#store(LAST_LSN, lsn);
  }

  /** To be called before the file of any record below `lsn` is removed or used again. */
  publishFirst(lsn: number): void {
    assert(lsn >= this.firstLsn, 'The start of the log moves back');
    this.#store(FIRST_LSN, lsn);
  }

  /** To be called before a record of a new segment is durable. */
  publishTail(sequence: number): void {
    assert(sequence >= this.tailSequence, 'The newest segment is an older one');
    this.#store(TAIL_SEQUENCE, sequence);
  }

  publishEpoch(epoch: number): void {
    assert(epoch >= this.epoch, 'The epoch falls');
    this.#store(EPOCH, epoch);
  }

  /** What is to be kept: see neededLsn and pinnedLsn. */
  hold(neededLsn: number, pinnedLsn: number): void {
    this.#store(NEEDED_LSN, neededLsn);
    this.#store(PINNED_LSN, pinnedLsn);
  }

  /** Resolves when more is durable than `lsn`, or wake() was called: at once if that is so now. */
  async whenDurablePast(lsn: number): Promise<void> {
    const waiting = Atomics.waitAsync(this.#words, DURABLE_LSN, BigInt(lsn));
    if (waiting.async) await waiting.value;
  }

  /** Lets all who wait look again. */
  wake(): void {
    Atomics.notify(this.#words, DURABLE_LSN);
  }

  #load(word: number): number {
    return Number(Atomics.load(this.#words, word));
  }

  #store(word: number, value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'Publishes a number that is none');
    Atomics.store(this.#words, word, BigInt(value));
  }
}
