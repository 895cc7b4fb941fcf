// Reads the log when a node starts: verifies what is needed, hands it on in order, and finds the
// place where the log goes on.
//
// The log may end in the middle of a record: a power cut took the rest, and nobody was told that it
// was durable. Then it is cut there. A record that is damaged although it was durable is something
// else, and is never passed over: what follows it could not be applied. Which of the two it is, is
// told by what lies behind: a record that names it as durable, or another segment, since a segment
// starts only when all before it is durable. Where nothing tells, a record in which a single bit is
// wrong is put right: no power cut leaves that.

import type { Disk, DiskFile } from '@skein/host';
import { formatTxid, type Txid } from '@skein/ltx';

import { DAMAGE_HINT, DamageError } from '../errors.ts';
import type { RecordHeader } from '../log/record.ts';
import {
  type ChainPlace,
  isKnownDurable,
  maybeReadAnyRecord,
  maybeReadRecord,
  placeAfter,
} from '../log/record-reader.ts';
import { openSegment, type Segment } from '../log/segment.ts';
import {
  formatSegmentName,
  maybeParseSegmentName,
  SEGMENT_RECORDS_AT,
} from '../log/segment-header.ts';
import { besidePath, type LogContent } from '../log/transaction-log.ts';
import type { FlippedBit } from './flipped-bit.ts';
import { findHeaderBit } from './flipped-record.ts';
import {
  assertComplete,
  assertContinues,
  assertStart,
  damagedSegment,
} from './log-completeness.ts';
import {
  findBodyBit,
  findFault,
  type RecordFault,
  type RecoveredRecord,
  transactionsOf,
} from './recovered-record.ts';

export interface LogRecoveryOptions {
  readonly disk: Disk;
  /** The folder of the log. */
  readonly folder: string;
  /** Whether a database still needs a transaction: such records are verified and handed on. */
  readonly isNeeded: (database: string, lsn: number) => boolean;
  /** The last LSN that was ever durable, as far as anything else knows. */
  readonly knownLsn: number;
  readonly onRecord: (record: RecoveredRecord) => void;
  readonly onTail?: (tail: LogTail) => void;
}

/** The last record is not whole: nothing else says that it was durable. */
export interface LogTail {
  readonly segment: string;
  readonly lsn: number;
  /** A single bit was wrong and was put right; else the log is cut before the record. */
  readonly isHealed: boolean;
}

/** Throws DamageError. Leaves everything that it keeps durable. */
export function recoverLog(given: LogRecoveryOptions): LogContent {
  const { segments, unused } = openSegments(given);
  try {
    const knownLsn = Math.max(given.knownLsn, assertStart(given, segments));
    const options = { ...given, knownLsn };
    let place: ChainPlace | undefined;
    for (const [n, segment] of segments.entries()) {
      assertContinues(segment, place);
      place = readSegment(options, segment, segments[n + 1]);
    }
    if (unused !== undefined) removeUnused(options, unused, place);
    assertComplete(knownLsn, segments, place);
    removeUnnamedFiles(options, segments);
    makeDurable(segments.at(-1));
    return {
      segments,
      next: place ?? { offset: SEGMENT_RECORDS_AT, lsn: knownLsn + 1, link: 0n },
      lastSequence: segments.at(-1)?.header.sequence ?? 0,
    };
  } catch (error) {
    for (const { file } of segments) file.close();
    throw error;
  }
}

/** `unused` is the newest file when it has no header. */
function openSegments({ disk, folder }: LogRecoveryOptions): {
  readonly segments: readonly Segment[];
  readonly unused: string | undefined;
} {
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
    else if (sequence === sequences.at(-1)) return { segments, unused: path };
    else throw damagedSegment(path, 'its header is damaged');
  }
  return { segments, unused: undefined };
}

/**
 * What survived the end of a process need not survive a power cut yet. Nor does a sync help that
 * comes after one that failed: the system takes for written what it could not write. So whatever is
 * not known to be durable is written again.
 */
function makeDurable(last: Segment | undefined): void {
  if (last === undefined) return;
  const { file, end } = last;
  if (!last.isSealed) rewrite(file, firstDoubtful(last), end);
  file.sync('log.recover.sync');
}

/** Where that begins of which no later record says that it is durable: with the header, perhaps. */
function firstDoubtful({ file, header, index }: Segment): number {
  if (index.recordCount === 0) return 0;
  const record = maybeReadAnyRecord(file, index.offsetOf(index.recordCount - 1));
  const n = (record?.durableLsn ?? 0) - header.firstLsn + 1;
  return n <= 0 ? 0 : index.offsetOf(n);
}

function rewrite(file: DiskFile, from: number, to: number): void {
  const piece = new Uint8Array(REWRITE_BYTES);
  for (let at = from; at < to; at += piece.length) {
    const count = file.read('log.recover.read', piece, 0, Math.min(piece.length, to - at), at);
    file.write('log.recover.rewrite', piece, 0, count, at);
  }
}

const REWRITE_BYTES = 1024 * 1024;

/** The newest segment may have been made just before a crash: then there is no record in it. */
function removeUnused(
  { disk }: LogRecoveryOptions,
  path: string,
  place: ChainPlace | undefined,
): void {
  const file = disk.open('log.recover.open', path, 'read');
  let record: RecordHeader | undefined;
  try {
    record = maybeReadAnyRecord(file, SEGMENT_RECORDS_AT);
  } finally {
    file.close();
  }
  // The records of an earlier life of the file do not continue the log.
  const isUsed =
    record !== undefined &&
    (place === undefined || (record.lsn === place.lsn && record.link === place.link));
  if (isUsed) throw damagedSegment(path, 'its header is damaged');
  disk.remove('log.recover.remove', path);
}

/** Hands on what is needed; returns the place behind the last record. */
function readSegment(
  options: LogRecoveryOptions,
  segment: Segment,
  next: Segment | undefined,
): ChainPlace {
  if (segment.isSealed && !isSegmentNeeded(options, segment)) return placeBehindLast(segment);
  const { firstLsn, link } = segment.header;
  let place: ChainPlace = { offset: SEGMENT_RECORDS_AT, lsn: firstLsn, link };
  // The seal may be lost: it is never synced.
  const lastLsn = segment.isSealed ? segment.lastLsn : (next?.header.firstLsn ?? Infinity) - 1;
  while (place.lsn <= lastLsn) {
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
  const { file } = segment;
  const header = maybeReadRecord(segment, place);
  const transactions = header === undefined ? [] : transactionsOf(options, file, place, header);
  const fault: RecordFault | undefined =
    header === undefined
      ? { reason: 'its header is damaged or missing' }
      : isRecordNeeded(options, header)
        ? findFault(transactions)
        : undefined;
  if (fault === undefined) return { header: header!, transactions };
  if (isDurable(options, segment, place, fault)) throw damagedRecord(segment, place, fault);
  // The last record may have been durable though nothing says so. If a single bit is wrong in it,
  // it did not fail to arrive.
  const bit = header === undefined ? findHeaderBit(file, place) : findBodyBit(transactions);
  if (bit !== undefined) {
    flip(file, bit);
    options.onTail?.({ segment: segment.path, lsn: place.lsn, isHealed: true });
    return readRecord(options, segment, place);
  }
  if (header !== undefined) {
    options.onTail?.({ segment: segment.path, lsn: place.lsn, isHealed: false });
  }
  return undefined;
}

function flip(file: DiskFile, { offset, bit }: FlippedBit): void {
  const byte = new Uint8Array(1);
  file.read('log.recover.read', byte, 0, 1, offset);
  byte[0]! ^= 1 << bit;
  file.write('log.recover.heal', byte, 0, 1, offset);
}

/** Whether a record that is damaged or missing was on the disk once. */
function isDurable(
  { knownLsn }: LogRecoveryOptions,
  segment: Segment,
  place: ChainPlace,
  { entry }: RecordFault,
): boolean {
  return (
    segment.isSealed ||
    // Written and synced before the record that names it.
    entry?.besideId !== undefined ||
    place.lsn <= knownLsn ||
    isKnownDurable(segment.file, place)
  );
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
    { cause, hint: DAMAGE_HINT },
  );
}
