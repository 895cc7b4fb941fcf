// The fixed parts of a segment of the node's log, a file `log/<sequence>.ltxs`.
//
//   offset size
//        0   64 the header, written before the first record
//      512   64 the seal, written when the segment is full and all of it is durable
//     4096      the records, one behind the other (record.ts); what follows the last one is the
//               index in a sealed segment, else zeros or records of an earlier life of the file
//
//   header                                           seal
//        0    8 magic "SKEINLOG"                          0    8 magic "SKEINEND"
//        8    4 version: 1                                8    8 sequence
//       12    4 zero                                     16    8 LSN of the last record
//       16    8 sequence: one more than the last file    24    8 end of the last record, an offset
//       24    8 LSN of the first record                  32    8 time of the last commit, ms
//       32    8 link of the first record                 40    8 size of the index, behind the end
//       40   16 zero                                     48    8 zero
//       56    8 CRC-64 of the 56 bytes before            56    8 CRC-64 of the 56 bytes before
//
// On disk: cannot change without a new version. Header and seal lie in sectors of their own:
// writing the one never tears the other.

import { crc64, formatHex64, maybeParseHex64, readU32be, writeU32be } from '@skein/bytes';
import { readU64be, writeU64be } from '@skein/bytes';

import { maybeReadSafeU64be, writeSafeU64be } from './safe-u64.ts';

export const SEGMENT_HEADER_AT = 0;
export const SEGMENT_SEAL_AT = 512;
export const SEGMENT_RECORDS_AT = 4096;
export const SEGMENT_BLOCK_BYTES = 64;

const HEADER_MAGIC = 0x534b45494e4c4f47n;
const SEAL_MAGIC = 0x534b45494e454e44n;
const VERSION = 1;
const CRC_AT = 56;

const SUFFIX = '.ltxs';

export interface SegmentHeader {
  readonly sequence: number;
  readonly firstLsn: number;
  readonly link: bigint;
}

export interface SegmentSeal {
  readonly sequence: number;
  readonly lastLsn: number;
  readonly end: number;
  readonly lastTimestampMs: number;
  readonly indexBytes: number;
}

export function formatSegmentName(sequence: number): string {
  return `${formatHex64(BigInt(sequence))}${SUFFIX}`;
}

/** The sequence that a file name says, or undefined when it is not that of a segment. */
export function maybeParseSegmentName(name: string): number | undefined {
  if (!name.endsWith(SUFFIX)) return undefined;
  const sequence = maybeParseHex64(name.slice(0, -SUFFIX.length));
  return sequence === undefined ? undefined : Number(sequence);
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_BLOCK_BYTES);
  writeU64be(bytes, 0, HEADER_MAGIC);
  writeU32be(bytes, 8, VERSION);
  writeSafeU64be(bytes, 16, header.sequence);
  writeSafeU64be(bytes, 24, header.firstLsn);
  writeU64be(bytes, 32, header.link);
  return seal(bytes);
}

/** Undefined when there is none, or a damaged one. */
export function maybeDecodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (!isIntact(bytes, HEADER_MAGIC) || readU32be(bytes, 8) !== VERSION) return undefined;
  return {
    sequence: maybeReadSafeU64be(bytes, 16),
    firstLsn: maybeReadSafeU64be(bytes, 24),
    link: readU64be(bytes, 32),
  };
}

export function encodeSegmentSeal(fields: SegmentSeal): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_BLOCK_BYTES);
  writeU64be(bytes, 0, SEAL_MAGIC);
  writeSafeU64be(bytes, 8, fields.sequence);
  writeSafeU64be(bytes, 16, fields.lastLsn);
  writeSafeU64be(bytes, 24, fields.end);
  writeSafeU64be(bytes, 32, fields.lastTimestampMs);
  writeSafeU64be(bytes, 40, fields.indexBytes);
  return seal(bytes);
}

/**
 * Undefined when there is none, or a damaged one: the segment then has to be read from its start.
 */
export function maybeDecodeSegmentSeal(bytes: Uint8Array): SegmentSeal | undefined {
  if (!isIntact(bytes, SEAL_MAGIC)) return undefined;
  return {
    sequence: maybeReadSafeU64be(bytes, 8),
    lastLsn: maybeReadSafeU64be(bytes, 16),
    end: maybeReadSafeU64be(bytes, 24),
    lastTimestampMs: maybeReadSafeU64be(bytes, 32),
    indexBytes: maybeReadSafeU64be(bytes, 40),
  };
}

function seal(bytes: Uint8Array): Uint8Array {
  writeU64be(bytes, CRC_AT, crc64(bytes, 0, CRC_AT));
  return bytes;
}

function isIntact(bytes: Uint8Array, magic: bigint): boolean {
  return readU64be(bytes, 0) === magic && readU64be(bytes, CRC_AT) === crc64(bytes, 0, CRC_AT);
}
