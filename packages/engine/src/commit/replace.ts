// Replaces a database by an image of another, in one transaction: a file that was copied in, an
// import.
//
// Connections that are open stay open. They are kept out while it happens, and read everything anew
// afterwards: in rollback modes because the change counter differs, in WAL mode because the
// wal-index does.

import { DiskError } from '@skein/host';
import { decodeDatabaseHeader } from '@skein/sqlite-file';

import type { EngineContext } from '../context.ts';
import type { Database } from '../database/database.ts';
import { EngineError, LogFailedError } from '../errors.ts';
import type { Job } from '../jobs/jobs.ts';
import { Pending } from '../jobs/pending.ts';
import type { Exclusion } from '../ports.ts';
import type { DatabaseFiles } from '../store/database-files.ts';
import {
  applyTransaction,
  assertRoomFor,
  brokenFile,
  giveRoomBack,
  makeRoom,
} from './apply-transaction.ts';
import { type DatabaseImage, type ImagePatch, imageSource } from './image.ts';
import { abandon, forgetContent } from './rollback-commit.ts';
import { type PreparedTransaction, prepareTransaction } from './transaction.ts';

export function* replaceDatabase(
  context: EngineContext,
  files: DatabaseFiles,
  image: DatabaseImage,
): Job<void> {
  const exclusion = files.hasClients ? yield* excludeClients(context, files) : undefined;
  try {
    yield* files.lock.hold(holdOffWriters(files, replace(context, files, image)));
  } finally {
    exclusion?.end();
  }
}

function* holdOffWriters({ wal }: DatabaseFiles, job: Job<void>): Job<void> {
  if (wal === undefined) return yield* job;
  wal.isHeldOff = true;
  try {
    yield* job;
  } finally {
    wal.isHeldOff = false;
  }
}

function* replace(context: EngineContext, files: DatabaseFiles, image: DatabaseImage): Job<void> {
  const { database, wal } = files;
  files.assertWritable();
  assertThere(database);
  checkPageSize(files, image);
  assertRoomFor(context.disk, database, image.pageCount * image.header.pageSize);
  if (files.overlay.isActive || isJournalStale(files)) yield* abandon(context, [files]);
  wal?.completeDatabase();
  const patch = patchFor(files);
  if (patch === undefined) files.beforeFirstTransaction();
  const transaction = yield* prepareImage(context, database, image, patch);
  if (transaction === undefined) return;
  yield* commitReplacement(context, transaction);
  yield* apply(files, transaction);
  // A WAL that was copied in before its database belongs to it; one that clients use is the old
  // one's.
  if (patch === undefined) yield* wal?.takeInAll() ?? [];
  else yield* files.resetWal();
  yield* forgetContent(context, database.name);
}

/**
 * What a client that died has left behind is about the old content. But where there is none, a
 * journal with pages was copied in before its database: the next client plays it back.
 */
function isJournalStale({ database, journal }: DatabaseFiles): boolean {
  if (journal === undefined) return false;
  return database.state.pageCount > 0 || !journal.isOfDatabase;
}

function prepareImage(
  context: EngineContext,
  database: Database,
  image: DatabaseImage,
  patch: ImagePatch | undefined,
): Job<PreparedTransaction | undefined> {
  const { pageCount } = image;
  return prepareTransaction(database, imageSource(image, patch), {
    pageSize: image.header.pageSize,
    pageCount,
    keptPageCount: Math.min(database.state.pageCount, pageCount),
    timestampMs: context.clock.wallMs(),
    nodeId: context.nodeId,
  });
}

function* commitReplacement(
  { committer }: EngineContext,
  transaction: PreparedTransaction,
): Job<void> {
  const { database } = transaction;
  const before = database.state;
  try {
    yield* makeRoom(transaction);
    const lsn = yield* committer.commit([transaction]);
    const durable = committer.whenDurable(lsn);
    if (durable !== undefined) yield durable;
  } catch (error) {
    if (error instanceof LogFailedError) database.restoreState(before);
    giveRoomBack(database);
    throw error;
  }
}

/** It is in the log: when the file cannot take it, the overlay shows it until the next start. */
function* apply(files: DatabaseFiles, transaction: PreparedTransaction): Job<void> {
  const { database, overlay } = files;
  const { next, pgnos, view } = transaction;
  try {
    yield* applyTransaction(transaction);
    database.markFileComplete();
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    files.refuseWrites(brokenFile(database.name, cause));
    overlay.begin(next.pageSize!);
    const buffer = new Uint8Array(next.pageSize!);
    for (const pgno of pgnos) {
      overlay.write(view(pgno, buffer), 0, buffer.length, (pgno - 1) * buffer.length);
    }
    overlay.truncate(next.pageCount * buffer.length);
  }
}

/** Whoever waited for clients to be kept out may have waited too long. */
function assertThere({ exists, name }: Database): void {
  if (exists) return;
  throw new EngineError('DATABASE_NOT_FOUND', `Cannot replace ${name}: it was removed meanwhile`);
}

function checkPageSize({ database }: DatabaseFiles, image: DatabaseImage): void {
  const { pageSize } = database.state;
  if (pageSize === undefined || pageSize === image.header.pageSize) return;
  throw new EngineError(
    'IMAGE_PAGE_SIZE',
    `Cannot replace ${database.name}: its pages have ${pageSize} bytes, the image's ` +
      `${image.header.pageSize}`,
    { hint: 'Drop the database first (rm), or VACUUM the image with the same page size' },
  );
}

function patchFor({ database, wal }: DatabaseFiles): ImagePatch | undefined {
  const { pageSize } = database.state;
  if (pageSize === undefined) return undefined;
  const page = new Uint8Array(pageSize);
  database.readPage(1, page);
  const { changeCounter, schemaCookie } = decodeDatabaseHeader(page);
  return { changeCounter, schemaCookie, isWal: wal !== undefined };
}

function* excludeClients(context: EngineContext, { database }: DatabaseFiles): Job<Exclusion> {
  const excluded = new Pending();
  let exclusion: Exclusion | undefined;
  context.locks.exclude(database.name, (outcome) => {
    if (outcome instanceof Error) return excluded.settle(outcome);
    exclusion = outcome;
    excluded.settle();
  });
  yield excluded;
  return exclusion!;
}
