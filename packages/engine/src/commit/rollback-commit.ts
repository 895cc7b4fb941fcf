// Commits what clients have written in a rollback mode: the overlay of one database, or of all that
// take part in a transaction with a super-journal.
//
//   compare with what is committed → make room in the database file → one record in the log → sync
//   → pages into the database file → overlay empty
//
// Nobody reads meanwhile: the client that waits for this holds SQLite's EXCLUSIVE lock.
//
// Invariant: after the record is in the log no error is reported. What fails later is repaired from
// the log when the node is started again; until then the overlay goes on showing the committed
// pages.

import { DiskError } from '@skein/host';
import { SqliteFormatError } from '@skein/sqlite-file';

import type { Database } from '../database/database.ts';
import { EngineError, LogFailedError } from '../errors.ts';
import type { Job } from '../jobs/jobs.ts';
import { Pending } from '../jobs/pending.ts';
import type { EnginePorts } from '../ports.ts';
import {
  applyTransaction,
  assertRoomFor,
  brokenFile,
  giveRoomBack,
  makeRoom,
} from './apply-transaction.ts';
import type { Committer } from './committer.ts';
import type { Overlay } from './overlay.ts';
import { type PreparedTransaction, prepareTransaction } from './transaction.ts';

/** What of the node takes part. */
export interface CommitContext extends Pick<EnginePorts, 'disk' | 'clock' | 'kernel'> {
  /** Names the node as the one where a transaction was made (LTX header). */
  readonly nodeId: bigint;
  readonly committer: Committer;
}

/** What of a database takes part. */
export interface RollbackTransaction {
  readonly database: Database;
  readonly overlay: Overlay;
  /** What has to be durable before the first transaction is. */
  beforeFirstTransaction(): void;
  /** Gives the journal up, so that no client plays it back. */
  discardJournal(): Job<void>;
  /** No more writes: the database file could not take what is committed. */
  refuseWrites(reason: EngineError): void;
}

export function* commitOverlays(
  context: CommitContext,
  candidates: readonly RollbackTransaction[],
): Job<void> {
  // While others came first, a database may have been dropped or replaced.
  const participants = candidates.filter(({ overlay }) => overlay.isActive);
  const before = participants.map(({ database }) => database.state);
  try {
    const prepared = yield* prepareAll(context, participants);
    if (prepared.length > 0) {
      for (const transaction of prepared) yield* makeRoom(transaction);
      const lsn = yield* context.committer.commit(prepared);
      const durable = context.committer.whenDurable(lsn);
      if (durable !== undefined) yield durable;
    }
    yield* applyAll(participants, prepared);
  } catch (error) {
    if (error instanceof LogFailedError) {
      for (const [n, { database }] of participants.entries()) database.restoreState(before[n]!);
    }
    yield* abandon(context, participants);
    throw error;
  }
}

/**
 * Gives up what was written, before the client learns of it: the kernel still has the new pages and
 * would show them to whoever reads next, and with the journal in place every reader would try to
 * roll back and fail.
 */
export function* abandon(
  context: CommitContext,
  participants: readonly RollbackTransaction[],
): Job<void> {
  for (const participant of participants) {
    const { database, overlay } = participant;
    overlay.clear();
    giveRoomBack(database);
    yield* forgetContent(context, database.name);
    // Last: its end may be a write that the kernel has to be answered first.
    yield* participant.discardJournal();
  }
}

function* prepareAll(
  context: CommitContext,
  participants: readonly RollbackTransaction[],
): Job<PreparedTransaction[]> {
  const { nodeId } = context;
  const timestampMs = context.clock.wallMs();
  const prepared: PreparedTransaction[] = [];
  for (const participant of participants) {
    const { database, overlay } = participant;
    // The first transaction of a database, rolled back after some of it had been written.
    if (database.state.pageCount === 0 && overlay.sizeBytes === 0) continue;
    if (database.state.pageCount === 0) participant.beforeFirstTransaction();
    const pageCount = checkedPageCount(database, overlay);
    const { pageSize, keptPageCount } = overlay;
    assertRoomFor(context.disk, database, pageCount * pageSize);
    const fields = { pageSize, pageCount, keptPageCount, timestampMs, nodeId };
    const transaction = yield* prepareTransaction(database, overlay, fields);
    if (transaction !== undefined) prepared.push(transaction);
  }
  return prepared;
}

/** The first page has to be that of a database of the same page size, and as long as it says. */
function checkedPageCount({ name }: Database, overlay: Overlay): number {
  const { pageSize } = overlay;
  try {
    const { headerPageSize } = overlay;
    if (headerPageSize !== pageSize) throw otherPageSize(name, pageSize, headerPageSize);
    return overlay.pageCount;
  } catch (cause) {
    if (!(cause instanceof SqliteFormatError)) throw cause;
    throw new EngineError('IMAGE_FORMAT', `Cannot commit to ${name}: it is no SQLite database`, {
      cause,
      hint: 'Encrypted databases cannot be stored on the mount',
    });
  }
}

function otherPageSize(name: string, pageSize: number, headerPageSize: number): EngineError {
  return new EngineError(
    'IMAGE_PAGE_SIZE',
    `Cannot change the page size of ${name} from ${pageSize} to ${headerPageSize}`,
    { hint: 'VACUUM an exported copy with the new page size, drop the database, import the copy' },
  );
}

function* applyAll(
  participants: readonly RollbackTransaction[],
  prepared: readonly PreparedTransaction[],
): Job<void> {
  for (const participant of participants) {
    const { database, overlay } = participant;
    const transaction = prepared.find((candidate) => candidate.database === database);
    try {
      if (transaction !== undefined) yield* applyTransaction(transaction);
      database.markFileComplete();
      overlay.clear();
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
      participant.refuseWrites(brokenFile(database.name, cause));
    }
  }
}

/** Waits until the kernel has no page and no attribute of the file any more. */
export function* forgetContent(context: CommitContext, name: string): Job<void> {
  const forgotten = new Pending();
  context.kernel.forgetContent(name, () => forgotten.settle());
  yield forgotten;
}
