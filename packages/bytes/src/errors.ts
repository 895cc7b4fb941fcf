// Errors of this package: bytes that are not what they claim to be.

export type BytesErrorCode =
  /** The block ends inside of a sequence. */
  | 'LZ4_BLOCK_TRUNCATED'
  /** The content is longer than the room for it. */
  | 'LZ4_BLOCK_OVERFLOW'
  /** A match goes back to before the beginning. */
  | 'LZ4_BLOCK_MATCH_OFFSET'
  /** What is there is no LZ4 frame. */
  | 'LZ4_FRAME_MAGIC'
  /** Version, flags or block size are none that the format has. */
  | 'LZ4_FRAME_DESCRIPTOR'
  | 'LZ4_FRAME_DESCRIPTOR_CHECKSUM'
  /** A dictionary is needed that is not in the frame. */
  | 'LZ4_FRAME_DICTIONARY'
  /** A block is longer than the descriptor allows. */
  | 'LZ4_FRAME_BLOCK_SIZE'
  | 'LZ4_FRAME_BLOCK_CHECKSUM'
  /** The content is not as long as the descriptor says. */
  | 'LZ4_FRAME_CONTENT_SIZE'
  | 'LZ4_FRAME_CONTENT_CHECKSUM'
  /** The number has no last byte. */
  | 'VARINT_TRUNCATED'
  /** The number does not fit into 53 bits. */
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
