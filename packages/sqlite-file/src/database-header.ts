// The header of a database: the first 100 bytes of page 1.
//
// Layout: https://sqlite.org/fileformat2.html section 1.3. Which headers are accepted follows what
// SQLite does when it takes its first read lock (src/btree.c, lockBtree), not what the document
// recommends; fields that SQLite leaves unchecked there are decoded as they are. All integers are
// big-endian.
//
//   offset size field                        offset size field
//        0   16 "SQLite format 3\0"              48    4 default cache size (signed)
//       16    2 page size, 1 means 65536         52    4 largest root page (auto_vacuum)
//       18    1 write version, 2 means WAL       56    4 text encoding
//       19    1 read version, 2 means WAL        60    4 user version (signed)
//       20    1 reserved bytes a page            64    4 incremental vacuum
//       21    3 payload fractions 64, 32, 32     68    4 application id (signed)
//       24    4 change counter                   72   20 zero
//       28    4 page count                       92    4 version-valid-for
//       32    4 first freelist trunk page        96    4 version of SQLite that wrote last
//       36    4 pages on the freelist
//       40    4 schema cookie
//       44    4 schema format

import { SqliteFormatError } from './errors.ts';
import { isPageSize, PAGE_SIZE_EXPECTED, PAGE_SIZE_MAX } from './page-size.ts';

export const DATABASE_HEADER_SIZE = 100;

const MAGIC = 'SQLite format 3\0';
const ROLLBACK_VERSION = 1;
const WAL_VERSION = 2;
const PAYLOAD_FRACTIONS = 0x40_20_20;
/** What remains of a page without its reserved bytes must hold four cells. */
const USABLE_SIZE_MIN = 480;

const PAGE_SIZE_AT = 16;
const WRITE_VERSION_AT = 18;
const READ_VERSION_AT = 19;
const RESERVED_AT = 20;
const CHANGE_COUNTER_AT = 24;
const PAGE_COUNT_AT = 28;
const SCHEMA_COOKIE_AT = 40;
const VERSION_VALID_FOR_AT = 92;

/** How a database is marked in its header; a live journal or WAL may say otherwise for a moment. */
export type HeaderMode = 'rollback' | 'wal';

export interface DatabaseHeader {
  readonly pageSize: number;
  /** Above 2, SQLite opens the database for reading only. */
  readonly writeVersion: number;
  readonly mode: HeaderMode;
  /** Bytes at the end of every page that SQLite leaves to extensions. */
  readonly reservedBytes: number;
  readonly changeCounter: number;
  /** As stored: see databasePageCount() for when it counts. */
  readonly pageCount: number;
  readonly freelistTrunk: number;
  readonly freelistCount: number;
  readonly schemaCookie: number;
  readonly schemaFormat: number;
  readonly defaultCacheSize: number;
  /** Not 0: the database is in auto_vacuum or incremental_vacuum mode. */
  readonly largestRootPage: number;
  /** 1: UTF-8, 2: UTF-16le, 3: UTF-16be; 0 in a database without a schema. */
  readonly textEncoding: number;
  readonly userVersion: number;
  readonly incrementalVacuum: boolean;
  readonly applicationId: number;
  /** The change counter at which `sqliteVersion` and `pageCount` were written. */
  readonly versionValidFor: number;
  /** SQLITE_VERSION_NUMBER, e.g. 3040001. */
  readonly sqliteVersion: number;
}

/**
 * Decodes the header at the start of `bytes`, which may be longer. An empty file is a valid, empty
 * database without a header: the caller deals with that. Throws SqliteFormatError where SQLite
 * reports SQLITE_NOTADB.
 */
export function decodeDatabaseHeader(bytes: Uint8Array): DatabaseHeader {
  const fault = findFault(bytes);
  if (fault !== undefined) throw fault;
  const view = viewOf(bytes);
  return {
    pageSize: pageSizeOf(view),
    writeVersion: view.getUint8(WRITE_VERSION_AT),
    mode: view.getUint8(READ_VERSION_AT) === WAL_VERSION ? 'wal' : 'rollback',
    reservedBytes: view.getUint8(RESERVED_AT),
    changeCounter: view.getUint32(CHANGE_COUNTER_AT),
    pageCount: view.getUint32(PAGE_COUNT_AT),
    freelistTrunk: view.getUint32(32),
    freelistCount: view.getUint32(36),
    schemaCookie: view.getUint32(SCHEMA_COOKIE_AT),
    schemaFormat: view.getUint32(44),
    defaultCacheSize: view.getInt32(48),
    largestRootPage: view.getUint32(52),
    textEncoding: view.getUint32(56),
    userVersion: view.getInt32(60),
    incrementalVacuum: view.getUint32(64) !== 0,
    applicationId: view.getInt32(68),
    versionValidFor: view.getUint32(VERSION_VALID_FOR_AT),
    sqliteVersion: view.getUint32(96),
  };
}

/** Whether SQLite would accept `bytes` as the start of a database. */
export function isDatabaseHeader(bytes: Uint8Array): boolean {
  return findFault(bytes) === undefined;
}

/**
 * Pages of a database of `fileSize` bytes that has no WAL (a WAL's last commit frame overrules
 * this). The count in the header is ignored if it is 0 or was left behind by a SQLite before 3.7.0,
 * which did not maintain it; then a part of a page counts as one. Throws SqliteFormatError when the
 * file is shorter than its header says, which SQLite reports as SQLITE_CORRUPT.
 */
export function databasePageCount(header: DatabaseHeader, fileSize: number): number {
  const inFile = Math.ceil(fileSize / header.pageSize);
  const isCurrent = header.changeCounter === header.versionValidFor;
  if (header.pageCount === 0 || !isCurrent) return inFile;
  if (header.pageCount <= inFile) return header.pageCount;
  throw new SqliteFormatError({
    code: 'SQLITE_FILE_TRUNCATED',
    file: 'database',
    what: 'page count',
    offset: PAGE_COUNT_AT,
    expected: `at most ${inFile}, what the file has`,
    actual: header.pageCount,
  });
}

/** Marks a database as being in WAL or in rollback mode; `page1` starts with its header. */
export function setHeaderMode(page1: Uint8Array, mode: HeaderMode): void {
  const version = mode === 'wal' ? WAL_VERSION : ROLLBACK_VERSION;
  page1[WRITE_VERSION_AT] = version;
  page1[READ_VERSION_AT] = version;
}

/**
 * Makes every connection drop its page cache at its next read transaction (in rollback mode; in WAL
 * mode the wal-index does that). The counter vouches for the page count, so that is stored too.
 */
export function bumpChangeCounter(page1: Uint8Array, pageCount: number, above: number = 0): void {
  const view = viewOf(page1);
  const next = (Math.max(view.getUint32(CHANGE_COUNTER_AT), above) + 1) >>> 0;
  view.setUint32(CHANGE_COUNTER_AT, next);
  view.setUint32(VERSION_VALID_FOR_AT, next);
  view.setUint32(PAGE_COUNT_AT, pageCount);
}

/** Makes every connection read the schema anew and prepare its statements again. */
export function bumpSchemaCookie(page1: Uint8Array, above: number = 0): void {
  const view = viewOf(page1);
  const next = (Math.max(view.getUint32(SCHEMA_COOKIE_AT), above) + 1) >>> 0;
  view.setUint32(SCHEMA_COOKIE_AT, next);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function pageSizeOf(view: DataView): number {
  const stored = view.getUint16(PAGE_SIZE_AT);
  return stored === 1 ? PAGE_SIZE_MAX : stored;
}

/** The checks of lockBtree, in its order. */
function findFault(bytes: Uint8Array): SqliteFormatError | undefined {
  const file = 'database';
  if (bytes.length < DATABASE_HEADER_SIZE) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_TRUNCATED',
      file,
      what: 'header',
      offset: 0,
      expected: `${DATABASE_HEADER_SIZE} bytes`,
      actual: `${bytes.length} bytes`,
    });
  }
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_MAGIC',
      file,
      what: 'magic',
      offset: 0,
      expected: JSON.stringify(MAGIC),
      actual: JSON.stringify(magic),
    });
  }
  return findFieldFault(viewOf(bytes));
}

function findFieldFault(view: DataView): SqliteFormatError | undefined {
  const file = 'database';
  const readVersion = view.getUint8(READ_VERSION_AT);
  if (readVersion > WAL_VERSION) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_UNSUPPORTED_VERSION',
      file,
      what: 'read version',
      offset: READ_VERSION_AT,
      expected: `at most ${WAL_VERSION}`,
      actual: readVersion,
    });
  }
  // Three one-byte fields that the format fixes, read with the byte before them as one integer.
  const fractions = view.getUint32(RESERVED_AT) & 0xff_ff_ff;
  if (fractions !== PAYLOAD_FRACTIONS) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_FIELD',
      file,
      what: 'payload fractions',
      offset: RESERVED_AT + 1,
      expected: PAYLOAD_FRACTIONS,
      actual: fractions,
    });
  }
  const pageSize = pageSizeOf(view);
  if (!isPageSize(pageSize)) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_SIZE',
      file,
      what: 'page size',
      offset: PAGE_SIZE_AT,
      expected: PAGE_SIZE_EXPECTED,
      actual: pageSize,
    });
  }
  const reserved = view.getUint8(RESERVED_AT);
  if (pageSize - reserved < USABLE_SIZE_MIN) {
    return new SqliteFormatError({
      code: 'SQLITE_FILE_BAD_FIELD',
      file,
      what: 'reserved bytes',
      offset: RESERVED_AT,
      expected: `at most ${pageSize - USABLE_SIZE_MIN}`,
      actual: reserved,
    });
  }
  return undefined;
}
