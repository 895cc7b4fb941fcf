// Writes transactions of a primary as frames behind those that a replica's WAL has.
//
// Invariant: until keep() nobody knows of what was written; what fails before is as if it never
// was.

import { assert } from '@skein/bytes';
import {
  encodeWalHeader,
  WAL_FRAME_HEADER_SIZE,
  WAL_HEADER_SIZE,
  WalChain,
  walFrameOffset,
} from '@skein/sqlite-file';

import type { DatabaseState } from '../database/database-state.ts';
import { PageSums } from '../pages/page-sums.ts';
import type { ReplicaWal } from './replica-wal.ts';
import { showAsWal } from './shown-mode.ts';

/** Frames are written this many bytes at a time. */
const BUFFER_BYTES_MIN = 16 * 1024;
const BUFFER_BYTES_MAX = 1024 * 1024;

/** The end of a transaction: how many frames there are up to it, counted from begin(). */
interface End {
  readonly frameCount: number;
  readonly state: DatabaseState;
}

export interface WriterPage {
  readonly pgno: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly checksumHi: number;
  readonly checksumLo: number;
}

export interface WalWriterOptions {
  /** About as much is going to be written. */
  readonly capacityBytes: number;
  /** Told what was written to the file, and where; the bytes are its own during the call. */
  readonly onWritten: (position: number, bytes: Uint8Array) => void;
}

export class WalWriter {
  readonly #wal: ReplicaWal;
  readonly #onWritten: WalWriterOptions['onWritten'];
  readonly #frameSize: number;
  readonly #chain: WalChain;
  readonly #firstFrame: number;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #buffered = 0;
  /** Where in the file the buffer goes. */
  #position: number;
  /** The last frame has its page, and waits to be told whether it ends a transaction. */
  #isOpen = false;
  #lastPgno = 0;
  readonly #pages = new PageSums(64);
  #ends: End[] = [];

  constructor(wal: ReplicaWal, { capacityBytes, onWritten }: WalWriterOptions) {
    const { header, frames, loggedSums } = wal.committed;
    this.#wal = wal;
    this.#onWritten = onWritten;
    this.#frameSize = WAL_FRAME_HEADER_SIZE + header.pageSize;
    this.#chain = new WalChain(header);
    this.#firstFrame = frames.count + 1;
    const bytes = Math.min(Math.max(capacityBytes, BUFFER_BYTES_MIN), BUFFER_BYTES_MAX);
    const frameCount = Math.ceil(bytes / this.#frameSize);
    this.#buffer = new Uint8Array(WAL_HEADER_SIZE + frameCount * this.#frameSize);
    this.#view = new DataView(this.#buffer.buffer);
    if (frames.count === 0) {
      this.#buffer.set(encodeWalHeader(header));
      this.#buffered = WAL_HEADER_SIZE;
      this.#position = 0;
    } else {
      this.#chain.sums.set(loggedSums);
      this.#position = walFrameOffset(this.#firstFrame, header.pageSize);
    }
  }

  /** Frames of the WAL with all that was given. */
  get frameCount(): number {
    return this.#firstFrame - 1 + this.#pages.count;
  }

  /** Pages that were given since the last end of a transaction. */
  get openCount(): number {
    return this.#pages.count - (this.#ends.at(-1)?.frameCount ?? 0);
  }

  /** The next page of the transaction. */
  page({ pgno, bytes, start, checksumHi, checksumLo }: WriterPage): void {
    this.#seal(0);
    if (this.#buffered + this.#frameSize > this.#buffer.length) this.#flush();
    const at = this.#buffered + WAL_FRAME_HEADER_SIZE;
    const end = start + this.#frameSize - WAL_FRAME_HEADER_SIZE;
    this.#buffer.set(bytes.subarray(start, end), at);
    if (pgno === 1) showAsWal(this.#buffer.subarray(at, at + end - start), 0);
    this.#pages.add(pgno, checksumHi, checksumLo);
    this.#buffered += this.#frameSize;
    this.#isOpen = true;
    this.#lastPgno = pgno;
  }

  /** The transaction ends, with at least one page, and leaves the database in `state`. */
  commit(state: DatabaseState): void {
    assert(this.#isOpen && this.openCount > 0, 'A transaction has a frame that ends it');
    this.#seal(state.pageCount);
    this.#ends.push({ frameCount: this.#pages.count, state });
  }

  /** Throws DiskError. What was given is in the file afterwards; only keep() makes it count. */
  finish(): void {
    assert(!this.#isOpen, 'A transaction is written in part');
    this.#flush();
  }

  /** The frames are the WAL's from now on. */
  keep(): void {
    const { frames, loggedSums, stateBefore } = this.#wal.committed;
    assert(frames.count + 1 === this.#firstFrame && this.#buffered === 0, 'Frames come in between');
    const { pgnos, checksums } = this.#pages;
    let n = 0;
    for (const { frameCount, state } of this.#ends) {
      const pageCountBefore = (frames.lastState ?? stateBefore).pageCount;
      for (; n < frameCount; n++) {
        frames.add(pgnos[n]!, checksums[n * 2 + 1]!, checksums[n * 2]!);
      }
      frames.addCommit(state);
      frames.markLost(state.pageCount + 1, pageCountBefore);
    }
    loggedSums.set(this.#chain.sums);
  }

  #seal(commit: number): void {
    if (!this.#isOpen) return;
    const pgno = this.#lastPgno;
    this.#chain.seal(this.#view, this.#buffered - this.#frameSize, pgno, commit);
    this.#isOpen = false;
  }

  #flush(): void {
    if (this.#buffered === 0) return;
    this.#wal.file.write('wal.write', this.#buffer, 0, this.#buffered, this.#position);
    this.#onWritten(this.#position, this.#buffer.subarray(0, this.#buffered));
    this.#position += this.#buffered;
    this.#buffered = 0;
  }
}
