// What the node knows of the frames of a WAL that are in its log: page, checksum, and whether the
// page has reached the database file.
//
// SQLite's checkpoint copies pages from the WAL into the database file when it sees fit, and an
// older version where a reader still needs it. From what it writes follows which frames are done
// with, and so up to which transaction the database file alone is complete.
//
// Frames are numbered from 1, as SQLite does. About 17 bytes a frame.

import { assert } from '@skein/bytes';

import { PageMap } from '../pages/page-map.ts';
import type { DatabaseState } from './database-state.ts';

const FRAMES_MIN = 256;

/** More commit points than this are not remembered one by one; half of the older ones go. */
const COMMITS_MAX = 4096;

/** The end of a transaction in the WAL. */
export interface WalCommitPoint {
  readonly frame: number;
  /** State of the database after it. */
  readonly state: DatabaseState;
}

export class WalFrames {
  #pgnos = new Uint32Array(FRAMES_MIN);
  /** Halves of the page checksum, lower first. */
  #checksums = new Uint32Array(FRAMES_MIN * 2);
  /** The frame before with the same page, or 0. */
  #previous = new Uint32Array(FRAMES_MIN);
  /** 1: this frame's page, or a later version of it, is in the database file. */
  #isDone = new Uint8Array(FRAMES_MIN);
  #count = 0;
  #doneThrough = 0;
  readonly #newest = new PageMap();
  #commits: WalCommitPoint[] = [];

  get count(): number {
    return this.#count;
  }

  /** Whether the database file alone holds everything. */
  get isBackfilled(): boolean {
    return this.#doneThrough === this.#count;
  }

  /** Enters the next frame. */
  add(pgno: number, checksumHi: number, checksumLo: number): void {
    if (this.#count === this.#pgnos.length) this.#grow();
    const at = this.#count++;
    const newest = this.#newest.get(pgno);
    this.#pgnos[at] = pgno;
    this.#checksums[at * 2] = checksumLo;
    this.#checksums[at * 2 + 1] = checksumHi;
    this.#previous[at] = newest === -1 ? 0 : newest;
    this.#isDone[at] = 0;
    this.#newest.set(pgno, this.#count);
  }

  /** The frame entered last ends a transaction that leaves the database in `state`. */
  addCommit(state: DatabaseState): void {
    this.#commits.push({ frame: this.#count, state });
    if (this.#commits.length <= COMMITS_MAX) return;
    this.#commits = this.#commits.filter((_, n, all) => n % 2 === 0 || n === all.length - 1);
  }

  /** Pages of the frames from `first` on, in order; valid until the next is added. */
  pagesFrom(first: number): Uint32Array {
    return this.#pgnos.subarray(first - 1, this.#count);
  }

  /** Size of the database in pages after the last transaction. */
  get lastPageCount(): number {
    return this.#commits.at(-1)!.state.pageCount;
  }

  /** After the last transaction; undefined when there is none. */
  get lastState(): DatabaseState | undefined {
    return this.#commits.at(-1)?.state;
  }

  pgnoOf(frame: number): number {
    return this.#pgnos[frame - 1]!;
  }

  /** Halves of the checksum of a frame's page, unsigned. */
  checksumHi(frame: number): number {
    return this.#checksums[(frame - 1) * 2 + 1]!;
  }

  checksumLo(frame: number): number {
    return this.#checksums[(frame - 1) * 2]!;
  }

  /** The newest frame with this page that is not after `last`; 0 if there is none. */
  findAtOrBefore(pgno: number, last: number): number {
    let frame = Math.max(this.#newest.get(pgno), 0);
    while (frame > last) frame = this.#before(frame);
    return frame;
  }

  /** The newest frame that holds this very version of a page; 0 if there is none. */
  findVersion(pgno: number, checksumHi: number, checksumLo: number): number {
    let frame = Math.max(this.#newest.get(pgno), 0);
    while (frame > 0 && !this.#hasChecksum(frame, checksumHi, checksumLo)) {
      frame = this.#before(frame);
    }
    return frame;
  }

  /** Whether this frame's page, or a later version of it, is in the database file. */
  isDone(frame: number): boolean {
    return this.#isDone[frame - 1] === 1;
  }

  /** The page of this frame is in the database file now. */
  markDone(frame: number): void {
    assert(frame >= 1 && frame <= this.#count, 'There is no such frame');
    for (let f = frame; f > 0 && !this.isDone(f); f = this.#before(f)) this.#isDone[f - 1] = 1;
    while (this.#doneThrough < this.#count && this.#isDone[this.#doneThrough] === 1) {
      this.#doneThrough++;
    }
  }

  /** The database has lost the pages from `firstPgno` to `lastPgno`: nobody copies them. */
  markLost(firstPgno: number, lastPgno: number): void {
    for (let pgno = firstPgno; pgno <= lastPgno; pgno++) {
      const frame = this.#newest.get(pgno);
      if (frame !== -1) this.markDone(frame);
    }
  }

  /**
   * The last transaction of which every page is in the database file; undefined when there is none
   * since the WAL began. Those before it are forgotten.
   */
  lastDoneCommit(): WalCommitPoint | undefined {
    const next = this.#commits.findIndex((commit) => commit.frame > this.#doneThrough);
    const count = next === -1 ? this.#commits.length : next;
    if (count === 0) return undefined;
    this.#commits.splice(0, count - 1);
    return this.#commits[0];
  }

  /**
   * Frames whose page has to be copied so that the database file is as it was after frame `last`:
   * the newest of each page up to there, in the order of the pages.
   */
  *pending(
    last: number = this.#count,
  ): Generator<{ readonly pgno: number; readonly frame: number }> {
    for (const pgno of this.#newest.sortedPages()) {
      const frame = this.findAtOrBefore(pgno, last);
      if (frame > 0 && !this.isDone(frame)) yield { pgno, frame };
    }
  }

  /** The frame before with the same page, or 0. */
  #before(frame: number): number {
    return this.#previous[frame - 1]!;
  }

  #hasChecksum(frame: number, hi: number, lo: number): boolean {
    const at = (frame - 1) * 2;
    return this.#checksums[at] === lo && this.#checksums[at + 1] === hi;
  }

  #grow(): void {
    const capacity = this.#pgnos.length * 2;
    this.#pgnos = enlarged(this.#pgnos, new Uint32Array(capacity));
    this.#checksums = enlarged(this.#checksums, new Uint32Array(capacity * 2));
    this.#previous = enlarged(this.#previous, new Uint32Array(capacity));
    this.#isDone = enlarged(this.#isDone, new Uint8Array(capacity));
  }
}

function enlarged<T extends Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
