// Reads the records of a segment in order, and tells where and why they end.

import type { DiskFile } from '@skein/host';

import {
  maybeDecodeRecordHeader,
  maybeRecordHeaderBytes,
  RECORD_HEADER_BYTES_MAX,
  RECORD_MAGIC,
  RECORD_PREFIX_BYTES,
  type RecordHeader,
} from './record.ts';
import type { Segment } from './segment.ts';

/** Place of a record's header in the chain: what the next one has to say of itself. */
export interface ChainPlace {
  readonly offset: number;
  readonly lsn: number;
  readonly link: bigint;
}

/** Reused by every header that is read: large enough for any. */
const headerBuffer = new Uint8Array(RECORD_HEADER_BYTES_MAX);

/**
 * The header of the record at `place`; undefined when there is none, when it is damaged, or when it
 * is a leftover that does not continue the chain.
 */
export function maybeReadRecord(segment: Segment, place: ChainPlace): RecordHeader | undefined {
  const header = maybeReadAnyRecord(segment.file, place.offset);
  return header?.lsn === place.lsn && header.link === place.link ? header : undefined;
}

/** Where the record behind the one at `place` would start. */
export function placeAfter(place: ChainPlace, header: RecordHeader): ChainPlace {
  return {
    offset: place.offset + header.headerBytes + header.bodyBytes,
    lsn: header.lsn + 1,
    link: header.crc,
  };
}

/**
 * Looks behind a place where no valid record stands for a whole header that was written later and
 * says that the record at that place was durable: then it did not fail to arrive, it was damaged.
 */
export function isKnownDurable(file: Pick<DiskFile, 'read' | 'size'>, place: ChainPlace): boolean {
  const found = findRecordAfter(file, place, (header) => header.durableLsn >= place.lsn);
  return found !== undefined;
}

/** The first whole record behind a place that was written later than the one that belongs there. */
export function findRecordAfter(
  file: Pick<DiskFile, 'read' | 'size'>,
  place: ChainPlace,
  isWanted: (header: RecordHeader) => boolean = () => true,
): { readonly offset: number; readonly header: RecordHeader } | undefined {
  const magic = new Uint8Array(4);
  new DataView(magic.buffer).setUint32(0, RECORD_MAGIC);
  const piece = Buffer.alloc(SEARCH_BYTES);
  const size = file.size('log.size');
  for (let start = place.offset; start < size; start += SEARCH_BYTES) {
    const count = file.read('log.search', piece, 0, SEARCH_BYTES, start);
    const found = piece.subarray(0, count);
    for (let at = found.indexOf(magic); at !== -1; at = found.indexOf(magic, at + 1)) {
      if (at % 8 !== 0) continue;
      const header = maybeReadAnyRecord(file, start + at);
      if (header !== undefined && header.lsn > place.lsn && isWanted(header)) {
        return { offset: start + at, header };
      }
    }
  }
  return undefined;
}

/** Records start at multiples of 8 and so does every piece: no magic lies across two. */
const SEARCH_BYTES = 1024 * 1024;

/** Whatever whole header stands at an offset. */
export function maybeReadAnyRecord(
  file: Pick<DiskFile, 'read'>,
  offset: number,
): RecordHeader | undefined {
  const prefix = file.read('log.read', headerBuffer, 0, RECORD_PREFIX_BYTES, offset);
  if (prefix < RECORD_PREFIX_BYTES) return undefined;
  const size = maybeRecordHeaderBytes(headerBuffer);
  if (size === undefined) return undefined;
  const count = file.read('log.read', headerBuffer, 0, size, offset);
  return count === size ? maybeDecodeRecordHeader(headerBuffer.subarray(0, size)) : undefined;
}
