// The header of a wal-index (-shm): the first 136 bytes of its first block.
//
// Layout: https://sqlite.org/walformat.html section 2, src/wal.c (struct WalIndexHdr, WalCkptInfo).
// Integers are in the machine's own byte order, for the index is shared memory and never leaves the
// machine; only the salts are copied as bytes from the WAL's header. On disk: cannot change.
//
//   offset size field                     offset size field
//        0    4 format: 3007000               32    8 salts, as in the WAL's header
//        4    4 unused                        40    8 checksum of bytes 0..40
//        8    4 change counter                48   48 second copy of bytes 0..48
//       12    1 1 once initialised            96    4 nBackfill
//       13    1 1: big-endian checksums      100   20 five read marks
//       14    2 page size, 1 means 65536     120    8 lock bytes, never read nor written
//       16    4 mxFrame                      128    4 nBackfillAttempted
//       20    4 page count of the database   132    4 unused
//       24    8 checksum of frame mxFrame
//
// The header is what makes frames visible: entries of frames above mxFrame count for nothing. A
// writer (who holds WAL_WRITE_LOCK) stores the second copy first, a reader reads the first copy
// first; so copies that are equal and whose checksum is right were not read in the middle of a
// change.

import { SqliteFormatError } from './errors.ts';
import { WAL_READ_LOCK_COUNT } from './lock-bytes.ts';
import { newWalChecksum, updateWalChecksum } from './wal-checksum.ts';
import type { WalIndexBlock } from './wal-index-block.ts';

const FORMAT = 3_007_000;

// Offsets in 32-bit words, as the header is accessed.
const COPY_WORDS = 12;
const CHECKSUM_WORD = 10;
const CHECKPOINT_WORD = 24;
const READ_MARKS_WORD = 25;
const ATTEMPTED_WORD = 32;

/** Size of one of the two copies of the header; they lie side by side at the beginning. */
export const WAL_INDEX_COPY_SIZE: number = COPY_WORDS * 4;
/** Where nBackfill is, 4 bytes. */
export const WAL_BACKFILL_OFFSET: number = CHECKPOINT_WORD * 4;
/** Where the marks of readers are, the only bytes that a connection without a write changes. */
export const WAL_READ_MARKS_OFFSET: number = READ_MARKS_WORD * 4;
export const WAL_READ_MARKS_SIZE: number = WAL_READ_LOCK_COUNT * 4;
/** Where nBackfillAttempted is, 4 bytes. */
export const WAL_ATTEMPTED_OFFSET: number = ATTEMPTED_WORD * 4;
/** Size of all of it; the page numbers of frames follow. */
export const WAL_INDEX_HEADER_SIZE = 136;

/** A read mark that no reader uses. */
export const READ_MARK_NOT_USED = 0xffff_ffff;

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The state of the WAL that a transaction beginning now sees. */
export interface WalIndexHeader {
  /**
   * One more for each transaction: connections drop their page cache when any byte here differs.
   */
  readonly changeCounter: number;
  readonly bigEndianChecksums: boolean;
  readonly pageSize: number;
  /** The last frame that is committed; 0 if there is none. */
  readonly mxFrame: number;
  readonly pageCount: number;
  readonly frameChecksum1: number;
  readonly frameChecksum2: number;
  readonly salt1: number;
  readonly salt2: number;
}

/** How far the WAL has been copied into the database, and how much of it readers still need. */
export interface WalCheckpointInfo {
  /** Frames that are in the database file. */
  readonly nBackfill: number;
  /** Frames that may be; not less than nBackfill. */
  readonly nBackfillAttempted: number;
  /** For each read lock, the mxFrame of its readers, or READ_MARK_NOT_USED; the first is unused. */
  readonly readMarks: readonly number[];
}

/**
 * The header in the first block; undefined where SQLite would look again or rebuild the index: it
 * is not initialised, in the middle of a change, or damaged. Throws SqliteFormatError for a format
 * that SQLite refuses to use.
 */
export function readWalIndexHeader(first: WalIndexBlock): WalIndexHeader | undefined {
  const words = new Uint32Array(COPY_WORDS);
  for (let i = 0; i < COPY_WORDS; i++) words[i] = Atomics.load(first.words, i);
  for (let i = 0; i < COPY_WORDS; i++) {
    if (words[i] !== Atomics.load(first.words, COPY_WORDS + i)) return undefined;
  }
  const view = new DataView(words.buffer);
  const sums = checksumOf(view);
  if (words[CHECKSUM_WORD] !== sums[0] || words[CHECKSUM_WORD + 1] !== sums[1]) return undefined;
  if (view.getUint8(12) === 0) return undefined;
  if (words[0] !== FORMAT) {
    throw new SqliteFormatError({
      code: 'SQLITE_FILE_UNSUPPORTED_VERSION',
      file: 'wal-index',
      what: 'format',
      offset: 0,
      expected: FORMAT,
      actual: words[0]!,
    });
  }
  const pageSize = view.getUint16(14, IS_LITTLE_ENDIAN);
  return {
    changeCounter: words[2]!,
    bigEndianChecksums: view.getUint8(13) !== 0,
    pageSize: (pageSize & 0xfe00) + ((pageSize & 1) << 16),
    mxFrame: words[4]!,
    pageCount: words[5]!,
    frameChecksum1: words[6]!,
    frameChecksum2: words[7]!,
    salt1: view.getUint32(32),
    salt2: view.getUint32(36),
  };
}

/** Stores the header in the first block. The caller holds WAL_WRITE_LOCK. */
export function writeWalIndexHeader(first: WalIndexBlock, header: WalIndexHeader): void {
  const words = new Uint32Array(COPY_WORDS);
  const view = new DataView(words.buffer);
  words[0] = FORMAT;
  words[2] = header.changeCounter;
  view.setUint8(12, 1);
  view.setUint8(13, Number(header.bigEndianChecksums));
  view.setUint16(14, (header.pageSize & 0xff00) | (header.pageSize >>> 16), IS_LITTLE_ENDIAN);
  words[4] = header.mxFrame;
  words[5] = header.pageCount;
  words[6] = header.frameChecksum1;
  words[7] = header.frameChecksum2;
  view.setUint32(32, header.salt1);
  view.setUint32(36, header.salt2);
  words.set(checksumOf(view), CHECKSUM_WORD);
  // Atomic stores are sequentially consistent: no reader sees the first copy before the second, nor
  // either before the entries that they make visible.
  for (let i = 0; i < COPY_WORDS; i++) Atomics.store(first.words, COPY_WORDS + i, words[i]!);
  for (let i = 0; i < COPY_WORDS; i++) Atomics.store(first.words, i, words[i]!);
}

/** How far checkpoints have come, from the first block. */
export function readWalCheckpointInfo(first: WalIndexBlock): WalCheckpointInfo {
  const marks = first.words.subarray(READ_MARKS_WORD, READ_MARKS_WORD + WAL_READ_LOCK_COUNT);
  return {
    nBackfill: Atomics.load(first.words, CHECKPOINT_WORD),
    nBackfillAttempted: Atomics.load(first.words, ATTEMPTED_WORD),
    readMarks: Array.from(marks, (_, i) => Atomics.load(marks, i)),
  };
}

/** Stores how far checkpoints have come. The caller has the locks that SQLite takes for that. */
export function writeWalCheckpointInfo(first: WalIndexBlock, info: WalCheckpointInfo): void {
  Atomics.store(first.words, CHECKPOINT_WORD, info.nBackfill);
  Atomics.store(first.words, ATTEMPTED_WORD, info.nBackfillAttempted);
  for (const [n, mark] of info.readMarks.entries()) {
    Atomics.store(first.words, READ_MARKS_WORD + n, mark);
  }
}

/** The checksum of one copy of the header, over words in the machine's byte order. */
function checksumOf(copy: DataView): Uint32Array {
  const sums = newWalChecksum();
  updateWalChecksum(sums, !IS_LITTLE_ENDIAN, copy, 0, CHECKSUM_WORD * 4);
  return sums;
}
