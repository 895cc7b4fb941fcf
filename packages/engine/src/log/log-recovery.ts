// Reads the log when a node starts: verifies what is needed, hands it on in order, and finds the
// place where the log goes on.
//
// The log may end in the middle of a record: a power cut took the rest, and nobody was told that it
// was durable. Then it is cut there. A record that is damaged although it was durable is something
// else, and is never passed over: what follows it could not be applied. Which of the two it is, is
// told by what lies behind: a record that names it as durable, or another segment, since a segment
// starts only when all before it is durable.

import { type Disk, DiskError, type DiskFile } from '@skein/host';
import {
  type ByteSource,
  formatTxid,
  LtxFormatError,
  LtxReader,
  sourceFrom,
  type Txid,
} from '@skein/ltx';

import { DamageError } from '../errors.ts';
import { padTo8, type RecordEntry, type RecordHeader } from './record.ts';
import {
  type ChainPlace,
  isKnownDurable,
  maybeReadAnyRecord,
  maybeReadRecord,
  placeAfter,
} from './record-reader.ts';
import { formatSegmentName, maybeParseSegmentName, SEGMENT_RECORDS_AT } from './segment-header.ts';
import { openSegment, type Segment } from './segment.ts';
import { besidePath, type LogContent } from './transaction-log.ts';

export interface LogRecoveryOptions {
  readonly disk: Disk;
  /** The folder of the log. */
  readonly folder: string;
  /** Whether a database still needs a transaction: such records are verified and handed on. */
  readonly isNeeded: (database: string, lsn: number) => boolean;
  /** The last LSN that was ever durable, as far as anything else knows. */
  readonly knownLsn: number;
  readonly onRecord: (record: RecoveredRecord) => void;
}

export interface RecoveredRecord {
  readonly header: RecordHeader;
  readonly transactions: readonly RecoveredTransaction[];
}

export interface RecoveredTransaction {
  readonly entry: RecordEntry;
  /** The LTX file, which was verified. */
  readonly source: ByteSource;
}

/** Throws DamageError. Leaves everything that it keeps durable. */
export function recoverLog(options: LogRecoveryOptions): LogContent {
  const segments = openSegments(options);
  let place: ChainPlace | undefined;
  for (const segment of segments) {
    assertContinues(segment, place);
    place = readSegment(options, segment);
  }
  assertComplete(options, segments, place);
  removeUnnamedFiles(options, segments);
  // What survived the end of a process need not survive a power cut yet.
  segments.at(-1)?.file.sync('log.recover.sync');
  return {
    segments,
    next: place ?? { offset: SEGMENT_RECORDS_AT, lsn: options.knownLsn + 1, link: 0n },
    lastSequence: segments.at(-1)?.header.sequence ?? 0,
  };
}

function openSegments({ disk, folder }: LogRecoveryOptions): Segment[] {
  const sequences = disk
    .list('log.list', folder)
    .map(maybeParseSegmentName)
    .filter((sequence) => sequence !== undefined)
    .sort((a, b) => a - b);
  const segments: Segment[] = [];
  for (const sequence of sequences) {
    const path = `${folder}/${formatSegmentName(sequence)}`;
    const segment = openSegment(disk, path, sequence);
    if (segment !== undefined) segments.push(segment);
    else if (sequence !== sequences.at(-1)) throw damagedSegment(path, 'its header is damaged');
    // The newest may have been made just before a crash, and hold nothing.
    else disk.remove('log.recover.remove', path);
  }
  return segments;
}

/** Segments follow each other without a gap. What came before the first of them was given up. */
function assertContinues({ path, header }: Segment, place: ChainPlace | undefined): void {
  if (place === undefined) return;
  if (place.lsn === header.firstLsn && place.link === header.link) return;
  throw damagedSegment(path, `record ${place.lsn} is missing before it`);
}

/** A log that was removed is one thing, one that has lost its end another. */
function assertComplete(
  { knownLsn }: LogRecoveryOptions,
  segments: readonly Segment[],
  place: ChainPlace | undefined,
): void {
  if (place === undefined || place.lsn > knownLsn) return;
  throw damagedSegment(
    segments.at(-1)!.path,
    `it ends before record ${knownLsn}, which was durable`,
  );
}

/** Hands on what is needed; returns the place behind the last record. */
function readSegment(options: LogRecoveryOptions, segment: Segment): ChainPlace {
  if (segment.isSealed && !isSegmentNeeded(options, segment)) return placeBehindLast(segment);
  const { firstLsn, link } = segment.header;
  let place: ChainPlace = { offset: SEGMENT_RECORDS_AT, lsn: firstLsn, link };
  while (!segment.isSealed || place.lsn <= segment.lastLsn) {
    const record = readRecord(options, segment, place);
    if (record === undefined) break;
    if (isRecordNeeded(options, record.header)) options.onRecord(record);
    if (!segment.isSealed) enter(segment, place, record.header);
    place = placeAfter(place, record.header);
  }
  return place;
}

function isSegmentNeeded({ isNeeded }: LogRecoveryOptions, { index }: Segment): boolean {
  return [...index.databases].some(([database, { lastLsn }]) => isNeeded(database, lastLsn));
}

function isRecordNeeded({ isNeeded }: LogRecoveryOptions, { lsn, entries }: RecordHeader): boolean {
  return entries.some(({ database }) => isNeeded(database, lsn));
}

/** Of a sealed segment that nobody needs only the end is read. */
function placeBehindLast(segment: Segment): ChainPlace {
  const offset = segment.index.offsetOf(segment.index.recordCount - 1);
  const header = maybeReadAnyRecord(segment.file, offset);
  if (header === undefined) throw damagedSegment(segment.path, 'its last record is damaged');
  return placeAfter({ offset, lsn: header.lsn, link: header.link }, header);
}

function enter(segment: Segment, place: ChainPlace, header: RecordHeader): void {
  segment.index.add(header.lsn, place.offset, header.entries);
  segment.lastLsn = header.lsn;
  segment.lastTimestampMs = header.timestampMs;
  segment.end = placeAfter(place, header).offset;
}

/** The record at `place`, verified if it is needed; undefined where the log ends. */
function readRecord(
  options: LogRecoveryOptions,
  segment: Segment,
  place: ChainPlace,
): RecoveredRecord | undefined {
  const header = maybeReadRecord(segment, place);
  let fault: RecordFault;
  if (header === undefined) {
    fault = { reason: 'its header is damaged or missing' };
  } else {
    const transactions = transactionsOf(options, segment, place, header);
    const found = isRecordNeeded(options, header) ? findFault(transactions) : undefined;
    if (found === undefined) return { header, transactions };
    fault = found;
  }
  if (!segment.isSealed && !isKnownDurable(segment.file, place)) return undefined;
  throw damagedRecord(segment, place, fault);
}

function transactionsOf(
  { disk, folder }: LogRecoveryOptions,
  segment: Segment,
  place: ChainPlace,
  header: RecordHeader,
): RecoveredTransaction[] {
  let at = place.offset + header.headerBytes;
  return header.entries.map((entry) => {
    if (entry.besideId !== undefined) {
      return { entry, source: besideSource(disk, besidePath(folder, entry.besideId)) };
    }
    const source = sourceFrom(fileSource(segment.file), at);
    at += padTo8(entry.ltxBytes);
    return { entry, source };
  });
}

interface RecordFault {
  readonly reason: string;
  readonly entry?: RecordEntry;
  readonly cause?: unknown;
}

/** Reads every LTX file of a record to its end. */
function findFault(transactions: readonly RecoveredTransaction[]): RecordFault | undefined {
  for (const { entry, source } of transactions) {
    try {
      const reader = new LtxReader(source, { version: 1 });
      while (reader.next() !== undefined);
      if (reader.sizeBytes === entry.ltxBytes && reader.header.maxTxid === entry.maxTxid) continue;
      return { reason: 'it holds another LTX file than it says', entry };
    } catch (cause) {
      if (!(cause instanceof LtxFormatError || cause instanceof DiskError)) throw cause;
      return { reason: cause.message, entry, cause };
    }
  }
  return undefined;
}

function fileSource(file: DiskFile): ByteSource {
  return {
    read: (into, offset, length, position) =>
      file.read('log.recover.read', into, offset, length, position),
  };
}

/** Opens the file for each read: there are few of them, and they are read in large pieces. */
function besideSource(disk: Disk, path: string): ByteSource {
  return {
    read: (into, offset, length, position) => {
      const file = disk.open('beside.open', path, 'read');
      try {
        return file.read('beside.read', into, offset, length, position);
      } finally {
        file.close();
      }
    },
  };
}

/** Files of transactions that were never committed. */
function removeUnnamedFiles(
  { disk, folder }: LogRecoveryOptions,
  segments: readonly Segment[],
): void {
  const named = new Set(
    segments.flatMap(({ index }) => index.besideIds.map((id) => besidePath(folder, id))),
  );
  for (const name of disk.list('log.list', folder)) {
    const path = `${folder}/${name}`;
    if (name.endsWith('.ltx') && !named.has(path)) disk.remove('beside.remove', path);
  }
}

function damagedSegment(path: string, reason: string): DamageError {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return new DamageError('LOG_CORRUPT', `Log segment ${file} is damaged: ${reason}`, {
    file: `log/${file}`,
  });
}

function damagedRecord(segment: Segment, place: ChainPlace, fault: RecordFault): DamageError {
  const file = segment.path.slice(segment.path.lastIndexOf('/') + 1);
  const { reason, entry, cause } = fault;
  const of =
    entry === undefined
      ? ''
      : `, transaction ${formatTxid(entry.maxTxid as Txid)} of ${entry.database},`;
  const message = `Record ${place.lsn} in log segment ${file}${of} is damaged: ${reason}`;
  return new DamageError(
    'LOG_CORRUPT',
    message,
    {
      file: `log/${file}`,
      lsn: place.lsn,
      ...(entry === undefined ? {} : { database: entry.database, txid: entry.maxTxid }),
    },
    { cause },
  );
}
