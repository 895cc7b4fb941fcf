// The header of a rollback journal, and of each of its segments
// (https://sqlite.org/fileformat2.html section 3; src/pager.c, writeJournalHdr and readJournalHdr).
//
// A journal is a row of segments: a header, padded to the sector size, and the records that were
// synced with it. A record is a page number, the page as it was before the transaction, and a
// checksum: 4 + page size + 4 bytes. Integers are big-endian.
//
//   offset size field
//        0    8 magic; zero until the segment's records are synced, if SQLite syncs at all
//        8    4 number of records; 0xffffffff: all that the file has room for
//       12    4 nonce: where the records' checksums start from
//       16    4 page count of the database before the transaction
//       20    4 sector size of the disk: the header takes that much
//       24    4 page size; 0 in journals of SQLite before 3.5.8: that of the database

import { SqliteFormatError } from './errors.ts';
import { isPageSize, isPowerOfTwo, PAGE_SIZE_EXPECTED } from './page-size.ts';

/** The part of a segment's first sector that holds something. */
export const JOURNAL_HEADER_SIZE = 28;

/** As a segment's number of records: until the end of the file. */
export const RECORDS_TO_END = 0xffff_ffff;

export const JOURNAL_MAGIC: readonly number[] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

const SECTOR_SIZE_MIN = 32;
const SECTOR_SIZE_MAX = 65_536;

/** Only every 200th byte of a page is in its record's checksum, counted from the page's end. */
const CHECKSUM_STEP = 200;

export interface JournalHeader {
  readonly recordCount: number;
  readonly nonce: number;
  readonly initialPageCount: number;
  readonly sectorSize: number;
  readonly pageSize: number;
}

/** Whether `bytes`, of a journal or the end of a super-journal pointer, begin with the magic. */
export function hasJournalMagic(bytes: Uint8Array): boolean {
  return JOURNAL_MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Whether a write of `bytes` at the start of a journal ends its transaction: in journal mode
 * PERSIST, SQLite overwrites the header with zeros.
 */
export function isZeroedJournalHeader(bytes: Uint8Array): boolean {
  return bytes.length === JOURNAL_HEADER_SIZE && bytes.every((byte) => byte === 0);
}

/**
 * Decodes a journal's first header. Throws SqliteFormatError where SQLite, finding the journal left
 * behind, would have nothing to roll back.
 */
export function decodeJournalHeader(bytes: Uint8Array): JournalHeader {
  const fault = findJournalHeaderFault(bytes);
  if (fault !== undefined) throw fault;
  const view = new DataView(bytes.buffer, bytes.byteOffset, JOURNAL_HEADER_SIZE);
  return {
    recordCount: view.getUint32(8),
    nonce: view.getUint32(12),
    initialPageCount: view.getUint32(16),
    sectorSize: view.getUint32(20),
    pageSize: view.getUint32(24),
  };
}

/** The 28 bytes of a header. */
export function encodeJournalHeader(header: JournalHeader): Uint8Array {
  const bytes = new Uint8Array(JOURNAL_HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set(JOURNAL_MAGIC);
  view.setUint32(8, header.recordCount);
  view.setUint32(12, header.nonce);
  view.setUint32(16, header.initialPageCount);
  view.setUint32(20, header.sectorSize);
  view.setUint32(24, header.pageSize);
  return bytes;
}

export function journalRecordSize(pageSize: number): number {
  return 4 + pageSize + 4;
}

/** The checksum of a record with this page, in a segment with this nonce. */
export function journalChecksum(nonce: number, page: Uint8Array): number {
  let sum = nonce;
  for (let i = page.length - CHECKSUM_STEP; i > 0; i -= CHECKSUM_STEP) sum += page[i]!;
  return sum >>> 0;
}

/** What makes SQLite stop at a journal's first header, in its order; undefined if nothing does. */
export function findJournalHeaderFault(bytes: Uint8Array): SqliteFormatError | undefined {
  const file = 'journal';
  if (bytes.length < JOURNAL_HEADER_SIZE) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_TRUNCATED',
      file,
      what: 'header',
      offset: 0,
      expected: `${JOURNAL_HEADER_SIZE} bytes`,
      actual: `${bytes.length} bytes`,
    });
  }
  if (!hasJournalMagic(bytes)) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_MAGIC',
      file,
      what: 'magic',
      offset: 0,
      expected: JOURNAL_MAGIC.join(' '),
      actual: bytes.subarray(0, JOURNAL_MAGIC.length).join(' '),
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, JOURNAL_HEADER_SIZE);
  const pageSize = view.getUint32(24);
  if (pageSize !== 0 && !isPageSize(pageSize)) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_SIZE',
      file,
      what: 'page size',
      offset: 24,
      expected: PAGE_SIZE_EXPECTED,
      actual: pageSize,
    });
  }
  const sectorSize = view.getUint32(20);
  if (!isSectorSize(sectorSize)) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_SIZE',
      file,
      what: 'sector size',
      offset: 20,
      expected: `a power of two from ${SECTOR_SIZE_MIN} to ${SECTOR_SIZE_MAX}`,
      actual: sectorSize,
    });
  }
  return undefined;
}

function isSectorSize(value: number): boolean {
  return value >= SECTOR_SIZE_MIN && value <= SECTOR_SIZE_MAX && isPowerOfTwo(value);
}
