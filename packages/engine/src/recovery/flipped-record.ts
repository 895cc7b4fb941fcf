// Finds the one bit by which a record of the log, or an LTX file, differs from what was written.
//
// This tells a record that was damaged from one that a power cut took apart: of the latter whole
// sectors are missing. It also is the cure.

import { Crc64, readU32be } from '@skein/bytes';
import type { DiskFile } from '@skein/host';
import type { ByteSource } from '@skein/ltx';

import {
  maybeDecodeRecordHeader,
  maybeRecordHeaderBytes,
  RECORD_MAGIC,
  RECORD_PREFIX_BYTES,
} from '../log/record.ts';
import type { ChainPlace } from '../log/record-reader.ts';
import { findBitByCrc, findBitByTrial, type FlippedBit } from './flipped-bit.ts';

const CRC_BYTES = 8;
const CHUNK_BYTES = 65_536;
/** Magic and size of a header: without them its end is not known. */
const FRAME_BYTES = 8;

/** The bit in the header of the record that should be at `place`; the offset is the file's. */
export function findHeaderBit(
  file: Pick<DiskFile, 'read'>,
  place: ChainPlace,
): FlippedBit | undefined {
  const prefix = new Uint8Array(RECORD_PREFIX_BYTES);
  const count = file.read('log.read', prefix, 0, prefix.length, place.offset);
  if (count < prefix.length || countBits(readU32be(prefix, 0) ^ RECORD_MAGIC) > 1) return undefined;
  const found =
    findBehindSize(file, place, prefix) ??
    findBitByTrial(prefix.subarray(0, FRAME_BYTES), () => isHeader(file, place, prefix));
  return found && { offset: place.offset + found.offset, bit: found.bit };
}

/**
 * The bit in an LTX file of version 1 without compression, of which nothing but one bit is wrong.
 */
export function findLtxBit(source: ByteSource, ltxBytes: number): FlippedBit | undefined {
  const crcAt = ltxBytes - CRC_BYTES;
  const crc = new Crc64();
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < crcAt;) {
    const count = source.read(chunk, 0, Math.min(chunk.length, crcAt - at), at);
    if (count === 0) return undefined;
    crc.update(chunk, 0, count);
    at += count;
  }
  if (source.read(chunk, 0, CRC_BYTES, crcAt) < CRC_BYTES) return undefined;
  const hi = (crc.hi | 0x8000_0000) ^ readU32be(chunk, 0);
  return findFlip(hi, crc.lo ^ readU32be(chunk, 4), crcAt);
}

/** The bit when magic and size are right. */
function findBehindSize(
  file: Pick<DiskFile, 'read'>,
  place: ChainPlace,
  prefix: Uint8Array,
): FlippedBit | undefined {
  const size = maybeRecordHeaderBytes(prefix);
  if (size === undefined) return undefined;
  const header = readHeader(file, place, size);
  if (header.length < size) return undefined;
  const crcAt = size - CRC_BYTES;
  const crc = new Crc64();
  crc.update(header, 0, crcAt);
  const hi = crc.hi ^ readU32be(header, crcAt);
  const found = findFlip(hi, crc.lo ^ readU32be(header, crcAt + 4), crcAt);
  if (found === undefined) return undefined;
  header[found.offset]! ^= 1 << found.bit;
  return continuesAt(place, header) ? found : undefined;
}

/** The bit is among those that the CRC covers, or in the CRC, which stands behind them. */
function findFlip(hi: number, lo: number, length: number): FlippedBit | undefined {
  const bits = countBits(hi) + countBits(lo);
  if (bits === 0) return undefined;
  if (bits > 1) return findBitByCrc(hi, lo, length);
  const place = countBits(lo) === 0 ? 31 - Math.clz32(hi) + 32 : 31 - Math.clz32(lo);
  return { offset: length + 7 - (place >>> 3), bit: place & 7 };
}

function readHeader(file: Pick<DiskFile, 'read'>, place: ChainPlace, size: number): Uint8Array {
  const header = new Uint8Array(size);
  const count = file.read('log.read', header, 0, size, place.offset);
  return header.subarray(0, count);
}

/** Whether the record at `place` has a right header when it begins with `prefix`. */
function isHeader(file: Pick<DiskFile, 'read'>, place: ChainPlace, prefix: Uint8Array): boolean {
  const size = maybeRecordHeaderBytes(prefix);
  if (size === undefined) return false;
  const bytes = readHeader(file, place, size);
  if (bytes.length < size) return false;
  bytes.set(prefix);
  return continuesAt(place, bytes);
}

/** A leftover of an earlier life of the file may have a right header too. */
function continuesAt(place: ChainPlace, bytes: Uint8Array): boolean {
  const header = maybeDecodeRecordHeader(bytes);
  return header?.lsn === place.lsn && header.link === place.link;
}

function countBits(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
