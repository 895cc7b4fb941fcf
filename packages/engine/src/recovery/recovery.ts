// Brings the databases to where the log ends, when a node starts: every transaction after a
// database's checkpoint is put into its file again.
//
// Pages may be in the file already, or in part, or pages of later transactions: each page that was
// written after the checkpoint is in a transaction after it, so the last of those decides.

import { readU32be, readWhole } from '@skein/bytes';
import type { Disk, Log } from '@skein/host';
import {
  type ByteSource,
  decodeHeader,
  formatPosition,
  formatTxid,
  HEADER_SIZE,
  isSnapshot,
  type LtxHeader,
  LtxReader,
} from '@skein/ltx';
import { DATABASE_HEADER_SIZE } from '@skein/sqlite-file';

import { Database, type DatabasePlace } from '../database/database.ts';
import { stateAfter } from '../database/database-state.ts';
import { DAMAGE_HINT, DamageError } from '../errors.ts';
import type { LogContent } from '../log/transaction-log.ts';
import { hasCheckpoint, readCheckpoint } from './checkpoint-file.ts';
import { isLaterCounter, maybeChangeCounter } from './first-page.ts';
import { recoverLog } from './log-recovery.ts';
import type { RecoveredRecord } from './recovered-record.ts';

/** What stands before each page in an LTX file. */
const PGNO_BYTES = 4;

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

/**
 * Throws DamageError when something that was durable is damaged. Until all of the log has proved to
 * be right nothing is changed in the databases.
 */
export function recover(options: RecoveryOptions): Recovered {
  const databases = openDatabases(options);
  const known = [...databases.values()].map(({ checkpointed }) => checkpointed.lsn);
  const records: RecoveredRecord[] = [];
  const content = recoverLog({
    disk: options.disk,
    folder: options.logFolder,
    isNeeded: (name, lsn) => lsn > (databases.get(name)?.checkpointed.lsn ?? 0),
    knownLsn: Math.max(0, ...known),
    onRecord: (record) => records.push(record),
    onTail: ({ segment, lsn, isHealed }) => {
      const message = isHealed ? 'A flipped bit in the log was put right' : 'The log was cut';
      options.log.warn(message, { segment, lsn });
    },
  });
  const replays = groupReplays(options, databases, records);
  for (const [name, database] of databases) {
    assertWhole(options.disk, database, replays.get(name) ?? []);
  }
  let replayedCount = 0;
  for (const [name, database] of databases)
    replayedCount += replay(database, replays.get(name) ?? []);
  for (const database of databases.values()) finishReplay(database);
  return { databases, content, replayedCount };
}

function openDatabases({ disk, log, databasesFolder }: RecoveryOptions): Map<string, Database> {
  const databases = new Map<string, Database>();
  for (const name of disk.list('databases.list', databasesFolder)) {
    const folder = `${databasesFolder}/${name}`;
    const state = readCheckpoint(disk, folder, name);
    databases.set(name, new Database({ disk, log }, { name, folder }, state));
  }
  return databases;
}

/** A transaction that a database needs. */
interface Replay {
  readonly lsn: number;
  readonly source: ByteSource;
  readonly header: LtxHeader;
  /** Of the first page, if the transaction has it. */
  readonly changeCounter: number | undefined;
}

/** What each database needs, in order; adds databases of which there is no more than the log. */
function groupReplays(
  { disk, log, databasesFolder }: RecoveryOptions,
  databases: Map<string, Database>,
  records: readonly RecoveredRecord[],
): Map<string, Replay[]> {
  const replays = new Map<string, Replay[]>();
  const bytes = new Uint8Array(HEADER_SIZE + PGNO_BYTES + DATABASE_HEADER_SIZE);
  for (const { header, transactions } of records) {
    for (const { entry, source } of transactions) {
      const name = entry.database;
      const place = { name, folder: `${databasesFolder}/${name}` };
      if (!databases.has(name)) databases.set(name, new Database({ disk, log }, place));
      if (header.lsn <= databases.get(name)!.checkpointed.lsn) continue;
      readWhole(source, bytes, 0);
      const own = replays.get(name) ?? [];
      const isFirst = readU32be(bytes, HEADER_SIZE) === 1;
      const page = bytes.subarray(HEADER_SIZE + PGNO_BYTES);
      const changeCounter = isFirst ? maybeChangeCounter(page) : undefined;
      own.push({ lsn: header.lsn, source, header: decodeHeader(bytes), changeCounter });
      replays.set(name, own);
    }
  }
  return replays;
}

/**
 * The file has every page that is not in the log any more: it never was shorter than the database
 * was since the checkpoint. And a file of which no checkpoint and no record tells anything is not
 * taken for the leftover of a database that never came about, since that has a first checkpoint.
 */
function assertWhole(
  disk: Disk,
  { name, folder, checkpointed }: Database,
  replays: readonly Replay[],
): void {
  // One that the log has whole begins with that, whatever is in the file: it may have been another.
  if (replays.some(({ header }) => isSnapshot(header))) return;
  const sizeBytes = disk.stat('database.stat', `${folder}/database`)?.sizeBytes;
  const { pageSize, pageCount } = checkpointed;
  if (pageSize !== undefined) {
    const pageCountMin = Math.min(pageCount, ...replays.map(({ header }) => header.commit));
    if ((sizeBytes ?? 0) >= pageCountMin * pageSize) {
      if (pageCountMin > 0) assertNotAhead(disk, { name, folder }, replays);
      return;
    }
    const reason = sizeBytes === undefined ? 'is missing' : `has only ${sizeBytes} bytes`;
    const pgno = Math.floor((sizeBytes ?? 0) / pageSize) + 1;
    throw damagedFile('DATABASE_CORRUPT', name, 'database', { reason, pgno });
  }
  const isUnknown = replays.length === 0 && !hasCheckpoint(disk, folder);
  if (!isUnknown || (sizeBytes ?? 0) === 0) return;
  throw damagedFile('CHECKPOINT_CORRUPT', name, 'checkpoint.json', { reason: 'is missing' });
}

/** The last record may be gone without a trace, but for what it had brought into the file. */
function assertNotAhead(
  disk: Disk,
  { name, folder }: DatabasePlace,
  replays: readonly Replay[],
): void {
  const last = replays.findLast(({ changeCounter }) => changeCounter !== undefined);
  if (last === undefined) return;
  const page = new Uint8Array(DATABASE_HEADER_SIZE);
  const file = disk.open('database.peek', `${folder}/database`, 'read');
  try {
    file.read('database.peek', page, 0, page.length, 0);
  } finally {
    file.close();
  }
  if (!isLaterCounter(maybeChangeCounter(page), last.changeCounter)) return;
  const { header, lsn } = replays.at(-1)!;
  throw new DamageError(
    'LOG_CORRUPT',
    `Cannot open ${name}: the log ends after transaction ${formatTxid(header.maxTxid)}, ` +
      'but the file has a later one',
    { file: 'log', database: name, txid: header.maxTxid + 1n, lsn: lsn + 1 },
    { hint: DAMAGE_HINT },
  );
}

function damagedFile(
  code: 'DATABASE_CORRUPT' | 'CHECKPOINT_CORRUPT',
  database: string,
  fileName: string,
  { reason, pgno }: { readonly reason: string; readonly pgno?: number },
): DamageError {
  const file = `dbs/${database}/${fileName}`;
  return new DamageError(
    code,
    `Cannot open ${database}: ${file} ${reason}`,
    { file, database, ...(pgno !== undefined && { pgno }) },
    { hint: DAMAGE_HINT },
  );
}

/** Returns how many transactions there were. */
function replay(database: Database, replays: readonly Replay[]): number {
  if (database.state.pageCount > 0) database.openFile();
  // What comes before a whole database does not count.
  const first = Math.max(
    replays.findLastIndex(({ header }) => isSnapshot(header)),
    0,
  );
  for (const { lsn, source } of replays.slice(first)) replayTransaction(database, source, lsn);
  return replays.length - first;
}

function replayTransaction(database: Database, source: ByteSource, lsn: number): void {
  const reader = new LtxReader(source, { version: 1 });
  const { header } = reader;
  assertFollows(database, header, lsn);
  if (isSnapshot(header)) beginAnew(database, header);
  if (header.commit === 0) {
    while (reader.next() !== undefined);
    database.removeFile();
  } else {
    replayPages(database, reader);
  }
  database.replayed(stateAfter(header, reader.trailer, lsn));
}

/** What there was does not count; a file of other pages cannot be written over. */
function beginAnew(database: Database, { pageSize }: LtxHeader): void {
  const { state } = database;
  if (state.pageSize === undefined || state.pageSize === pageSize) return;
  database.removeFile();
  database.replayed({ ...state, pageSize: undefined, pageCount: 0 });
}

/**
 * The log of a database must not have a gap: the checksum before a transaction is that after the
 * last.
 */
function assertFollows(database: Database, header: LtxHeader, lsn: number): void {
  if (isSnapshot(header)) return;
  const { txid, checksum } = database.state;
  const isNext = header.minTxid === txid + 1n;
  const fits = txid === 0n || header.preApplyChecksum === checksum;
  if (isNext && fits) return;
  const { name } = database;
  throw new DamageError(
    'LOG_CORRUPT',
    `Cannot apply transaction ${formatTxid(header.minTxid)} of ${name}: ` +
      `it stands at ${formatPosition(database.state)}`,
    { file: 'log', database: name, txid: header.minTxid, lsn },
    { hint: `A log segment or a checkpoint is missing. ${DAMAGE_HINT}` },
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

/**
 * A crash may have come before the file was cut, or when room was made for what was not committed.
 */
function finishReplay(database: Database): void {
  const { pageSize, pageCount } = database.state;
  if (pageSize === undefined) return;
  const sizeBytes = pageCount * pageSize;
  if (database.fileSize !== sizeBytes) database.truncateFile(sizeBytes);
}
