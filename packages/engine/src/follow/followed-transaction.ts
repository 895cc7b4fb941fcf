// A transaction as it is handed to those who follow the log.

import type { Disk, DiskFile } from '@skein/host';
import {
  CHECKSUM_FLAG,
  type Checksum,
  HEADER_SIZE,
  LtxDecoder,
  LtxEncoder,
  LtxFormatError,
  makeHeader,
  NO_CHECKSUM,
  type Position,
  rawFileSize,
  TRAILER_SIZE,
  type Txid,
} from '@skein/ltx';

import { DAMAGE_HINT, DamageError } from '../errors.ts';
import type { RecordEntry, RecordHeader } from '../log/record.ts';
import { ltxFacts, type LtxFacts, openBeside } from './ltx-facts.ts';

export interface Followed {
  readonly database: string;
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
  /** Where the database is afterwards. */
  readonly position: Position;
  readonly preApplyChecksum: Checksum;
  /** The term of leadership in which it was committed, and when. */
  readonly epoch: number;
  readonly timestampMs: number;
}

/** With its LTX file, which was verified. */
export interface FollowedTransaction extends Followed {
  readonly bytes: Uint8Array;
}

/** One whose LTX file is beside the log, and was not read but for its ends. */
export interface FollowedFile extends Followed {
  readonly file: DiskFile;
  readonly sizeBytes: number;
  readonly besideId: bigint;
}

/** Decodes the LTX file of an entry to its end. Throws DamageError. */
export function verifiedTransaction(
  header: RecordHeader,
  entry: RecordEntry,
  bytes: Uint8Array,
): FollowedTransaction {
  verify(header, entry, bytes);
  const trailer = bytes.subarray(bytes.length - TRAILER_SIZE);
  const facts = ltxFacts(bytes.subarray(0, HEADER_SIZE), trailer);
  return { ...followed(header, entry, facts), bytes };
}

/** Opens an LTX file beside the log. Throws DiskError, DamageError. */
export function openFollowedFile(
  log: { readonly disk: Disk; readonly folder: string },
  header: RecordHeader,
  entry: RecordEntry,
): FollowedFile {
  const { file, facts } = openBeside(log.disk, log.folder, entry);
  const { ltxBytes: sizeBytes, besideId } = entry;
  return { ...followed(header, entry, facts), file, sizeBytes, besideId: besideId! };
}

/** An LTX file must name one; without pages it means nothing. */
const ANY_PAGE_SIZE = 4096;

/**
 * The transaction that drops a database wherever it was: one that has every page of a database that
 * has none.
 */
export function dropOf(
  database: string,
  position: Position,
  { epoch, timestampMs }: Pick<RecordHeader, 'epoch' | 'timestampMs'>,
): FollowedTransaction {
  const minTxid = 1n as Txid;
  const pageSize = ANY_PAGE_SIZE;
  const bytes = new Uint8Array(rawFileSize(0, pageSize));
  let at = 0;
  const encoder = new LtxEncoder(
    (piece, start, end) => {
      bytes.set(piece.subarray(start, end), at);
      at += end - start;
    },
    makeHeader({ pageSize, commit: 0, minTxid, maxTxid: position.txid, timestampMs }),
  );
  encoder.finish(CHECKSUM_FLAG);
  return {
    database,
    minTxid,
    maxTxid: position.txid,
    position,
    preApplyChecksum: NO_CHECKSUM,
    epoch,
    timestampMs,
    bytes,
  };
}

function followed(header: RecordHeader, { database }: RecordEntry, facts: LtxFacts): Followed {
  const { minTxid, position, preApplyChecksum } = facts;
  const { epoch, timestampMs } = header;
  const maxTxid = position.txid;
  return { database, minTxid, maxTxid, position, preApplyChecksum, epoch, timestampMs };
}

const NOTHING = { onHeader: () => {}, onPage: () => {}, onTrailer: () => {} };

function verify({ lsn }: RecordHeader, entry: RecordEntry, bytes: Uint8Array): void {
  const { database, maxTxid } = entry;
  try {
    let foundTxid: bigint | undefined;
    const onHeader = (header: { readonly maxTxid: bigint }): void => {
      foundTxid = header.maxTxid;
    };
    const decoder = new LtxDecoder({ ...NOTHING, onHeader }, { version: 1 });
    const taken = decoder.push(bytes);
    decoder.finish();
    if (taken === bytes.length && foundTxid === maxTxid) return;
  } catch (cause) {
    if (!(cause instanceof LtxFormatError)) throw cause;
    throw damaged(lsn, database, maxTxid, cause);
  }
  throw damaged(lsn, database, maxTxid);
}

function damaged(lsn: number, database: string, txid: bigint, cause?: Error): DamageError {
  const reason = cause?.message ?? 'it holds another LTX file than it says';
  return new DamageError(
    'LOG_CORRUPT',
    `Cannot follow the log: record ${lsn} is damaged: ${reason}`,
    { file: 'log', lsn, database, txid },
    { cause, hint: DAMAGE_HINT },
  );
}
