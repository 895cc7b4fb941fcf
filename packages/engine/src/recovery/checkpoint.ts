// Checkpoints of the node: moves the point from which a crash replays the log, so that the log can
// be trimmed and a start is quick. Not to be confused with SQLite's, which copies a WAL into its
// database.
//
//   sidecar blocks written → database file and sidecar synced, elsewhere → checkpoint.json replaced
//
// Pages that are written meanwhile belong to later transactions, which are replayed.

import type { Disk, DiskFile } from '@skein/host';

import type { Database } from '../database/database.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Pending } from '../jobs/pending.ts';
import type { TransactionLog } from '../log/transaction-log.ts';
import { writeCheckpoint } from './checkpoint-file.ts';

/** Whether there is something to move. */
export function needsCheckpoint(database: Database): boolean {
  return !database.isUnsyncable && database.fileState.lsn > database.checkpointed.lsn;
}

export interface CheckpointContext {
  readonly disk: Disk;
  readonly log: Pick<TransactionLog, 'sync'>;
}

/** Makes a file durable, at once or elsewhere. */
export type FileSync = (op: string, file: DiskFile) => Pending | undefined;

/**
 * Throws DiskError. Where a sync has failed there is no other: it would report as durable what was
 * lost. Then the log keeps what the next start puts into the database again.
 */
export function* checkpoint(
  { disk, log }: CheckpointContext,
  database: Database,
  sync: FileSync,
): Job<void> {
  const target = database.fileState;
  if (!needsCheckpoint(database)) return;
  // It is being dropped: there will be another state in a moment.
  if (target.pageCount > 0 && database.state.pageCount === 0) return;
  if (target.pageCount > 0) {
    // The state counts only if the transaction is durable; its pages in the file are, by invariant.
    log.sync();
    database.checksums.flush();
    const { file, checksums, incarnation } = database;
    try {
      yield sync('checkpoint.database.sync', file);
      // A drop that is in the log has closed the sidecar, though the file may be there still.
      if (database.incarnation !== incarnation || database.state.pageCount === 0) return;
      yield sync('checkpoint.checksums.sync', checksums.file);
    } catch (error) {
      database.isUnsyncable = true;
      throw error;
    }
    if (database.incarnation !== incarnation) return;
  }
  writeCheckpoint(disk, database.folder, target);
  database.checkpointed = target;
}

/** Every transaction up to this record is in the checkpoint of its database. */
export function coveredLsn(databases: Iterable<Database>, lastLsn: number): number {
  let lsn = lastLsn;
  for (const { state, checkpointed } of databases) {
    if (checkpointed.lsn < state.lsn) lsn = Math.min(lsn, checkpointed.lsn);
  }
  return lsn;
}
