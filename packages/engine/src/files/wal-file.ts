// The WAL of a database, as a client writes it: finds the transactions in it and takes them into
// the log.
//
// Commit point: the write that completes a commit frame whose chain of checksums verifies. This is
// the rule by which SQLite itself recovers a WAL. It covers clients that write frames of one
// transaction twice and correct the checksums behind the commit frame (walRewriteChecksums,
// src/wal.c), and files that are copied in.
//
// Invariants:
//  - Every frame up to frames.count is in the log, and no client can change it: a write there with
//    the salts unchanged comes from a client that does not know of the last transaction, because
//    the one who wrote it died before the wal-index said so.
//  - A WAL starts anew only when all its pages are in the database file; what a client left out is
//    copied here.
//
// The file itself is a cache of the log. It is never synced, and is gone after a crash.

import { assert, bytesSource } from '@skein/bytes';
import type { DiskFile } from '@skein/host';
import {
  WAL_FRAME_HEADER_SIZE,
  WAL_HEADER_SIZE,
  walFrameAt,
  walFrameCommit,
  walFrameOffset,
  walFramePgno,
  type WalHeader,
} from '@skein/sqlite-file';

import { type PageSource, prepareTransaction } from '../commit/transaction.ts';
import type { EngineContext } from '../context.ts';
import type { Database, NewerPages } from '../database/database.ts';
import type { DatabaseState } from '../database/database-state.ts';
import {
  type CommittedWal,
  endOfFrames,
  maybeReadHeader,
  startGeneration,
  type WalGeneration,
} from '../database/wal-generation.ts';
import { EngineError } from '../errors.ts';
import type { JobLock } from '../jobs/job-lock.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Pending } from '../jobs/pending.ts';
import { PageMap } from '../pages/page-map.ts';
import type { MountFile } from './mount-file.ts';
import { OpenScratch } from './open-scratch.ts';

export interface WalFileOptions {
  readonly context: EngineContext;
  readonly database: Database;
  readonly file: DiskFile;
  /** That of the database. */
  readonly lock: JobLock;
  /** Throws when nothing may be written. */
  readonly assertWritable: () => void;
}

export class WalFile implements MountFile, NewerPages {
  readonly backing: undefined;
  readonly bypassesCache = false;
  readonly wantsFlush = false;
  readonly #context: EngineContext;
  readonly #database: Database;
  readonly #file: DiskFile;
  readonly #scratch: OpenScratch;
  readonly #lock: JobLock;
  readonly #assertWritable: () => void;
  #sizeBytes: number;
  #generation: WalGeneration | undefined;
  /**
   * The first frames of the transaction that is being written, as they were read to be verified:
   * short transactions are read once.
   */
  #recent = new Uint8Array(0);
  #recentView = new DataView(this.#recent.buffer);
  /** The newest frame of each page in the transaction that is being committed. */
  readonly #newest = new PageMap();

  /** While the database is replaced: who ignores its locks must not keep the kernel waiting. */
  isHeldOff = false;

  constructor(options: WalFileOptions) {
    this.#context = options.context;
    this.#database = options.database;
    this.#file = options.file;
    this.#scratch = new OpenScratch(options.context.disk, options.file);
    this.#lock = options.lock;
    this.#assertWritable = options.assertWritable;
    this.#sizeBytes = options.file.size('wal.size');
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What is in the log of this WAL; undefined while it has no header. */
  get committed(): CommittedWal | undefined {
    return this.#generation;
  }

  opened(): void {
    this.#scratch.opened();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#file.read('wal.read', into, offset, length, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): Pending | undefined {
    this.#assertWritable();
    if (!this.#scratch.hasName) throw this.#removed();
    if (this.isHeldOff) throw heldOff(this.#database.name);
    this.#refuseRewrite(from, offset, length, position);
    const range = { position, end: position + length };
    try {
      if (position === 0) this.#endBefore(from.subarray(offset, offset + length));
      this.#file.write('wal.write', from, offset, length, position);
      this.#sizeBytes = Math.max(this.#sizeBytes, range.end);
      if (position < WAL_HEADER_SIZE) this.#readHeader();
    } catch (error) {
      this.#revoke(range);
      throw error;
    }
    const generation = this.#generation;
    if (generation === undefined) return undefined;
    this.#forgetRewritten(generation, position);
    const isNew = position >= generation.writtenEnd;
    generation.writtenEnd = Math.max(generation.writtenEnd, range.end);
    // SQLite writes the header of a frame first: that alone cannot have made it whole, unless its
    // page was there already, with another header.
    if (isNew && length === WAL_FRAME_HEADER_SIZE) return undefined;
    return this.#context.jobs.run(this.#lock.hold(this.#takeIn(generation, range)));
  }

  truncate(sizeBytes: number): Pending | undefined {
    const generation = this.#generation;
    if (sizeBytes < WAL_HEADER_SIZE) this.#endGeneration();
    else if (generation !== undefined && sizeBytes < endOfFrames(generation)) {
      throw new EngineError(
        'WAL_BEHIND_LOG',
        `Cannot cut the WAL of ${this.#database.name}: it holds committed transactions`,
      );
    }
    this.#file.truncate('wal.truncate', sizeBytes);
    this.#sizeBytes = sizeBytes;
    return undefined;
  }

  /** SQLite syncs a WAL after a commit if the transaction is to survive a power cut. */
  sync(): Pending | undefined {
    return this.#context.committer.whenDurable(this.#database.state.lsn);
  }

  flush(): undefined {
    return undefined;
  }

  release(): void {
    this.#scratch.released();
  }

  get fileState(): DatabaseState {
    const { frames, stateBefore } = this.#generation!;
    return frames.lastDoneCommit()?.state ?? stateBefore;
  }

  /** The newest version of a page, if it has to be taken from here. */
  readPage(pgno: number, into: Uint8Array): boolean {
    const generation = this.#generation;
    if (generation === undefined) return false;
    const frame = generation.frames.findAtOrBefore(pgno, generation.frames.count);
    if (frame === 0) return false;
    this.readFrame(frame, into);
    return true;
  }

  /** The page of a frame. */
  readFrame(frame: number, into: Uint8Array): void {
    const { pageSize } = this.#generation!.header;
    const position = walFrameOffset(frame, pageSize) + WAL_FRAME_HEADER_SIZE;
    const count = this.#file.read('wal.read', into, 0, pageSize, position);
    assert(count === pageSize, 'A frame that is in the log is not in the WAL');
  }

  /** Takes in the transactions of a file that was there before the database was. */
  *takeInAll(): Job<void> {
    assert(this.#generation === undefined, 'The WAL has been read already');
    try {
      this.#readHeader();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#context.log.warn(error.message, { hint: error.hint });
      this.forget();
    }
    const generation = this.#generation as WalGeneration | undefined;
    if (generation === undefined) return;
    yield* this.#takeIn(generation, { position: 0, end: this.#sizeBytes });
  }

  /** Copies what SQLite has not copied into the database file; then the WAL is not needed. */
  completeDatabase(): void {
    const generation = this.#generation;
    if (generation === undefined || generation.frames.isBackfilled) return;
    const { frames, header } = generation;
    const database = this.#database;
    const page = new Uint8Array(header.pageSize);
    this.#context.committer.log.sync();
    for (const { pgno, frame } of frames.pending()) {
      if (pgno <= database.state.pageCount) {
        this.readFrame(frame, page);
        database.beforeReplace(pgno, frame);
        database.writeFile(pgno, page, 0, header.pageSize);
      }
      frames.markDone(frame);
    }
    database.truncateFile(database.state.pageCount * header.pageSize);
    this.#context.kernel.forgetContent(database.name);
  }

  /** Its name is gone: what is only here goes into the database file. Clients keep what is open. */
  unlink(): void {
    this.#endGeneration();
    this.#scratch.unlink();
  }

  /** Nobody uses the mount any more. What is only here is in the log too. */
  close(): void {
    if (this.#generation !== undefined) this.#dropGeneration();
    this.#scratch.close();
  }

  /** What was written before is the WAL of a database that is no more. */
  forget(): void {
    if (this.#generation !== undefined) this.#dropGeneration();
    this.#file.truncate('wal.truncate', 0);
    this.#sizeBytes = 0;
  }

  /** A WAL that starts anew ends the one before: while that is still in the file, if it fails. */
  #endBefore(bytes: Uint8Array): void {
    if (bytes.length < WAL_HEADER_SIZE) return;
    const header = maybeReadHeader(bytesSource(bytes));
    if (header === undefined || !this.#isUnderWay(header)) this.#endGeneration();
  }

  #readHeader(): void {
    const header = maybeReadHeader({
      read: (into, offset, length, position) =>
        this.#file.read('wal.read', into, offset, length, position),
    });
    if (header === undefined) return this.#endGeneration();
    if (this.#isUnderWay(header)) return;
    this.#endGeneration();
    const { pageSize, pageCount } = this.#database.state;
    if (pageCount === 0) return;
    if (header.pageSize !== pageSize) throw foreignWal(this.#database.name, header);
    this.#beginGeneration(header);
  }

  #isUnderWay(header: WalHeader): boolean {
    const now = this.#generation?.header;
    return now?.salt1 === header.salt1 && now.salt2 === header.salt2;
  }

  #beginGeneration(header: WalHeader): void {
    this.#recent = new Uint8Array(RECENT_FRAMES * (WAL_FRAME_HEADER_SIZE + header.pageSize));
    this.#recentView = new DataView(this.#recent.buffer);
    this.#generation = startGeneration(header, this.#database.state);
    this.#database.newerPages = this;
  }

  #endGeneration(): void {
    if (this.#generation === undefined) return;
    this.completeDatabase();
    this.#dropGeneration();
    this.#database.markFileComplete();
  }

  /** What a snapshot still has to read from frames, it reads now: pages that the file has not. */
  #dropGeneration(): void {
    this.#database.beforeCut(this.#database.state.pageCount + 1);
    this.#generation = undefined;
    this.#database.newerPages = undefined;
  }

  #refuseRewrite(from: Uint8Array, offset: number, length: number, position: number): void {
    const generation = this.#generation;
    if (generation === undefined || generation.frames.count === 0) return;
    if (position >= endOfFrames(generation)) return;
    // A new header means that the client starts the WAL anew, as it may.
    if (position === 0 && length >= WAL_HEADER_SIZE) {
      const view = new DataView(from.buffer, from.byteOffset + offset, WAL_HEADER_SIZE);
      const { salt1, salt2 } = generation.header;
      if (view.getUint32(16) !== salt1 || view.getUint32(20) !== salt2) return;
    }
    // A frame that comes in two writes may be whole after the first: what stood behind it, from a
    // WAL before, is what the second will write.
    const committed = Math.min(length, endOfFrames(generation) - position);
    if (this.#holds(from.subarray(offset, offset + committed), position)) return;
    throw new EngineError(
      'WAL_BEHIND_LOG',
      `Cannot overwrite committed frames in the WAL of ${this.#database.name}`,
      { hint: 'A client died while it committed; what it wrote is kept. Try again' },
    );
  }

  #holds(bytes: Uint8Array, position: number): boolean {
    const held = new Uint8Array(bytes.length);
    const count = this.#file.read('wal.read', held, 0, held.length, position);
    return count === held.length && Buffer.compare(held, bytes) === 0;
  }

  #removed(): EngineError {
    return new EngineError(
      'WAL_BEHIND_LOG',
      `Cannot write to the WAL of ${this.#database.name}: it was removed`,
      { hint: 'Close the connection and open it again' },
    );
  }

  /** Frames that a client writes a second time have to be verified a second time. */
  #forgetRewritten(generation: WalGeneration, position: number): void {
    const { header, frames, open, chain, loggedSums } = generation;
    const kept = Math.max(walFrameAt(position, header.pageSize) - 1 - frames.count, 0);
    if (kept >= open.length) return;
    open.length = kept;
    if (kept === 0) {
      chain.sums.set(loggedSums);
      return;
    }
    // The sums up to a verified frame are those in its header.
    const at = walFrameOffset(frames.count + kept, header.pageSize);
    const slot = (RECENT_FRAMES - 1) * (WAL_FRAME_HEADER_SIZE + header.pageSize);
    this.#file.read('wal.read', this.#recent, slot, WAL_FRAME_HEADER_SIZE, at);
    chain.sums[0] = this.#recentView.getUint32(slot + 16);
    chain.sums[1] = this.#recentView.getUint32(slot + 20);
  }

  /** Verifies the frames that are whole now, and commits the transactions that they end. */
  *#takeIn(generation: WalGeneration, written: WrittenRange): Job<void> {
    const { header, chain, frames, open } = generation;
    const frameSize = WAL_FRAME_HEADER_SIZE + header.pageSize;
    try {
      for (;;) {
        const position = walFrameOffset(frames.count + open.length + 1, header.pageSize);
        // Frames behind those that were written now were looked at when they were written.
        if (position >= written.end || position + frameSize > this.#sizeBytes) return;
        const slot = Math.min(open.length, RECENT_FRAMES - 1) * frameSize;
        this.#file.read('wal.read', this.#recent, slot, frameSize, position);
        if (!chain.accept(this.#recentView, slot)) return;
        open.push(walFramePgno(this.#recentView, slot));
        const pageCount = walFrameCommit(this.#recentView, slot);
        if (pageCount > 0) yield* this.#commit(generation, pageCount);
      }
    } catch (error) {
      this.#revoke(written);
      throw error;
    }
  }

  *#commit(generation: WalGeneration, pageCount: number): Job<void> {
    const { header, chain, frames, open, loggedSums } = generation;
    const { committer, clock, nodeId } = this.#context;
    const database = this.#database;
    const first = frames.count + 1;
    this.#checkPageCount(open, pageCount);
    const newest = this.#newest;
    newest.clear();
    for (const [n, pgno] of open.entries()) newest.set(pgno, first + n);
    const source: PageSource = {
      pages: () => newest.sortedPages(),
      view: (pgno, buffer) => this.#viewPage(newest.get(pgno), buffer),
    };
    const offset = walFrameOffset(first, header.pageSize);
    const prepared = yield* prepareTransaction(database, source, {
      pageSize: header.pageSize,
      pageCount,
      keptPageCount: Math.min(database.state.pageCount, pageCount),
      timestampMs: clock.wallMs(),
      nodeId,
      wal: {
        offset,
        size: walFrameOffset(first + open.length, header.pageSize) - offset,
        salt1: header.salt1,
        salt2: header.salt2,
      },
    });
    const pageCountBefore = database.state.pageCount;
    if (prepared !== undefined) yield* committer.commit([prepared]);

    const { checksums } = database;
    let lastPgno = pageCountBefore;
    for (const [n, pgno] of open.entries()) {
      lastPgno = Math.max(lastPgno, pgno);
      // Only the newest version of a page in a transaction will ever be copied into the database.
      const isCopied = newest.get(pgno) === first + n && pgno <= pageCount;
      if (isCopied) frames.add(pgno, checksums.hi(pgno), checksums.lo(pgno));
      else frames.add(pgno, 0, 0);
    }
    frames.addCommit(database.state);
    frames.markLost(pageCount + 1, lastPgno);
    loggedSums.set(chain.sums);
    open.length = 0;
  }

  #viewPage(frame: number, buffer: Uint8Array): Uint8Array | undefined {
    if (frame === -1) return undefined;
    const { frames, header } = this.#generation!;
    const index = frame - frames.count - 1;
    // The last slot is whatever frame was read last.
    if (index < RECENT_FRAMES - 1) {
      const start = index * (WAL_FRAME_HEADER_SIZE + header.pageSize) + WAL_FRAME_HEADER_SIZE;
      return this.#recent.subarray(start, start + header.pageSize);
    }
    this.readFrame(frame, buffer);
    return buffer;
  }

  /** A size that nothing supports would make a transaction of that many pages of zeros. */
  #checkPageCount(open: readonly number[], pageCount: number): void {
    let known = this.#database.state.pageCount;
    for (const pgno of open) known = Math.max(known, pgno);
    if (pageCount <= known + ABSENT_PAGES_MAX) return;
    throw new EngineError(
      'DATABASE_CORRUPT',
      `Cannot commit to ${this.#database.name}: ${pageCount} pages, of which ${known} are known`,
    );
  }

  /** The client is told that its write failed: then a recovery must not find it either. */
  #revoke({ position, end }: WrittenRange): void {
    const generation = this.#generation;
    let start = position;
    if (generation !== undefined) {
      generation.open.length = 0;
      generation.chain.sums.set(generation.loggedSums);
      start = Math.max(position, endOfFrames(generation));
    }
    if (end < this.#sizeBytes) {
      const zeros = new Uint8Array(Math.max(end - start, 0));
      this.#file.write('wal.revoke', zeros, 0, zeros.length, start);
    } else if (start < this.#sizeBytes) {
      this.#file.truncate('wal.revoke', start);
    }
    // What was written past the old end may be there in part.
    this.#file.truncate('wal.revoke', this.#sizeBytes);
  }
}

/** Transactions of fewer frames than this are kept in memory until they are in the log. */
const RECENT_FRAMES = 8;

/** The bytes of the file that one write has changed. */
interface WrittenRange {
  readonly position: number;
  readonly end: number;
}

/** SQLite may end a database in pages that it took and freed again, and wrote in no frame. */
const ABSENT_PAGES_MAX = 65_536;

function heldOff(name: string): EngineError {
  const message = `Cannot write to the WAL of ${name}: the database is being replaced`;
  return new EngineError('DATABASE_IN_USE', message);
}

/** What it holds would be read by clients, and never be in the log. */
function foreignWal(name: string, { pageSize }: WalHeader): EngineError {
  const message = `Cannot use a WAL beside ${name}: its pages have ${pageSize} bytes`;
  return new EngineError('IMAGE_PAGE_SIZE', message, { hint: 'It is that of another database' });
}
