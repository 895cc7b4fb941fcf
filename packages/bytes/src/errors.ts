// Errors of this package: bytes that are not what they claim to be.

import { FormatError } from './format-error.ts';

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

export class BytesFormatError extends FormatError<BytesErrorCode> {
  override readonly name = 'BytesFormatError';
}
