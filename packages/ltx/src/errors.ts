// Errors of this package: an LTX file, or what is to become one, that breaks the format's rules.

import { FormatError } from '@skein/bytes';

export type LtxErrorCode =
  /** The file ends too early. */
  | 'LTX_TRUNCATED'
  /** It does not begin as an LTX file does. */
  | 'LTX_MAGIC'
  /** A field of the header has a value that it cannot have. */
  | 'LTX_HEADER'
  /** The frame of a page is none. */
  | 'LTX_PAGE_HEADER'
  /** A page number that may not come here. */
  | 'LTX_PAGE_ORDER'
  /** A snapshot without all pages. */
  | 'LTX_SNAPSHOT_INCOMPLETE'
  /** Compressed data that cannot be decompressed to what it should be. */
  | 'LTX_COMPRESSION'
  /** The page index is not that of the pages. */
  | 'LTX_PAGE_INDEX'
  /** A field of the trailer has a value that it cannot have. */
  | 'LTX_TRAILER'
  /** The content fails the file checksum. */
  | 'LTX_FILE_CHECKSUM'
  /** The pages of a snapshot fail the post-apply checksum. */
  | 'LTX_DATABASE_CHECKSUM'
  /** Files that cannot be compacted into one. */
  | 'LTX_COMPACTION';

export class LtxFormatError extends FormatError<LtxErrorCode> {
  override readonly name = 'LtxFormatError';
}
