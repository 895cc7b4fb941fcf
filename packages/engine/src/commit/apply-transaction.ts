// How a transaction gets into the database file: pages that it adds before it is in the log, for
// which there must be room, and pages that it replaces when it is durable there.
//
// Invariant: nothing within the committed size changes before that, and pages above it are
// nobody's.

import { type Disk, DiskError } from '@skein/host';

import type { Database } from '../database/database.ts';
import { EngineError } from '../errors.ts';
import type { Job } from '../jobs/jobs.ts';
import type { PreparedTransaction } from './transaction.ts';

/** Pages that lie side by side are written together, at most this many bytes. */
const RUN_BYTES = 1024 * 1024;

/** So much a database may grow without a look at the disk. */
const UNCHECKED_BYTES = 64 * 1024 * 1024;

/**
 * A file with holes can claim any size, and would keep node and disk busy until that is full.
 * Throws ENOSPC when a database cannot grow to `sizeBytes`.
 */
export function assertRoomFor(disk: Disk, database: Database, sizeBytes: number): void {
  const growthBytes = sizeBytes - database.fileSize;
  if (growthBytes <= UNCHECKED_BYTES) return;
  const { availableBytes } = disk.space('database.space', database.folder);
  if (growthBytes > availableBytes) throw new DiskError('database.room', database.name, 'ENOSPC');
}

/**
 * Extends the file before the commit, with the pages that the commit adds: a full disk has to show
 * now. Pages above the committed size are nobody's until then.
 */
export function* makeRoom(transaction: PreparedTransaction): Job<void> {
  const { database, next, pgnos } = transaction;
  const added = pgnos.subarray(firstAdded(transaction));
  yield* writePages(transaction, added, (pgno, bytes, length) => {
    database.file.write('database.room', bytes, 0, length, (pgno - 1) * next.pageSize!);
  });
}

export function giveRoomBack(database: Database): void {
  const { pageSize, pageCount } = database.state;
  const sizeBytes = pageCount * (pageSize ?? 0);
  if (database.fileSize > sizeBytes) database.truncateFile(sizeBytes);
}

/** Puts a durable transaction into the database file; the pages that it adds are there. */
export function* applyTransaction(transaction: PreparedTransaction): Job<void> {
  const { database, next, pgnos } = transaction;
  const replaced = pgnos.subarray(0, firstAdded(transaction));
  yield* writePages(transaction, replaced, (pgno, bytes, length) => {
    database.writeFile(pgno, bytes, 0, length);
  });
  const sizeBytes = next.pageCount * next.pageSize!;
  if (database.fileSize !== sizeBytes) database.truncateFile(sizeBytes);
}

/** Why a database takes no writes whose file could not take what is in the log. */
export function brokenFile(name: string, cause: Error): EngineError {
  return new EngineError('DATABASE_BROKEN', `Cannot write to the file of ${name}`, {
    cause,
    hint: 'The transaction is in the log. Make room or replace the disk, then restart',
  });
}

/** Index of the first page that the database did not have before. */
function firstAdded({ pgnos, pageCountBefore }: PreparedTransaction): number {
  const index = pgnos.findIndex((pgno) => pgno > pageCountBefore);
  return index === -1 ? pgnos.length : index;
}

/** Gives pages that lie side by side to `write` together. */
function* writePages(
  { database, next, view }: PreparedTransaction,
  pgnos: Uint32Array,
  write: (firstPgno: number, bytes: Uint8Array, length: number) => void,
): Job<void> {
  const pageSize = next.pageSize!;
  const run = new Uint8Array(Math.min(RUN_BYTES, pgnos.length * pageSize));
  const page = new Uint8Array(pageSize);
  let runPgno = 0;
  let runBytes = 0;
  for (const pgno of pgnos) {
    const continues = runPgno + runBytes / pageSize === pgno && runBytes < run.length;
    if (!continues && runBytes > 0) {
      write(runPgno, run, runBytes);
      if (runBytes === RUN_BYTES) yield;
      runBytes = 0;
    }
    if (runBytes === 0) runPgno = pgno;
    database.beforeReplace(pgno, 0);
    run.set(view(pgno, page), runBytes);
    runBytes += pageSize;
  }
  if (runBytes > 0) write(runPgno, run, runBytes);
}
