// SQLite's checkpoint, done by a replica: nobody else may write to the database file there
// (src/wal.c, walCheckpoint and walRestartHdr).
//
//   CKPT lock → how far readers allow → READ0 lock → pages into the database file → the kernel has
//   forgotten the old ones → nBackfill → locks off
//
// Invariants:
//  - The file gets no page of a frame behind the mark of a reader whose lock is held.
//  - nBackfill moves only when nobody can read an older page of the file, from the kernel either.
//  - The WAL begins anew only under all read locks but the first.
//
// No sync: the file counts up to the last checkpoint of the node (recovery/checkpoint.ts), and what
// came later is in the log.

import { assert } from '@skein/bytes';
import { DiskError } from '@skein/host';
import {
  WAL_CKPT_LOCK,
  WAL_READ_LOCK_COUNT,
  WAL_READ_LOCK_FIRST,
  WAL_READ_MARKS_OFFSET,
  WAL_READ_MARKS_SIZE,
} from '@skein/sqlite-file';

import type { EngineContext } from '../context.ts';
import type { Database } from '../database/database.ts';
import type { Job } from '../jobs/jobs.ts';
import { Pending } from '../jobs/pending.ts';
import type { ByteRange, Presence } from '../ports.ts';
import type { ReplicaIndex } from './replica-index.ts';
import type { ReplicaWal } from './replica-wal.ts';
import { RunWriter } from './run-writer.ts';

/** A step copies this many bytes of pages, however they lie: about 5 ms. */
const STEP_BYTES = 1024 * 1024;

/**
 * More pieces than this, and the kernel forgets the whole file, which readers then have to read
 * anew. A checkpoint that is not late has no more frames.
 */
const RANGES_MAX = 1024;

export interface CheckpointParts {
  readonly context: Pick<EngineContext, 'kernel'>;
  readonly database: Database;
  readonly wal: ReplicaWal;
  readonly index: ReplicaIndex;
  readonly presence: Presence;
}

/**
 * Copies what readers allow into the database file. Returns the byte of the lock that keeps it from
 * copying all, or undefined. Throws DiskError.
 */
export function* backfill(parts: CheckpointParts): Job<number | undefined> {
  const { index, presence } = parts;
  const { mxFrame } = index;
  if (index.nBackfill === mxFrame) return undefined;
  if (!presence.tryLock(WAL_CKPT_LOCK, 1, 'exclusive')) return WAL_CKPT_LOCK;
  try {
    const { frame, obstacle } = yield* findSafeFrame(parts, mxFrame);
    if (frame <= index.nBackfill) return obstacle;
    if (!presence.tryLock(WAL_READ_LOCK_FIRST, 1, 'exclusive')) return WAL_READ_LOCK_FIRST;
    try {
      yield* index.announceBackfill(frame);
      const ranges = yield* copyPages(parts, frame);
      yield* forgetPages(parts, ranges);
      yield* index.setBackfill(frame);
    } finally {
      presence.unlock(WAL_READ_LOCK_FIRST, 1);
    }
    return obstacle;
  } finally {
    presence.unlock(WAL_CKPT_LOCK, 1);
  }
}

/** Begins the WAL anew if all of it is in the database file and nobody reads it. */
export function* tryRestart({ wal, index, presence }: CheckpointParts): Job<boolean> {
  if (index.mxFrame === 0 || index.nBackfill < index.mxFrame) return false;
  const first = WAL_READ_LOCK_FIRST + 1;
  const count = WAL_READ_LOCK_COUNT - 1;
  if (!presence.tryLock(first, count, 'exclusive')) return false;
  try {
    wal.restart(yield* index.restart(wal.state.pageCount));
    return true;
  } finally {
    presence.unlock(first, count);
  }
}

interface SafeFrame {
  readonly frame: number;
  /** The read lock of who needs an older state; undefined when nobody does. */
  readonly obstacle: number | undefined;
}

/**
 * The last frame that no reader is in the way of. A mark without a lock is nobody's: who takes the
 * lock next looks at the header once more, and sees at least `mxFrame`.
 */
function* findSafeFrame({ presence, database }: CheckpointParts, mxFrame: number): Job<SafeFrame> {
  const marks = yield* readMarks(presence, database.name);
  let safe: SafeFrame = { frame: mxFrame, obstacle: undefined };
  for (let n = 1; n < WAL_READ_LOCK_COUNT; n++) {
    const mark = marks[n]!;
    if (mark >= safe.frame) continue;
    const lock = WAL_READ_LOCK_FIRST + n;
    if (presence.tryLock(lock, 1, 'exclusive')) presence.unlock(lock, 1);
    else safe = { frame: mark, obstacle: lock };
  }
  return safe;
}

/** Throws DiskError: they are read through the mount, which may be going. */
function* readMarks(presence: Presence, name: string): Job<Uint32Array> {
  const read = new Pending();
  let bytes: Uint8Array | undefined;
  const end = WAL_READ_MARKS_OFFSET + WAL_READ_MARKS_SIZE;
  presence.readIndex(end, (outcome) => {
    if (outcome instanceof Error) {
      return read.settle(new DiskError('shm.marks', `${name}-shm`, 'EIO', outcome));
    }
    bytes = outcome.slice(WAL_READ_MARKS_OFFSET, end);
    read.settle();
  });
  yield read;
  assert(bytes?.length === WAL_READ_MARKS_SIZE, 'The wal-index has no header');
  return new Uint32Array(bytes.buffer, 0, WAL_READ_LOCK_COUNT);
}

/** Puts the newest version of each page up to `last` into the file. Returns where. */
function* copyPages({ database, wal }: CheckpointParts, last: number): Job<ByteRange[]> {
  const { frames, header } = wal.committed;
  const { pageCount } = wal.state;
  const { pageSize } = header;
  const ranges: ByteRange[] = [];
  const writer = new RunWriter(pageCount * pageSize, (bytes, length, offset) => {
    database.file.write('database.write', bytes, 0, length, offset);
    ranges.push({ offset, length });
  });
  let stepBytes = 0;
  const copied: number[] = [];
  for (const { pgno, frame } of frames.pending(last)) {
    if (pgno > pageCount) continue;
    if (stepBytes >= STEP_BYTES) {
      yield;
      stepBytes = 0;
    }
    database.beforeReplace(pgno, frame);
    wal.readFrame(frame, writer.put((pgno - 1) * pageSize, pageSize));
    stepBytes += pageSize;
    copied.push(frame);
  }
  writer.flush();
  for (const frame of copied) frames.markDone(frame);
  const isWhole = last === frames.count;
  if (isWhole) cutFile(database, pageCount * pageSize);
  return ranges;
}

function cutFile(database: Database, sizeBytes: number): void {
  if (database.fileSize === sizeBytes) return;
  database.truncateFile(sizeBytes);
}

function* forgetPages(
  { context, database }: CheckpointParts,
  ranges: readonly ByteRange[],
): Job<void> {
  const forgotten = new Pending();
  const done = (): void => forgotten.settle();
  if (ranges.length > RANGES_MAX) context.kernel.forgetContent(database.name, done);
  else context.kernel.forgetRanges(database.name, ranges, done);
  yield forgotten;
}
