// The blocks of a sidecar: the checksum of every page of a database, 8 bytes each.
//
//   block 0                          block n > 0
//      0    8  magic "SKEINSUM"         0  4088  511 checksums, pages from 511(n-1)+1
//      8    4  version: 1            4088     8  CRC-64 of the block number (8 bytes)
//     12    4  page size                         and of the 4088 bytes before
//     16       zeros
//   4088    8  CRC-64, as in the others
//
// Integers little-endian, so that a block is used as it was read. A checksum is as LTX stores it,
// with bit 63 set; 0 stands for no page. On disk: cannot change without a new version.

import { assert, Crc64 } from '@skein/bytes';

export const CHECKSUM_BLOCK_BYTES = 4096;
export const CHECKSUMS_PER_BLOCK = 511;

const BLOCK_WORDS = CHECKSUM_BLOCK_BYTES / 4;
const CRC_WORD = CHECKSUMS_PER_BLOCK * 2;

const MAGIC_LO = 0x49454b53; // "SKEI"
const MAGIC_HI = 0x4d55534e; // "NSUM"
const VERSION = 1;

const crc = new Crc64();
const numberBytes = new Uint8Array(8);

export function newChecksumBlock(): Uint32Array {
  return new Uint32Array(BLOCK_WORDS);
}

/** The bytes of a block, not a copy. */
export function blockBytes(block: Uint32Array): Uint8Array {
  return new Uint8Array(block.buffer);
}

/** Number of the block that holds a page's checksum; the first is 1. */
export function checksumBlockOf(pgno: number): number {
  assert(pgno >= 1, 'There is no page 0');
  return Math.floor((pgno - 1) / CHECKSUMS_PER_BLOCK) + 1;
}

/** Where in its block the lower half of a page's checksum is; the upper one follows. */
export function checksumSlotOf(pgno: number): number {
  return ((pgno - 1) % CHECKSUMS_PER_BLOCK) * 2;
}

/** Block 0, sealed. */
export function encodeChecksumHeader(pageSize: number): Uint32Array {
  const block = newChecksumBlock();
  block.set([MAGIC_LO, MAGIC_HI, VERSION, pageSize]);
  sealChecksumBlock(0, block);
  return block;
}

export function isChecksumHeader(block: Uint32Array, pageSize: number): boolean {
  return (
    isChecksumBlockIntact(0, block) &&
    block[0] === MAGIC_LO &&
    block[1] === MAGIC_HI &&
    block[2] === VERSION &&
    block[3] === pageSize
  );
}

export function isChecksumBlockIntact(number: number, block: Uint32Array): boolean {
  computeCrc(number, block);
  return block[CRC_WORD] === crc.lo && block[CRC_WORD + 1] === crc.hi;
}

export function sealChecksumBlock(number: number, block: Uint32Array): void {
  computeCrc(number, block);
  block[CRC_WORD] = crc.lo;
  block[CRC_WORD + 1] = crc.hi;
}

/** The number is part of it: a block at another's place does not pass for it. */
function computeCrc(number: number, block: Uint32Array): void {
  new DataView(numberBytes.buffer).setUint32(0, number, true);
  crc.reset();
  crc.update(numberBytes);
  crc.update(blockBytes(block), 0, CRC_WORD * 4);
}
