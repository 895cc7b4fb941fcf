// A record of the node's log: what was committed at one moment, in one or several databases.
//
//   offset size field                                        (integers big-endian)
//        0    4 magic "SKLR"
//        4    4 H: size of the header with its entries, a multiple of 8
//        8    8 LSN: 1 for the first record of a node, then one more each
//       16    8 durable LSN: records up to this were synced when this one was written
//       24    8 the link: CRC-64 at the end of the header of the record before
//       32    8 epoch: the term of leadership in which it was written
//       40    8 size of the body: the LTX files that lie here, each padded to a multiple of 8
//       48    4 number of entries, at least 1
//       52    4 zero
//       56    8 time of the commit, ms since the Unix epoch
//       64      the entries, each:
//                   0    2 place of the LTX file: 0 in the body, 1 in a file of its own
//                   2    2 size of the name in bytes
//                   4    4 zero
//                   8    8 size of the LTX file in bytes
//                  16    8 place 1: the number that names the file `<16 hex digits>.ltx`; else 0
//                  24    8 min TXID
//                  32    8 max TXID
//                  40      name of the database, UTF-8, padded with zeros to a multiple of 8
//      H-8    8 CRC-64/GO-ISO of the header before this field
//        H      the body; every LTX file carries a checksum of its own
//
// On disk: cannot change without a new magic.
//
// The link makes the log a chain. After a crash the log is cut behind its last whole record; what
// was written behind the cut but never synced may still be there, and would look like the next
// record once the log has grown to that place again, but for its link. The durable LSN tells a
// record that was torn by a power cut (nothing behind it says that it was durable) from one that
// was damaged later (something does).

import { Crc64, readU32be, writeU32be, readU64be, writeU64be } from '@skein/bytes';

import { maybeReadSafeU64be, writeSafeU64be } from './safe-u64.ts';
import { maybeDecodeUtf8 } from './strict-utf8.ts';

export const RECORD_MAGIC = 0x534b4c52;

export const RECORD_PREFIX_BYTES = 64;
const ENTRY_PREFIX_BYTES = 40;
const CRC_BYTES = 8;

/** A transaction spans at most this many databases: SQLite attaches 125 at the most. */
const ENTRIES_MAX = 1024;
export const RECORD_HEADER_BYTES_MAX: number = 64 + ENTRIES_MAX * (ENTRY_PREFIX_BYTES + 256) + 8;

export interface RecordEntry {
  readonly database: string;
  readonly ltxBytes: number;
  readonly minTxid: bigint;
  readonly maxTxid: bigint;
  /** Names the file that holds the LTX; undefined when it lies in the body. */
  readonly besideId: bigint | undefined;
}

export interface RecordHeader {
  readonly lsn: number;
  readonly durableLsn: number;
  readonly link: bigint;
  readonly epoch: number;
  readonly timestampMs: number;
  readonly entries: readonly RecordEntry[];
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** The CRC of this header: the link of the next record. */
  readonly crc: bigint;
}

const utf8 = new TextEncoder();

export function padTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Size in the body of everything that lies there. */
export function bodyBytesOf(entries: readonly RecordEntry[]): number {
  let bytes = 0;
  for (const entry of entries) if (entry.besideId === undefined) bytes += padTo8(entry.ltxBytes);
  return bytes;
}

export type RecordFields = Pick<
  RecordHeader,
  'lsn' | 'durableLsn' | 'link' | 'epoch' | 'timestampMs' | 'entries'
>;

/** The bytes of a header, its CRC included. */
export function encodeRecordHeader(fields: RecordFields): Uint8Array {
  const names = fields.entries.map((entry) => utf8.encode(entry.database));
  let size = RECORD_PREFIX_BYTES + CRC_BYTES;
  for (const name of names) size += ENTRY_PREFIX_BYTES + padTo8(name.length);
  const bytes = new Uint8Array(size);
  writeU32be(bytes, 0, RECORD_MAGIC);
  writeU32be(bytes, 4, size);
  writeSafeU64be(bytes, 8, fields.lsn);
  writeSafeU64be(bytes, 16, fields.durableLsn);
  writeU64be(bytes, 24, fields.link);
  writeSafeU64be(bytes, 32, fields.epoch);
  writeSafeU64be(bytes, 40, bodyBytesOf(fields.entries));
  writeU32be(bytes, 48, fields.entries.length);
  writeSafeU64be(bytes, 56, fields.timestampMs);
  let at = RECORD_PREFIX_BYTES;
  for (const [index, entry] of fields.entries.entries()) {
    const name = names[index]!;
    writeU32be(bytes, at, ((entry.besideId === undefined ? 0 : 1) << 16) | name.length);
    writeSafeU64be(bytes, at + 8, entry.ltxBytes);
    writeU64be(bytes, at + 16, entry.besideId ?? 0n);
    writeU64be(bytes, at + 24, entry.minTxid);
    writeU64be(bytes, at + 32, entry.maxTxid);
    bytes.set(name, at + ENTRY_PREFIX_BYTES);
    at += ENTRY_PREFIX_BYTES + padTo8(name.length);
  }
  writeU64be(bytes, at, crcOf(bytes, at));
  return bytes;
}

/** Size of a header whose first 64 bytes these are, or undefined where no record starts. */
export function maybeRecordHeaderBytes(prefix: Uint8Array): number | undefined {
  if (readU32be(prefix, 0) !== RECORD_MAGIC) return undefined;
  const size = readU32be(prefix, 4);
  const isPossible =
    size % 8 === 0 && size > RECORD_PREFIX_BYTES + CRC_BYTES && size <= RECORD_HEADER_BYTES_MAX;
  return isPossible ? size : undefined;
}

/**
 * Decodes a header of the size that maybeRecordHeaderBytes() told; undefined when it is damaged.
 */
export function maybeDecodeRecordHeader(bytes: Uint8Array): RecordHeader | undefined {
  const crcAt = bytes.length - CRC_BYTES;
  const crc = readU64be(bytes, crcAt);
  if (crc !== crcOf(bytes, crcAt)) return undefined;
  const entries = maybeDecodeEntries(bytes, crcAt);
  if (entries === undefined) return undefined;
  return {
    lsn: maybeReadSafeU64be(bytes, 8),
    durableLsn: maybeReadSafeU64be(bytes, 16),
    link: readU64be(bytes, 24),
    epoch: maybeReadSafeU64be(bytes, 32),
    timestampMs: maybeReadSafeU64be(bytes, 56),
    entries,
    headerBytes: bytes.length,
    bodyBytes: maybeReadSafeU64be(bytes, 40),
    crc,
  };
}

/** Undefined when they do not fill the header to `end`: an equal CRC can be made on purpose. */
function maybeDecodeEntries(bytes: Uint8Array, end: number): RecordEntry[] | undefined {
  const entries: RecordEntry[] = [];
  let at = RECORD_PREFIX_BYTES;
  for (let count = readU32be(bytes, 48); count > 0; count--) {
    const nameAt = at + ENTRY_PREFIX_BYTES;
    if (nameAt > end) return undefined;
    const placeAndName = readU32be(bytes, at);
    const nameBytes = placeAndName & 0xffff;
    if (nameAt + padTo8(nameBytes) > end) return undefined;
    const database = maybeDecodeUtf8(bytes.subarray(nameAt, nameAt + nameBytes));
    if (database === undefined) return undefined;
    entries.push({
      database,
      ltxBytes: maybeReadSafeU64be(bytes, at + 8),
      minTxid: readU64be(bytes, at + 24),
      maxTxid: readU64be(bytes, at + 32),
      besideId: placeAndName >>> 16 === 0 ? undefined : readU64be(bytes, at + 16),
    });
    at = nameAt + padTo8(nameBytes);
  }
  return at === end && entries.length > 0 ? entries : undefined;
}

function crcOf(bytes: Uint8Array, end: number): bigint {
  const crc = new Crc64();
  crc.update(bytes, 0, end);
  return crc.value;
}
