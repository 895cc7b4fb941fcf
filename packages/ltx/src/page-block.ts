// The page block, between header and trailer. Integers big-endian; on disk: cannot change.
//
// Version 1: for each page its number (4 bytes) and its bytes; then four zero bytes. With FLAG_LZ4
// all of that is one LZ4 frame.
//
// Version 3: for each page a frame: page number (4), flags (2), length of the data (4), the page as
// an LZ4 block; then six zero bytes and the page index. Until ltx 0.5.2 flags were 0, and an LZ4
// frame stood in place of length and block.
//
// The file checksum is over the block as it would be without compression; the length in the frame
// of version 3 is part of it, as is the page index.

import { lz4BlockBound } from '@skein/bytes';

import { HEADER_SIZE } from './header.ts';
import { TRAILER_SIZE } from './trailer.ts';

/** Version 1: what stands before each page, and the zeros after the last. */
export const PGNO_SIZE = 4;

/** Version 3: page number and flags, and the zeros after the last page. */
export const FRAME_HEADER_SIZE = 6;

/** Version 3: length of the compressed page, where the flags say that it is there. */
export const FRAME_LENGTH_SIZE = 4;

/** Version 3: the frame has a length and an LZ4 block. */
export const FRAME_FLAG_LENGTH = 0x1;

/** Length of a version 1 file without compression. */
export function rawFileSize(pageCount: number, pageSize: number): number {
  return HEADER_SIZE + pageCount * (PGNO_SIZE + pageSize) + PGNO_SIZE + TRAILER_SIZE;
}

/** Number of pages in a version 1 file without compression; a fraction if none is so long. */
export function rawPageCount(sizeBytes: number, pageSize: number): number {
  return (sizeBytes - rawFileSize(0, pageSize)) / (PGNO_SIZE + pageSize);
}

/** Longest frame of version 3 that is read at random: more than any page needs. */
export function frameSizeMax(pageSize: number): number {
  return FRAME_HEADER_SIZE + 2 * lz4BlockBound(pageSize);
}
