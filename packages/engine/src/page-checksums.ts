// The checksum of every page of a database, by which the checksum of the whole follows from that of
// the pages that a transaction changes (LTX: an exclusive-or over all pages).
//
// Kept in a sidecar file, 8 bytes a page, so that opening a database reads none of its pages. The
// file is made of blocks of 4096 bytes, read when first needed:
//
//   block 0     0    8  magic "SKEINSUM"     block n>0     0 4088  511 checksums,
//               8    4  version: 1                                 pages from 511(n-1)+1 on
//              12    4  page size                       4088    8  CRC-64 of the block number
//              16       zeros                                      (8 bytes) and of the 4088
//            4088    8  CRC-64, as in the others                   bytes before
//
// Integers little-endian, so that a block is used as it was read. A checksum is as LTX stores it,
// with bit 63 set; 0 stands for no page. On disk: cannot change without a new version.
//
// Invariant: after replay of the log from the checkpoint, every entry is the checksum of its page.
// Blocks are written in place and may be newer than the checkpoint, or torn: an entry that differs
// from the one at the checkpoint belongs to a page that the replay sets again. A block with a wrong
// CRC is computed anew from the pages, which is right for the same reason.

import { assert, Crc64 } from '@skein/bytes';
import type { Disk, DiskFile } from '@skein/host';
import { lockPgno } from '@skein/sqlite-file';

const BLOCK_BYTES = 4096;
const BLOCK_WORDS = BLOCK_BYTES / 4;
const ENTRIES = 511;
const CRC_WORD = ENTRIES * 2;

const MAGIC_LO = 0x49454b53; // "SKEI"
const MAGIC_HI = 0x4d55534e; // "NSUM"
const VERSION = 1;

/** Bit 63: set in every checksum that LTX stores, so that none is 0. */
const FLAG_HI = 0x8000_0000;

export interface PageChecksumsOptions {
  readonly disk: Disk;
  readonly path: string;
  readonly pageSize: number;
  /** Reads a page into the buffer; false past the last one. */
  readonly readPage: (pgno: number, into: Uint8Array) => boolean;
  /** Told about a block that was damaged, or torn by a crash, and is computed anew. */
  readonly onRebuild: (firstPgno: number, lastPgno: number) => void;
}

export class PageChecksums {
  readonly #options: PageChecksumsOptions;
  readonly #file: DiskFile;
  readonly #blocks: (Uint32Array | undefined)[] = [];
  readonly #dirty = new Set<number>();
  readonly #crc = new Crc64();
  readonly #blockNumber = new Uint8Array(8);

  constructor(options: PageChecksumsOptions) {
    this.#options = options;
    this.#file = options.disk.open('checksums.open', options.path, 'open-or-create');
    if (!this.#hasOurHeader()) {
      this.#file.truncate('checksums.reset', 0);
      this.#writeHeader();
    }
  }

  get file(): DiskFile {
    return this.#file;
  }

  /** Upper half of a page's checksum, unsigned; 0 when there is no such page. */
  hi(pgno: number): number {
    return this.#block(pgno)[((pgno - 1) % ENTRIES) * 2 + 1]!;
  }

  /** Lower half of a page's checksum, unsigned. */
  lo(pgno: number): number {
    return this.#block(pgno)[((pgno - 1) % ENTRIES) * 2]!;
  }

  /** Both halves 0: the page is gone. */
  set(pgno: number, hi: number, lo: number): void {
    const block = this.#block(pgno);
    const at = ((pgno - 1) % ENTRIES) * 2;
    block[at] = lo;
    block[at + 1] = hi;
    this.#dirty.add(blockOf(pgno));
  }

  /** Writes what has changed; durable after a sync of the file. */
  flush(): void {
    for (const number of this.#dirty) {
      const block = this.#blocks[number]!;
      this.#sealBlock(number, block);
      const bytes = new Uint8Array(block.buffer);
      this.#file.write('checksums.write', bytes, 0, BLOCK_BYTES, number * BLOCK_BYTES);
    }
    this.#dirty.clear();
  }

  close(): void {
    this.#file.close();
  }

  #block(pgno: number): Uint32Array {
    const number = blockOf(pgno);
    return this.#blocks[number] ?? this.#load(number);
  }

  #load(number: number): Uint32Array {
    const block = new Uint32Array(BLOCK_WORDS);
    const bytes = new Uint8Array(block.buffer);
    const count = this.#file.read('checksums.read', bytes, 0, BLOCK_BYTES, number * BLOCK_BYTES);
    if (count < BLOCK_BYTES || !this.#isIntact(number, block)) this.#rebuild(number, block);
    this.#blocks[number] = block;
    return block;
  }

  #rebuild(number: number, block: Uint32Array): void {
    const { pageSize, readPage, onRebuild } = this.#options;
    const page = new Uint8Array(pageSize);
    const first = (number - 1) * ENTRIES + 1;
    block.fill(0);
    let pgno = first;
    for (; pgno < first + ENTRIES && readPage(pgno, page); pgno++) {
      if (pgno === lockPgno(pageSize)) continue;
      this.#crc.reset();
      this.#crc.updateU32be(pgno);
      this.#crc.update(page);
      block[(pgno - first) * 2] = this.#crc.lo;
      block[(pgno - first) * 2 + 1] = (this.#crc.hi | FLAG_HI) >>> 0;
    }
    this.#dirty.add(number);
    if (pgno > first) onRebuild(first, pgno - 1);
  }

  #hasOurHeader(): boolean {
    const block = new Uint32Array(BLOCK_WORDS);
    const count = this.#file.read(
      'checksums.read',
      new Uint8Array(block.buffer),
      0,
      BLOCK_BYTES,
      0,
    );
    return (
      count === BLOCK_BYTES &&
      this.#isIntact(0, block) &&
      block[0] === MAGIC_LO &&
      block[1] === MAGIC_HI &&
      block[2] === VERSION &&
      block[3] === this.#options.pageSize
    );
  }

  #writeHeader(): void {
    const block = new Uint32Array(BLOCK_WORDS);
    block.set([MAGIC_LO, MAGIC_HI, VERSION, this.#options.pageSize]);
    this.#sealBlock(0, block);
    this.#file.write('checksums.write', new Uint8Array(block.buffer), 0, BLOCK_BYTES, 0);
  }

  #isIntact(number: number, block: Uint32Array): boolean {
    this.#computeCrc(number, block);
    return block[CRC_WORD] === this.#crc.lo && block[CRC_WORD + 1] === this.#crc.hi;
  }

  #sealBlock(number: number, block: Uint32Array): void {
    this.#computeCrc(number, block);
    block[CRC_WORD] = this.#crc.lo;
    block[CRC_WORD + 1] = this.#crc.hi;
  }

  /** The number is part of it: a block at another's place does not pass for it. */
  #computeCrc(number: number, block: Uint32Array): void {
    new DataView(this.#blockNumber.buffer).setUint32(0, number, true);
    this.#crc.reset();
    this.#crc.update(this.#blockNumber);
    this.#crc.update(new Uint8Array(block.buffer), 0, CRC_WORD * 4);
  }
}

/** Number of the block that holds a page's checksum; the first is 1. */
function blockOf(pgno: number): number {
  assert(pgno >= 1, 'There is no page 0');
  return Math.floor((pgno - 1) / ENTRIES) + 1;
}
