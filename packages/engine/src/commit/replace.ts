// Replaces a database by an image of another, in one transaction: a file that was copied in, an
// import.
//
// Connections that are open stay open. They are kept out while it happens, and read everything anew
// afterwards: in rollback modes because the change counter differs, in WAL mode because the
// wal-index does.

import { DiskError } from '@skein/host';
import { decodeDatabaseHeader } from '@skein/sqlite-file';

import type { Database } from '../database/database.ts';
import { EngineError, LogFailedError } from '../errors.ts';
import type { JobLock } from '../jobs/job-lock.ts';
import type { Job } from '../jobs/jobs.ts';
import { Pending } from '../jobs/pending.ts';
import type { ClientLocks, Exclusion } from '../ports.ts';
import {
  applyTransaction,
  assertRoomFor,
  brokenFile,
  giveRoomBack,
  makeRoom,
} from './apply-transaction.ts';
import { type DatabaseImage, type ImagePatch, imageSource } from './image.ts';
import {
  abandon,
  type CommitContext,
  forgetContent,
  type RollbackTransaction,
} from './rollback-commit.ts';
import { type PreparedTransaction, prepareTransaction } from './transaction.ts';

export interface ReplaceContext extends CommitContext {
  readonly locks: ClientLocks;
}

/** All files of the database that is replaced. */
export interface ReplacedFiles extends RollbackTransaction {
  /** Held by whatever changes the state of the database. */
  readonly lock: JobLock;
  /** Whether a client has the database open. */
  readonly hasClients: boolean;
  readonly journal: ReplacedJournal | undefined;
  readonly wal: ReplacedWal | undefined;
  /** Throws the reason why nothing is written any more. */
  assertWritable(): void;
  /** The WAL is empty afterwards, and who knew the old one notices. */
  resetWal(): Job<void>;
}

export interface ReplacedJournal {
  /** Whether it brings a database back that had pages. */
  readonly isOfDatabase: boolean;
}

export interface ReplacedWal {
  /** Whether clients may not write to it. */
  isHeldOff: boolean;
  /** Copies what is only here into the database file. */
  completeDatabase(): void;
  /** Takes in the transactions of a file that was there before the database was. */
  takeInAll(): Job<void>;
}

export function* replaceDatabase(
  context: ReplaceContext,
  files: ReplacedFiles,
  image: DatabaseImage,
): Job<void> {
  const exclusion = files.hasClients ? yield* excludeClients(context, files) : undefined;
  try {
    yield* files.lock.hold(holdOffWriters(files, replace(context, files, image)));
  } finally {
    exclusion?.end();
  }
}

function* holdOffWriters({ wal }: ReplacedFiles, job: Job<void>): Job<void> {
  if (wal === undefined) return yield* job;
  wal.isHeldOff = true;
  try {
    yield* job;
  } finally {
    wal.isHeldOff = false;
  }
}

function* replace(context: ReplaceContext, files: ReplacedFiles, image: DatabaseImage): Job<void> {
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
function isJournalStale({ database, journal }: ReplacedFiles): boolean {
  if (journal === undefined) return false;
  return database.state.pageCount > 0 || !journal.isOfDatabase;
}

function prepareImage(
  context: CommitContext,
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
  { committer }: CommitContext,
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
function* apply(files: ReplacedFiles, transaction: PreparedTransaction): Job<void> {
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

function checkPageSize({ database }: ReplacedFiles, image: DatabaseImage): void {
  const { pageSize } = database.state;
  if (pageSize === undefined || pageSize === image.header.pageSize) return;
  throw new EngineError(
    'IMAGE_PAGE_SIZE',
    `Cannot replace ${database.name}: its pages have ${pageSize} bytes, the image's ` +
      `${image.header.pageSize}`,
    { hint: 'Drop the database first (rm), or VACUUM the image with the same page size' },
  );
}

function patchFor({ database, wal }: ReplacedFiles): ImagePatch | undefined {
  const { pageSize } = database.state;
  if (pageSize === undefined) return undefined;
  const page = new Uint8Array(pageSize);
  database.readPage(1, page);
  const { changeCounter, schemaCookie } = decodeDatabaseHeader(page);
  return { changeCounter, schemaCookie, isWal: wal !== undefined };
}

function* excludeClients(context: ReplaceContext, { database }: ReplacedFiles): Job<Exclusion> {
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
