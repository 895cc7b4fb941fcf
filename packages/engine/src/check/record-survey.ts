// Reads the transactions of one record of the log.

import { formatHex64 } from '@skein/bytes';
import { type Disk, DiskError } from '@skein/host';
import { type ByteSource, formatTxid, LtxFormatError, LtxReader, type Txid } from '@skein/ltx';

import { padTo8, type RecordEntry, type RecordHeader } from '../log/record.ts';
import type { ChainPlace } from '../log/record-reader.ts';
import { findLtxBit } from '../recovery/flipped-record.ts';
import type { Remedy } from './fault.ts';
import type { LogHandler } from './log-handler.ts';
import { SurveyFile, type SurveyProgress } from './survey-file.ts';

export interface RecordContext {
  readonly disk: Disk;
  readonly progress: SurveyProgress;
  /** The folder of the log. */
  readonly folder: string;
}

/** A record whose header is right. */
export interface FoundRecord {
  readonly file: SurveyFile;
  /** Of the segment, relative to the data folder. */
  readonly name: string;
  readonly place: ChainPlace;
  readonly header: RecordHeader;
}

export interface RecordFault {
  readonly entry: RecordEntry;
  /** The file that is damaged, relative to the data folder. */
  readonly file: string;
  readonly what: string;
  /** When a single bit is wrong. */
  readonly remedy: Remedy | undefined;
}

/** Where the LTX file of an entry is. */
interface LtxPlace {
  readonly entry: RecordEntry;
  readonly file: string;
  readonly offset: number;
}

/** What is wrong with the transactions of a record. Nothing of it is handed on. */
export function findRecordFaults(context: RecordContext, record: FoundRecord): RecordFault[] {
  const faults: RecordFault[] = [];
  for (const place of ltxPlaces(record)) {
    const fault = withSource(context, record, place, (source) =>
      source === undefined
        ? { ...place, what: 'it is missing', remedy: undefined }
        : maybeFindLtxFault(place, source),
    );
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

/** Hands a record on in which there are no faults but those of transactions in `except`. */
export function handOn(
  context: RecordContext,
  record: FoundRecord,
  handler: LogHandler,
  except: readonly RecordEntry[],
): void {
  const { header } = record;
  handler.record(header);
  for (const place of ltxPlaces(record)) {
    if (except.includes(place.entry)) continue;
    withSource(context, record, place, (source) => {
      const reader = new LtxReader(source!, { version: 1 });
      const what = handler.begin(place.entry, reader.header, header.lsn);
      for (let page = reader.next(); page !== undefined; page = reader.next()) handler.page(page);
      handler.end(reader.trailer);
      if (what === undefined) return;
      const { database, maxTxid } = place.entry;
      handler.fault({
        kind: 'damage',
        file: place.file,
        database,
        txid: maxTxid,
        lsn: header.lsn,
        what: `transaction ${formatTxid(maxTxid as Txid)} of ${database}: ${what}`,
        remedy: { kind: 'new-log' },
      });
    });
  }
}

/** Zeros fill an LTX file up to a multiple of 8; nothing else would notice if they were not. */
export function surveyPadding(record: FoundRecord, handler: LogHandler): void {
  const bytes = new Uint8Array(8);
  for (const { entry, file, offset } of ltxPlaces(record)) {
    if (entry.besideId !== undefined) continue;
    const length = padTo8(entry.ltxBytes) - entry.ltxBytes;
    const at = offset + entry.ltxBytes;
    const count = record.file.read('check.read', bytes, 0, length, at);
    if (bytes.subarray(0, count).every((byte) => byte === 0)) continue;
    handler.fault({
      kind: 'damage',
      file,
      lsn: record.header.lsn,
      what: `the unused bytes at ${at} are not zero`,
      remedy: {
        kind: 'write',
        file,
        offset: at,
        bytes: new Uint8Array(length),
        description: 'set them to zero',
      },
    });
  }
}

function ltxPlaces({ name, place, header }: FoundRecord): LtxPlace[] {
  let at = place.offset + header.headerBytes;
  return header.entries.map((entry) => {
    if (entry.besideId !== undefined) {
      return { entry, file: `log/${formatHex64(entry.besideId)}.ltx`, offset: 0 };
    }
    const offset = at;
    at += padTo8(entry.ltxBytes);
    return { entry, file: name, offset };
  });
}

/** Gives the bytes of one LTX file, and no more than it should have. */
function withSource<T>(
  { disk, progress, folder }: RecordContext,
  record: FoundRecord,
  { entry, file, offset }: LtxPlace,
  read: (source: ByteSource | undefined) => T,
): T {
  const own = entry.besideId === undefined ? undefined : `${folder}/${file.slice('log/'.length)}`;
  if (own !== undefined && disk.stat('check.stat', own) === undefined) return read(undefined);
  const opened = own === undefined ? record.file : new SurveyFile(disk, own, progress);
  try {
    return read({
      read: (into, at, length, position) => {
        const count = Math.max(0, Math.min(length, entry.ltxBytes - position));
        return count === 0 ? 0 : opened.read('check.read', into, at, count, offset + position);
      },
    });
  } finally {
    if (own !== undefined) opened.close();
  }
}

function maybeFindLtxFault(place: LtxPlace, source: ByteSource): RecordFault | undefined {
  const { entry } = place;
  let what = 'it holds another LTX file than its record says';
  try {
    const reader = new LtxReader(source, { version: 1 });
    while (reader.next() !== undefined);
    const { minTxid, maxTxid } = reader.header;
    const isRight =
      reader.sizeBytes === entry.ltxBytes && minTxid === entry.minTxid && maxTxid === entry.maxTxid;
    if (isRight) return undefined;
  } catch (error) {
    if (!(error instanceof LtxFormatError || error instanceof DiskError)) throw error;
    what = error.message;
  }
  return { ...place, what, remedy: maybeFlip(place, source) };
}

function maybeFlip(place: LtxPlace, source: ByteSource): Remedy | undefined {
  const found = findLtxBit(source, place.entry.ltxBytes);
  if (found === undefined) return undefined;
  const byte = new Uint8Array(1);
  source.read(byte, 0, 1, found.offset);
  return flipRemedy(place.file, byte[0]!, { ...found, offset: place.offset + found.offset });
}

/** The remedy for a byte of a file in which one bit is wrong. */
export function flipRemedy(
  file: string,
  byte: number,
  { offset, bit }: { readonly offset: number; readonly bit: number },
): Remedy {
  return {
    kind: 'write',
    file,
    offset,
    bytes: Uint8Array.of(byte ^ (1 << bit)),
    description: `flip bit ${bit} of byte ${offset}: then its checksum is right`,
  };
}
