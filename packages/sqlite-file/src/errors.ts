// The one error of this package: bytes that are not what SQLite would have written.
//
// Wrong arguments (a page number 0, a block of another size) are bugs of the caller: assertions.

/** The kind of file in which the fault was found. */
export type SqliteFileKind = 'database' | 'journal' | 'wal' | 'wal-index';

export type SqliteFormatCode =
  /** The file ends before the structure does. */
  | 'SQLITE_FILE_TRUNCATED'
  /** Another kind of file, or none of SQLite's. */
  | 'SQLITE_FILE_BAD_MAGIC'
  /** Not a power of two within the format's limits (page size, sector size). */
  | 'SQLITE_FILE_BAD_SIZE'
  /** A field holds a value that the format rules out. */
  | 'SQLITE_FILE_BAD_FIELD'
  | 'SQLITE_FILE_CHECKSUM_MISMATCH'
  /** Written by a format version that no SQLite we know of reads. */
  | 'SQLITE_FILE_UNSUPPORTED_VERSION';

export interface SqliteFormatFault {
  readonly code: SqliteFormatCode;
  readonly file: SqliteFileKind;
  /** What was being read, as the format documents call it. */
  readonly what: string;
  /** Where it lies, in bytes from the start of the structure that was decoded. */
  readonly offset: number;
  readonly expected: number | string;
  readonly actual: number | string;
}

/** Thrown by decoders for malformed input; `code` is stable, the message is for people. */
export class SqliteFormatError extends Error implements SqliteFormatFault {
  override readonly name = 'SqliteFormatError';
  readonly code: SqliteFormatCode;
  readonly file: SqliteFileKind;
  readonly what: string;
  readonly offset: number;
  readonly expected: number | string;
  readonly actual: number | string;

  constructor(fault: SqliteFormatFault) {
    const { file, what, offset, expected, actual } = fault;
    super(`Cannot read ${file}: ${what} at offset ${offset} is ${actual}, expected ${expected}`);
    this.code = fault.code;
    this.file = file;
    this.what = what;
    this.offset = offset;
    this.expected = expected;
    this.actual = actual;
  }
}
