// Errors of this package: bytes that are not what they claim to be.

export type BytesErrorCode =
  | 'LZ4_BLOCK_TRUNCATED'
  | 'LZ4_BLOCK_OVERFLOW'
  | 'LZ4_BLOCK_MATCH_OFFSET'
  | 'LZ4_FRAME_MAGIC'
  | 'LZ4_FRAME_DESCRIPTOR'
  | 'LZ4_FRAME_DESCRIPTOR_CHECKSUM'
  | 'LZ4_FRAME_DICTIONARY'
  | 'LZ4_FRAME_BLOCK_SIZE'
  | 'LZ4_FRAME_BLOCK_CHECKSUM'
  | 'LZ4_FRAME_CONTENT_SIZE'
  | 'LZ4_FRAME_CONTENT_CHECKSUM'
  | 'VARINT_TRUNCATED'
  | 'VARINT_OVERFLOW';

export interface FormatErrorDetails {
  /** Bytes from the beginning of what was decoded to the place where it went wrong. */
  readonly offset: number;
  readonly expected?: number | bigint | string;
  readonly actual?: number | bigint | string;
  readonly cause?: unknown;
}

/** Input that cannot be decoded. Never thrown for a mistake of the caller: that is an assertion. */
export class BytesFormatError extends Error {
  override readonly name = 'BytesFormatError';
  readonly code: BytesErrorCode;
  readonly offset: number;
  readonly expected: number | bigint | string | undefined;
  readonly actual: number | bigint | string | undefined;

  constructor(code: BytesErrorCode, message: string, details: FormatErrorDetails) {
    super(`${message} (offset ${details.offset})`, { cause: details.cause });
    this.code = code;
    this.offset = details.offset;
    this.expected = details.expected;
    this.actual = details.actual;
  }
}
