// The WAL of a database on a replica: the node writes what it has received as frames, in the order
// of the log, and clients read them.
//
// Invariants:
//  - Frames up to frames.count are whole, and of transactions that are durable in the log.
//  - They stay until restart(), when all of them are in the database file and nobody reads them.
//  - The first page has the bytes that are shown (shown-mode.ts); what is read here are the true
//    ones.
//
// The file itself is a cache of the log. It is never synced, and is gone after a crash.

import { assert } from '@skein/bytes';
import type { DiskFile } from '@skein/host';
import {
  WAL_FRAME_HEADER_SIZE,
  walFrameOffset,
  WalChain,
  type WalHeader,
} from '@skein/sqlite-file';

import type { EngineContext } from '../context.ts';
import type { Database, NewerPages } from '../database/database.ts';
import type { DatabaseState } from '../database/database-state.ts';
import { WalFrames } from '../database/wal-frames.ts';
import type { CommittedWal } from '../database/wal-generation.ts';
import type { MountFile } from '../files/mount-file.ts';
import { OpenScratch } from '../files/open-scratch.ts';
import { replicaReadOnly } from './refuse.ts';
import { restoreShown } from './shown-mode.ts';

export interface ReplicaWalOptions {
  readonly context: EngineContext;
  readonly database: Database;
  readonly file: DiskFile;
  /** That of the database file; it is complete. */
  readonly state: DatabaseState;
}

/** A WAL between two restarts. */
export interface ReplicaGeneration extends CommittedWal {
  /** Of the database when the WAL began: all of that is in the database file. */
  readonly stateBefore: DatabaseState;
}

/** A file that was long while a reader held it up does not keep that room for ever. */
const KEPT_BYTES = 16 * 1024 * 1024;

export class ReplicaWal implements MountFile, NewerPages {
  readonly bypassesCache = false;
  readonly wantsFlush = false;
  readonly file: DiskFile;
  readonly #context: EngineContext;
  readonly #database: Database;
  readonly #scratch: OpenScratch;
  #generation: ReplicaGeneration;

  constructor({ context, database, file, state }: ReplicaWalOptions) {
    assert(state.pageSize !== undefined, 'A WAL belongs to a database with pages');
    this.file = file;
    this.#context = context;
    this.#database = database;
    this.#scratch = new OpenScratch(context.disk, file);
    const salts = new Uint8Array(8);
    context.random.fill(salts);
    const view = new DataView(salts.buffer);
    this.#generation = startGeneration(
      {
        bigEndianChecksums: false,
        pageSize: state.pageSize,
        checkpointSequence: 0,
        salt1: view.getUint32(0),
        salt2: view.getUint32(4),
      },
      state,
    );
  }

  get sizeBytes(): number {
    return this.file.size('wal.size');
  }

  get backing(): DiskFile | undefined {
    return this.#context.canPassThrough ? this.file : undefined;
  }

  get committed(): ReplicaGeneration {
    return this.#generation;
  }

  /** The state that readers see. */
  get state(): DatabaseState {
    return this.#generation.frames.lastState ?? this.#generation.stateBefore;
  }

  /** What of the file holds frames. */
  get usedBytes(): number {
    const { frames, header } = this.#generation;
    return walFrameOffset(frames.count + 1, header.pageSize);
  }

  get fileState(): DatabaseState {
    const { frames, stateBefore } = this.#generation;
    return frames.lastDoneCommit()?.state ?? stateBefore;
  }

  opened(): void {
    this.#scratch.opened();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.file.read('wal.read', into, offset, length, position);
  }

  write(): never {
    throw replicaReadOnly(`${this.#database.name}-wal`);
  }

  truncate(): never {
    throw replicaReadOnly(`${this.#database.name}-wal`);
  }

  sync(): undefined {
    return undefined;
  }

  flush(): undefined {
    return undefined;
  }

  release(): void {
    this.#scratch.released();
  }

  /** The newest version of a page, if it has to be taken from here. */
  readPage(pgno: number, into: Uint8Array): boolean {
    const { frames } = this.#generation;
    const frame = frames.findAtOrBefore(pgno, frames.count);
    if (frame === 0) return false;
    this.readFrame(frame, into);
    return true;
  }

  /** The page of a frame, as it is in the log. */
  readFrame(frame: number, into: Uint8Array): void {
    const { frames, header } = this.#generation;
    const position = walFrameOffset(frame, header.pageSize) + WAL_FRAME_HEADER_SIZE;
    const count = this.file.read('wal.read', into, 0, header.pageSize, position);
    assert(count === header.pageSize, 'A frame that is in the log is not in the WAL');
    if (frames.pgnoOf(frame) !== 1) return;
    const page = into.subarray(0, header.pageSize);
    restoreShown(page, frames.checksumHi(frame), frames.checksumLo(frame));
  }

  /**
   * All is in the database file, and nobody reads from here: the next frame is the first one, with
   * these salts.
   */
  restart(salts: Pick<WalHeader, 'salt1' | 'salt2'>): void {
    const { frames, header } = this.#generation;
    assert(frames.isBackfilled, 'A WAL is begun anew that is needed');
    const { state } = this;
    this.#database.beforeCut(state.pageCount + 1);
    const checkpointSequence = (header.checkpointSequence + 1) >>> 0;
    const { salt1, salt2 } = salts;
    this.#generation = startGeneration({ ...header, checkpointSequence, salt1, salt2 }, state);
    if (this.sizeBytes > KEPT_BYTES) this.file.truncate('wal.truncate', 0);
  }

  /** The name is gone; clients that have it open keep it. */
  unlink(): void {
    this.#scratch.unlink();
  }

  close(): void {
    this.#scratch.close();
  }
}

function startGeneration(header: WalHeader, stateBefore: DatabaseState): ReplicaGeneration {
  const { sums } = new WalChain(header);
  return { header, stateBefore, loggedSums: sums, frames: new WalFrames() };
}
