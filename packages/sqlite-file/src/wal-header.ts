// The header of a WAL: its first 32 bytes (https://sqlite.org/fileformat2.html section 4.1;
// src/wal.c, walIndexRecover and walFrames). Integers are big-endian, whatever the checksums are
// computed on.
//
//   offset size field
//        0    4 magic: 0x377f0682, checksums over little-endian words; 0x377f0683, over
//               big-endian ones
//        4    4 format: 3007000
//        8    4 page size
//       12    4 checkpoint sequence: counts how often the WAL started anew
//       16    4 salt-1: one more at each start
//       20    4 salt-2: random at each start
//       24    8 checksum of the bytes before

import { assert, type ByteSource, readWhole } from '@skein/bytes';

import { SqliteFormatError } from './errors.ts';
import { isPageSize, PAGE_SIZE_EXPECTED } from './page-size.ts';
import { newWalChecksum, updateWalChecksum } from './wal-checksum.ts';

export const WAL_HEADER_SIZE = 32;

const MAGIC = 0x377f_0682;
const FORMAT = 3_007_000;
const CHECKSUM_AT = 24;

/** What a WAL says of itself; its checksum follows from it. */
export interface WalHeader {
  /**
   * Byte order of the words that checksums are computed on: that of the machine that began the WAL.
   */
  readonly bigEndianChecksums: boolean;
  readonly pageSize: number;
  readonly checkpointSequence: number;
  readonly salt1: number;
  readonly salt2: number;
}

/** Throws SqliteFormatError unless `bytes` start with a header that SQLite's recovery accepts. */
export function decodeWalHeader(bytes: Uint8Array): WalHeader {
  const fault = findFault(bytes);
  if (fault !== undefined) throw fault;
  const view = new DataView(bytes.buffer, bytes.byteOffset, WAL_HEADER_SIZE);
  return {
    bigEndianChecksums: (view.getUint32(0) & 1) === 1,
    pageSize: view.getUint32(8),
    checkpointSequence: view.getUint32(12),
    salt1: view.getUint32(16),
    salt2: view.getUint32(20),
  };
}

/**
 * The header of a WAL file; undefined where SQLite takes the file for an empty WAL, whatever it
 * holds. Throws SqliteFormatError for a sound header of an unknown format: SQLite refuses to open
 * the database then.
 */
export function readWalHeader(source: ByteSource): WalHeader | undefined {
  const bytes = new Uint8Array(WAL_HEADER_SIZE);
  if (!readWhole(source, bytes, 0)) return undefined;
  const fault = findFault(bytes);
  if (fault === undefined) return decodeWalHeader(bytes);
  if (fault.code === 'SQLITE_FILE_UNSUPPORTED_VERSION') throw fault;
  return undefined;
}

/** The 32 bytes of the header, with their checksum. */
export function encodeWalHeader(header: WalHeader): Uint8Array {
  assert(isPageSize(header.pageSize), 'A WAL has pages of a size that SQLite accepts');
  const bytes = new Uint8Array(WAL_HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC | Number(header.bigEndianChecksums));
  view.setUint32(4, FORMAT);
  view.setUint32(8, header.pageSize);
  view.setUint32(12, header.checkpointSequence);
  view.setUint32(16, header.salt1);
  view.setUint32(20, header.salt2);
  const sums = newWalChecksum();
  updateWalChecksum(sums, header.bigEndianChecksums, view, 0, CHECKSUM_AT);
  view.setUint32(CHECKSUM_AT, sums[0]!);
  view.setUint32(CHECKSUM_AT + 4, sums[1]!);
  return bytes;
}

/** The checks of walIndexRecover, in its order. */
function findFault(bytes: Uint8Array): SqliteFormatError | undefined {
  if (bytes.length < WAL_HEADER_SIZE) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_TRUNCATED',
      file: 'wal',
      what: 'header',
      offset: 0,
      expected: `${WAL_HEADER_SIZE} bytes`,
      actual: `${bytes.length} bytes`,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, WAL_HEADER_SIZE);
  const magic = view.getUint32(0);
  if ((magic & ~1) !== MAGIC) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_MAGIC',
      file: 'wal',
      what: 'magic',
      offset: 0,
      expected: `${MAGIC} or ${MAGIC + 1}`,
      actual: magic,
    });
  }
  const pageSize = view.getUint32(8);
  if (!isPageSize(pageSize)) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_SIZE',
      file: 'wal',
      what: 'page size',
      offset: 8,
      expected: PAGE_SIZE_EXPECTED,
      actual: pageSize,
    });
  }
  return findChecksumFault(view) ?? findFormatFault(view);
}

function findChecksumFault(view: DataView): SqliteFormatError | undefined {
  const sums = newWalChecksum();
  updateWalChecksum(sums, (view.getUint32(0) & 1) === 1, view, 0, CHECKSUM_AT);
  const stored1 = view.getUint32(CHECKSUM_AT);
  const stored2 = view.getUint32(CHECKSUM_AT + 4);
  if (sums[0] === stored1 && sums[1] === stored2) return undefined;
  return new SqliteFormatError({
    code: 'SQLITE_FILE_CHECKSUM_MISMATCH',
    file: 'wal',
    what: 'header checksum',
    offset: CHECKSUM_AT,
    expected: `${sums[0]}, ${sums[1]}`,
    actual: `${stored1}, ${stored2}`,
  });
}

function findFormatFault(view: DataView): SqliteFormatError | undefined {
  const format = view.getUint32(4);
  if (format === FORMAT) return undefined;
  return new SqliteFormatError({
    code: 'SQLITE_FILE_UNSUPPORTED_VERSION',
    file: 'wal',
    what: 'format',
    offset: 4,
    expected: FORMAT,
    actual: format,
  });
}
