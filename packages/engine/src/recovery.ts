// Brings the databases to where the log ends, when a node starts: every transaction after a
// database's checkpoint is put into its file again.
//
// Pages may be in the file already, or in part, or pages of later transactions: each page that was
// written after the checkpoint is in a transaction after it, so the last of those decides.

import type { Disk, Log } from '@skein/host';
import { formatPosition, formatTxid, type LtxHeader, LtxReader, type LtxTrailer } from '@skein/ltx';

import { readCheckpoint } from './checkpoint-file.ts';
import { Database } from './database.ts';
import type { DatabaseState } from './database-state.ts';
import { DamageError } from './errors.ts';
import { recoverLog, type RecoveredRecord, type RecoveredTransaction } from './log/log-recovery.ts';
import type { LogContent } from './log/transaction-log.ts';

export interface RecoveryOptions {
  readonly disk: Disk;
  readonly log: Log;
  readonly databasesFolder: string;
  readonly logFolder: string;
}

export interface Recovered {
  readonly databases: ReadonlyMap<string, Database>;
  readonly content: LogContent;
  /** Transactions that were put into their files again. */
  readonly replayedCount: number;
}

/** Throws DamageError when something that was durable is damaged. */
export function recover(options: RecoveryOptions): Recovered {
  const databases = openDatabases(options);
  const known = [...databases.values()].map(({ checkpointed }) => checkpointed.lsn);
  let replayedCount = 0;
  const content = recoverLog({
    disk: options.disk,
    folder: options.logFolder,
    isNeeded: (name, lsn) => lsn > (databases.get(name)?.checkpointed.lsn ?? 0),
    knownLsn: Math.max(0, ...known),
    onRecord: (record) => {
      replayedCount += replayRecord(options, databases, record);
    },
  });
  for (const database of databases.values()) finishReplay(database);
  return { databases, content, replayedCount };
}

function openDatabases({ disk, log, databasesFolder }: RecoveryOptions): Map<string, Database> {
  const databases = new Map<string, Database>();
  for (const name of disk.list('databases.list', databasesFolder)) {
    const folder = `${databasesFolder}/${name}`;
    const state = readCheckpoint(disk, folder, name);
    const database = new Database({ disk, log }, { name, folder }, state);
    if (database.state.pageCount > 0) database.openFile();
    databases.set(name, database);
  }
  return databases;
}

function replayRecord(
  { disk, log, databasesFolder }: RecoveryOptions,
  databases: Map<string, Database>,
  { header, transactions }: RecoveredRecord,
): number {
  let count = 0;
  for (const transaction of transactions) {
    const name = transaction.entry.database;
    let database = databases.get(name);
    if (database === undefined) {
      database = new Database({ disk, log }, { name, folder: `${databasesFolder}/${name}` });
      databases.set(name, database);
    }
    if (header.lsn <= database.checkpointed.lsn) continue;
    replayTransaction(database, transaction, header.lsn);
    count++;
  }
  return count;
}

function replayTransaction(
  database: Database,
  { source }: RecoveredTransaction,
  lsn: number,
): void {
  const reader = new LtxReader(source, { version: 1 });
  const { header } = reader;
  assertFollows(database, header);
  if (header.commit === 0) {
    while (reader.next() !== undefined);
    database.removeFile();
  } else {
    replayPages(database, reader);
  }
  database.replayed(stateAfter(header, reader.trailer, lsn));
}

/**
 * The log of a database must not have a gap: the checksum before a transaction is that after the
 * last.
 */
function assertFollows(database: Database, header: LtxHeader): void {
  const { txid, checksum } = database.state;
  const isNext = header.minTxid === txid + 1n;
  const fits = txid === 0n || header.preApplyChecksum === checksum;
  if (isNext && fits) return;
  const { name } = database;
  throw new DamageError(
    'LOG_CORRUPT',
    `Cannot apply transaction ${formatTxid(header.minTxid)} of ${name}: ` +
      `it stands at ${formatPosition(database.state)}`,
    { file: 'log', database: name, txid: header.minTxid },
    { hint: 'A log segment or a checkpoint is missing. Restore the database from a copy' },
  );
}

function replayPages(database: Database, reader: LtxReader): void {
  const { pageSize, commit } = reader.header;
  database.openFile();
  // Sets what the next lines need to know of the pages: their size and how many there are.
  const { state } = database;
  database.replayed({ ...state, pageSize, pageCount: Math.max(state.pageCount, commit) });
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    database.writeFile(page.pgno, page.bytes, page.start, pageSize);
    database.checksums.set(page.pgno, page.checksumHi, page.checksumLo);
  }
  for (let pgno = commit + 1; pgno <= state.pageCount; pgno++) database.checksums.set(pgno, 0, 0);
}

function stateAfter(header: LtxHeader, trailer: LtxTrailer, lsn: number): DatabaseState {
  const isDropped = header.commit === 0;
  return {
    pageSize: isDropped ? undefined : header.pageSize,
    pageCount: header.commit,
    txid: header.maxTxid,
    checksum: trailer.postApplyChecksum,
    lsn,
  };
}

/**
 * A crash may have come before the file was cut, or when room was made for what was not committed.
 */
function finishReplay(database: Database): void {
  const { pageSize, pageCount } = database.state;
  if (pageSize === undefined) return;
  const sizeBytes = pageCount * pageSize;
  if (database.fileSize !== sizeBytes) database.truncateFile(sizeBytes);
}
