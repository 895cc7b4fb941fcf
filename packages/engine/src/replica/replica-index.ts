// The wal-index of a database on a replica: says to the readers what the node has put into the WAL.
// The node is its only writer for as long as it is a replica, and holds WAL_WRITE_LOCK all that
// time (https://sqlite.org/walformat.html section 2; src/wal.c).
//
// Invariants:
//  - What the index says follows from what the node knows, never from the memory of clients, who
//    can write there. Only the marks of readers are theirs, and left alone.
//  - Frames are in the WAL, and pages in the database file, before the index says so.

import { assert } from '@skein/bytes';
import {
  commitToWalIndex,
  READ_MARK_NOT_USED,
  readWalIndexHeader,
  restartWalIndex,
  WAL_ATTEMPTED_OFFSET,
  WAL_BACKFILL_OFFSET,
  WAL_INDEX_BLOCK_SIZE,
  WAL_INDEX_COPY_SIZE,
  WAL_INDEX_HEADER_SIZE,
  WAL_READ_LOCK_COUNT,
  walIndexBlock,
  type WalIndexBlock,
  walIndexBlockOf,
  type WalIndexHeader,
  writeWalCheckpointInfo,
  writeWalIndexHeader,
} from '@skein/sqlite-file';

import type { EngineContext } from '../context.ts';
import type { CommittedWal } from '../database/wal-generation.ts';
import type { Job } from '../jobs/jobs.ts';
import { Pending } from '../jobs/pending.ts';
import type { ByteRange, ClientMapping } from '../ports.ts';
import type { ReplicaShm } from './replica-shm.ts';

/** The two copies: readers look at the first one first, so that goes last. */
const HEADER_RANGES: readonly ByteRange[] = [
  { offset: WAL_INDEX_COPY_SIZE, length: WAL_INDEX_COPY_SIZE },
  { offset: 0, length: WAL_INDEX_COPY_SIZE },
];

/** Page numbers are in the first half of a block, the hash table is the second. */
const HASH_TABLE_OFFSET = WAL_INDEX_BLOCK_SIZE / 2;

export class ReplicaIndex {
  readonly #context: EngineContext;
  readonly #name: string;
  readonly #shm: ReplicaShm;
  #header: WalIndexHeader;
  #isStarted = false;
  /** Frames that clients know to be in the database file. */
  #nBackfill = 0;

  /** `name`: of the file on the mount. */
  constructor(context: EngineContext, name: string, shm: ReplicaShm) {
    this.#context = context;
    this.#name = name;
    this.#shm = shm;
    this.#header = EMPTY_HEADER;
  }

  /** Whether it is the node's; before, clients make it for themselves. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  get mxFrame(): number {
    return this.#header.mxFrame;
  }

  get nBackfill(): number {
    return this.#nBackfill;
  }

  /** Makes it the index of a WAL in which there is nothing. The DMS byte must be held. */
  *start({ header }: CommittedWal, pageCount: number): Job<void> {
    this.#shm.isOurs = true;
    yield* this.#growTo(WAL_INDEX_BLOCK_SIZE);
    const { mapping, blocks } = this.#map(1);
    const previous = readWalIndexHeader(blocks[0]!);
    // Another counter than before: who has read the database by the old index reads it anew.
    const changeCounter = ((previous?.changeCounter ?? 0) + 1) >>> 0;
    const next = { ...EMPTY_HEADER, ...saltsAndForm(header), changeCounter, pageCount };
    writeWalIndexHeader(blocks[0]!, next);
    writeWalCheckpointInfo(blocks[0]!, EMPTY_INFO);
    const marks = { offset: WAL_BACKFILL_OFFSET, length: INFO_SIZE };
    yield* settled(mapping.publishRanges([marks, ...HEADER_RANGES]));
    this.#header = next;
    this.#isStarted = true;
  }

  /** Makes room for so many frames. Throws DiskError. */
  *reserve(frameCount: number): Job<void> {
    yield* this.#growTo((walIndexBlockOf(frameCount) + 1) * WAL_INDEX_BLOCK_SIZE);
  }

  /** Shows the frames behind those that it shows already: they are in the WAL, room is reserved. */
  *publish(wal: CommittedWal): Job<void> {
    const { frames, header, loggedSums } = wal;
    const first = this.#header.mxFrame + 1;
    assert(frames.count >= first, 'There are no frames to show');
    const blockCount = walIndexBlockOf(frames.count) + 1;
    const { mapping, blocks } = this.#map(blockCount);
    const next = commitToWalIndex(blocks, this.#header, header, {
      pgnos: frames.pagesFrom(first),
      pageCount: frames.lastPageCount,
      sums: loggedSums,
    });
    const entries = entryRanges(blocks, first, frames.count);
    yield* settled(mapping.publishRanges([...entries, ...HEADER_RANGES]));
    // If that has failed, the next attempt begins with the same frames.
    this.#header = next;
  }

  /** Says that pages may be on their way into the database file, up to this frame. */
  *announceBackfill(frame: number): Job<void> {
    yield* this.#setNumber(WAL_ATTEMPTED_OFFSET, frame);
  }

  /** Says that all pages up to this frame are in the database file. */
  *setBackfill(frame: number): Job<void> {
    assert(frame <= this.#header.mxFrame, 'More is in the database file than in the WAL');
    yield* this.#setNumber(WAL_BACKFILL_OFFSET, frame);
    this.#nBackfill = frame;
  }

  /**
   * Nothing of the WAL is needed any more: the next transaction begins it anew, with the salts that
   * are returned. The caller has every read lock but the first exclusively.
   */
  *restart(pageCount: number): Job<Pick<WalIndexHeader, 'salt1' | 'salt2'>> {
    assert(this.#nBackfill === this.#header.mxFrame, 'Not all of the WAL is in the database file');
    const salt = new Uint8Array(4);
    this.#context.random.fill(salt);
    const { mapping, blocks } = this.#map(1);
    const salt2 = new DataView(salt.buffer).getUint32(0);
    const next = restartWalIndex(blocks[0]!, this.#header, { pageCount, salt2 });
    const info = { offset: WAL_BACKFILL_OFFSET, length: INFO_SIZE };
    // The header first: with the old one, and nothing in the database file, who comes in between
    // would look for pages in a WAL that is about to be overwritten.
    yield* settled(mapping.publishRanges([...HEADER_RANGES, info]));
    this.#header = next;
    this.#nBackfill = 0;
    return next;
  }

  *#setNumber(offset: number, value: number): Job<void> {
    const { mapping, blocks } = this.#map(1);
    Atomics.store(blocks[0]!.words, offset / 4, value);
    yield* settled(mapping.publishRanges([{ offset, length: 4 }]));
  }

  #map(blockCount: number): { mapping: ClientMapping; blocks: WalIndexBlock[] } {
    const { memory } = this.#context;
    const mapping = memory.map(this.#name, this.#shm.file, blockCount * WAL_INDEX_BLOCK_SIZE);
    const blocks = Array.from({ length: blockCount }, (_, n) => {
      const start = n * WAL_INDEX_BLOCK_SIZE;
      return walIndexBlock(mapping.bytes.subarray(start, start + WAL_INDEX_BLOCK_SIZE), n);
    });
    return { mapping, blocks };
  }

  /**
   * With zeros, not with a hole: on a full disk that fails here, and not where it is mapped.
   * Clients must not take it for shorter than it is when they look for an entry.
   */
  *#growTo(length: number): Job<void> {
    const { sizeBytes } = this.#shm;
    if (sizeBytes >= length) return;
    const zeros = new Uint8Array(length - sizeBytes);
    this.#shm.file.write('shm.grow', zeros, 0, zeros.length, sizeBytes);
    const forgotten = new Pending();
    this.#context.kernel.forgetRanges(this.#name, [], () => forgotten.settle());
    yield forgotten;
  }
}

const EMPTY_HEADER: WalIndexHeader = {
  changeCounter: 0,
  bigEndianChecksums: false,
  pageSize: 0,
  mxFrame: 0,
  pageCount: 0,
  frameChecksum1: 0,
  frameChecksum2: 0,
  salt1: 0,
  salt2: 0,
};

const EMPTY_INFO = {
  nBackfill: 0,
  nBackfillAttempted: 0,
  readMarks: Array.from({ length: WAL_READ_LOCK_COUNT }, (_, n) =>
    n <= 1 ? 0 : READ_MARK_NOT_USED,
  ),
};

const INFO_SIZE = WAL_INDEX_HEADER_SIZE - WAL_BACKFILL_OFFSET;

function saltsAndForm({
  bigEndianChecksums,
  pageSize,
  salt1,
  salt2,
}: CommittedWal['header']): Pick<
  WalIndexHeader,
  'bigEndianChecksums' | 'pageSize' | 'salt1' | 'salt2'
> {
  return { bigEndianChecksums, pageSize, salt1, salt2 };
}

/** What changes when the frames from `first` to `last` are entered. */
function entryRanges(blocks: readonly WalIndexBlock[], first: number, last: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let n = walIndexBlockOf(first); n <= walIndexBlockOf(last); n++) {
    const { framesBefore, pgnos } = blocks[n]!;
    const blockAt = n * WAL_INDEX_BLOCK_SIZE;
    const pgnosAt = blockAt + HASH_TABLE_OFFSET - pgnos.length * 4;
    // The first entry of a block empties all of it.
    const from = Math.max(first - framesBefore, 1);
    const start = from === 1 ? pgnosAt : pgnosAt + (from - 1) * 4;
    ranges.push({ offset: start, length: blockAt + WAL_INDEX_BLOCK_SIZE - start });
  }
  return ranges;
}

function* settled(pending: Pending | undefined): Job<void> {
  if (pending !== undefined) yield pending;
}
