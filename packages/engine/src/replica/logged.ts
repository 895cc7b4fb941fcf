// Transactions of the node's own log, read again: those that were received faster than they could
// be applied, and those that are kept aside when a database turns out to have diverged.

import { assert, type ByteSource } from '@skein/bytes';
import type { Disk } from '@skein/host';

import { maybeReadAnyRecord } from '../log/record-reader.ts';
import type { Segment } from '../log/segment.ts';
import type { TransactionLog } from '../log/transaction-log.ts';
import { transactionsOf, type RecoveredTransaction } from '../recovery/recovered-record.ts';

export interface LogReader {
  readonly disk: Disk;
  readonly log: TransactionLog;
  /** The folder of the log. */
  readonly folder: string;
}

/** The transactions of a record that is still in the log; undefined when it was trimmed. */
export function maybeReadLogged(
  { disk, log, folder }: LogReader,
  lsn: number,
): readonly RecoveredTransaction[] | undefined {
  const segment = findSegment(log.segments, lsn);
  if (segment === undefined) return undefined;
  const offset = segment.index.offsetOf(lsn - segment.header.firstLsn);
  const header = maybeReadAnyRecord(segment.file, offset);
  assert(header?.lsn === lsn, 'The index of a segment leads to another record');
  const place = { offset, lsn, link: header.link };
  return transactionsOf({ disk, folder }, segment.file, place, header);
}

/** The one transaction of a record that the node has received, and that is not covered yet. */
export function readLogged(reader: LogReader, lsn: number): ByteSource {
  const transactions = maybeReadLogged(reader, lsn);
  assert(transactions?.length === 1, 'The log was trimmed of what is not in a database file');
  return transactions[0]!.source;
}

function findSegment(segments: readonly Segment[], lsn: number): Segment | undefined {
  return segments.findLast(({ header, lastLsn }) => header.firstLsn <= lsn && lsn <= lastLsn);
}
