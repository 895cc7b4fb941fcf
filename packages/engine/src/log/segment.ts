// One segment of the node's log, open: a file of records that is only ever written at its end.

import { type Disk, DiskError, type DiskFile } from '@skein/host';

import { SegmentIndex } from './segment-index.ts';
import {
  encodeSegmentHeader,
  encodeSegmentSeal,
  formatSegmentName,
  maybeDecodeSegmentHeader,
  maybeDecodeSegmentSeal,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_HEADER_AT,
  SEGMENT_RECORDS_AT,
  SEGMENT_SEAL_AT,
  type SegmentHeader,
  type SegmentSeal,
} from './segment-header.ts';

export interface Segment {
  readonly path: string;
  readonly file: DiskFile;
  readonly header: SegmentHeader;
  readonly index: SegmentIndex;
  /** Where the next record goes; behind the last one. */
  end: number;
  lastLsn: number;
  lastTimestampMs: number;
  /** Nothing is written to it any more, and its index is complete. */
  isSealed: boolean;
  /** So many bytes of the file were there before there was a record: they need no allocation. */
  readonly preparedBytes: number;
  /** It was sealed once, though the index may be lost: another segment came after it. */
  readonly hasSuccessor: boolean;
}

/** Makes `file` the segment that `header` describes, with no record yet. */
export function startSegment(path: string, file: DiskFile, header: SegmentHeader): Segment {
  const bytes = encodeSegmentHeader(header);
  file.write('log.segment.header', bytes, 0, bytes.length, SEGMENT_HEADER_AT);
  return newSegment(path, file, header);
}

/**
 * Opens the segment at `path`; undefined when there is no whole header in it, as in a file that was
 * prepared and never used. If it is sealed its index is read; else `index` and `end` stand at the
 * start and the records have to be read.
 */
export function openSegment(
  disk: Disk,
  path: string,
  sequence: number,
  mode: 'read' | 'update' = 'update',
): Segment | undefined {
  const file = disk.open('log.segment.open', path, mode);
  const block = new Uint8Array(SEGMENT_BLOCK_BYTES);
  const header = readBlock(file, block, SEGMENT_HEADER_AT, maybeDecodeSegmentHeader);
  // A file that was taken into use a second time may still have the header of its first life.
  if (header?.sequence !== sequence) {
    file.close();
    return undefined;
  }
  const seal = readBlock(file, block, SEGMENT_SEAL_AT, maybeDecodeSegmentSeal);
  const segment = newSegment(path, file, header);
  if (seal?.sequence !== sequence) return segment;
  const index = readIndex(file, seal.end, seal.indexBytes);
  if (index === undefined) return { ...segment, hasSuccessor: true };
  return {
    ...segment,
    index,
    end: seal.end,
    lastLsn: seal.lastLsn,
    lastTimestampMs: seal.lastTimestampMs,
    isSealed: true,
    hasSuccessor: true,
  };
}

/**
 * The same for somebody who reads while the log goes on: undefined also when it has been given up.
 */
export function maybeOpenToRead(disk: Disk, folder: string, sequence: number): Segment | undefined {
  try {
    return openSegment(disk, `${folder}/${formatSegmentName(sequence)}`, sequence, 'read');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes index and seal. All records are durable already; index and seal become so whenever the
 * file is synced next, and if they do not, the records are read instead.
 */
export function sealSegment(segment: Segment): void {
  const index = segment.index.encode();
  segment.file.write('log.segment.index', index, 0, index.length, segment.end);
  const seal: SegmentSeal = {
    sequence: segment.header.sequence,
    lastLsn: segment.lastLsn,
    end: segment.end,
    lastTimestampMs: segment.lastTimestampMs,
    indexBytes: index.length,
  };
  const bytes = encodeSegmentSeal(seal);
  segment.file.write('log.segment.seal', bytes, 0, bytes.length, SEGMENT_SEAL_AT);
  segment.isSealed = true;
}

function newSegment(path: string, file: DiskFile, header: SegmentHeader): Segment {
  return {
    path,
    file,
    header,
    index: new SegmentIndex(),
    end: SEGMENT_RECORDS_AT,
    lastLsn: header.firstLsn - 1,
    lastTimestampMs: 0,
    isSealed: false,
    preparedBytes: file.size('log.segment.size'),
    hasSuccessor: false,
  };
}

function readBlock<T>(
  file: DiskFile,
  block: Uint8Array,
  position: number,
  decode: (bytes: Uint8Array) => T | undefined,
): T | undefined {
  const count = file.read('log.segment.read', block, 0, SEGMENT_BLOCK_BYTES, position);
  return count === SEGMENT_BLOCK_BYTES ? decode(block) : undefined;
}

function readIndex(file: DiskFile, position: number, length: number): SegmentIndex | undefined {
  const bytes = new Uint8Array(Math.min(length, file.size('log.segment.size')));
  const count = file.read('log.segment.read', bytes, 0, bytes.length, position);
  return count === length ? SegmentIndex.maybeDecode(bytes) : undefined;
}
