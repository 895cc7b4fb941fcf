// LZ4 frames: the numbers of the format.
//
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, version 1.6: magic, descriptor
// (flags, block size, optional content size and dictionary id, one byte of checksum), blocks (u32
// length, data, optional checksum), an end mark of four zero bytes, an optional checksum of the
// content. All numbers are little-endian, all checksums xxHash32.

export const LZ4_FRAME_MAGIC = 0x184d2204;

/** Bits of the descriptor's first byte. */
export const FLAG_VERSION_1 = 0x40;
export const FLAG_VERSION_MASK = 0xc0;
export const FLAG_INDEPENDENT_BLOCKS = 0x20;
export const FLAG_BLOCK_CHECKSUMS = 0x10;
export const FLAG_CONTENT_SIZE = 0x08;
export const FLAG_CONTENT_CHECKSUM = 0x04;
export const FLAG_RESERVED = 0x02;
export const FLAG_DICTIONARY = 0x01;

/** Bits of the descriptor's second byte that must be zero; the others are a block size's code. */
export const BLOCK_DESCRIPTOR_RESERVED = 0x8f;

/** Upper bit of a block's length: its data is not compressed. */
export const BLOCK_STORED = 0x80000000;

/** Code of the smallest block size, 64 KiB; each one more is four times as much, up to 4 MiB. */
export const BLOCK_SIZE_CODE_MIN = 4;
export const BLOCK_SIZE_CODE_MAX = 7;

export function blockSizeOfCode(code: number): number {
  return 1 << (8 + 2 * code);
}
