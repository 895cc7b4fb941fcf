// What an engine tells of itself, as NodeControl shows it. To be called on the engine's thread.

import { formatHex64 } from '@skein/bytes';
import type { DatabaseState, Engine, ServedDatabase } from '@skein/engine';
import { formatChecksum, formatTxid } from '@skein/ltx';
import { DATABASE_HEADER_SIZE, decodeDatabaseHeader, PAGE_SIZE_MAX } from '@skein/sqlite-file';

import type { ApplyingStatus, DatabaseStatus, LogStatus, NodeStatus } from './node-control.ts';

export type EngineStatus = Pick<
  NodeStatus,
  'nodeId' | 'log' | 'replayedCount' | 'databases' | 'applying'
>;

export function engineStatus(engine: Engine): EngineStatus {
  const databases = [...engine.store.databases].filter(({ database }) => database.exists);
  return {
    nodeId: formatHex64(engine.nodeId).toUpperCase(),
    log: logStatus(engine),
    replayedCount: engine.replayedCount,
    databases: databases
      .map((files) => databaseStatus(files))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    applying: applyingStatus(engine),
  };
}

/** Of a replica: the databases for which something waits to be applied. */
function applyingStatus({ replica }: Engine): readonly ApplyingStatus[] {
  const waiting = (replica?.appliedStates() ?? []).filter(
    ({ waitingCount, obstacle }) => waitingCount > 0 || obstacle !== undefined,
  );
  return waiting.map(({ name, waitingCount, obstacle }) => ({
    database: name,
    waitingCount,
    ...(obstacle === undefined ? {} : { reason: obstacle.message }),
    ...(obstacle?.pid === undefined ? {} : { pid: obstacle.pid }),
  }));
}

/** `state`: an earlier one than the newest, of which the rest is told. */
export function databaseStatus(
  files: ServedDatabase,
  state: DatabaseState = files.shownState,
): DatabaseStatus {
  const { pageSize, pageCount, txid, checksum } = state;
  const { refusal } = files;
  return {
    name: files.name,
    pageSize,
    pageCount,
    sizeBytes: pageCount * (pageSize ?? 0),
    txid: formatTxid(txid),
    checksum: formatChecksum(checksum),
    journalMode: journalMode(files),
    ...(refusal === undefined ? {} : { refusal: refusal.message }),
  };
}

function logStatus({ log }: Engine): LogStatus {
  const sizes = log.segments.map(({ file }) => file.size('status.size'));
  return {
    lastLsn: log.lastLsn,
    durableLsn: log.durableLsn,
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
    ...(log.failure === undefined ? {} : { failure: log.failure.message }),
  };
}

/** What is beside the database counts for more than its header, which lags behind a change. */
function journalMode(files: ServedDatabase): DatabaseStatus['journalMode'] {
  const { wal, journal, database, shownState } = files;
  if (wal?.committed !== undefined) return 'wal';
  // On a replica the database may be in the log, and its first page not in the file yet.
  if (journal !== undefined || shownState.pageCount === 0) return 'rollback';
  const page = new Uint8Array(PAGE_SIZE_MAX);
  if (!database.readPage(1, page)) return 'rollback';
  return decodeDatabaseHeader(page.subarray(0, DATABASE_HEADER_SIZE)).mode;
}
