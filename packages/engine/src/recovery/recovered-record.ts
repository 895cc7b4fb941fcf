// A record as it is read when a node starts: its transactions, and what may be wrong with them.

import { type Disk, DiskError, type DiskFile } from '@skein/host';
import { type ByteSource, LtxFormatError, LtxReader, sourceFrom } from '@skein/ltx';

import { padTo8, type RecordEntry, type RecordHeader } from '../log/record.ts';
import type { ChainPlace } from '../log/record-reader.ts';
import { besidePath } from '../log/transaction-log.ts';
import type { FlippedBit } from './flipped-bit.ts';
import { findLtxBit } from './flipped-record.ts';

export interface RecoveredRecord {
  readonly header: RecordHeader;
  readonly transactions: readonly RecoveredTransaction[];
}

export interface RecoveredTransaction {
  readonly entry: RecordEntry;
  /** The LTX file, which was verified. */
  readonly source: ByteSource;
  /** Where it is in the segment; undefined when it lies beside the log. */
  readonly offset: number | undefined;
}

export interface RecordFault {
  readonly reason: string;
  readonly entry?: RecordEntry;
  readonly cause?: unknown;
}

/** The transactions of the record at `place` of a segment; nothing of them is read yet. */
export function transactionsOf(
  log: { readonly disk: Disk; readonly folder: string },
  file: DiskFile,
  place: ChainPlace,
  header: RecordHeader,
): RecoveredTransaction[] {
  let at = place.offset + header.headerBytes;
  return header.entries.map((entry) => {
    if (entry.besideId !== undefined) {
      const source = besideSource(log.disk, besidePath(log.folder, entry.besideId));
      return { entry, source, offset: undefined };
    }
    const offset = at;
    at += padTo8(entry.ltxBytes);
    return { entry, source: sourceFrom(fileSource(file), offset), offset };
  });
}

/** Reads every LTX file of a record to its end. */
export function findFault(transactions: readonly RecoveredTransaction[]): RecordFault | undefined {
  for (const transaction of transactions) {
    const fault = findLtxFault(transaction);
    if (fault !== undefined) return { ...fault, entry: transaction.entry };
  }
  return undefined;
}

/** The bit of the segment by which a record is damaged, if it is a single one. */
export function findBodyBit(transactions: readonly RecoveredTransaction[]): FlippedBit | undefined {
  const faulty = transactions.filter((transaction) => findLtxFault(transaction) !== undefined);
  const only = faulty.length === 1 ? faulty[0]! : undefined;
  if (only?.offset === undefined) return undefined;
  const found = findLtxBit(only.source, only.entry.ltxBytes);
  return found && { offset: only.offset + found.offset, bit: found.bit };
}

function findLtxFault({ source, entry }: RecoveredTransaction): RecordFault | undefined {
  try {
    const reader = new LtxReader(source, { version: 1 });
    while (reader.next() !== undefined);
    const isRight = reader.sizeBytes === entry.ltxBytes && reader.header.maxTxid === entry.maxTxid;
    return isRight ? undefined : { reason: 'it holds another LTX file than it says' };
  } catch (cause) {
    if (!(cause instanceof LtxFormatError || cause instanceof DiskError)) throw cause;
    return { reason: cause.message, cause };
  }
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
