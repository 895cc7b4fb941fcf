// The checksum of every page of a database, by which the checksum of the whole follows from that of
// the pages that a transaction changes (LTX: an exclusive-or over all pages).
//
// Kept in a sidecar file (checksum-block.ts), so that opening a database reads none of its pages.
// Its blocks are read when first needed.
//
// Invariant: after replay of the log from the checkpoint, every entry is the checksum of its page.
// Blocks are written in place and may be newer than the checkpoint, or torn: an entry that differs
// from the one at the checkpoint belongs to a page that the replay sets again. A block with a wrong
// CRC is computed anew from the pages, which is right for the same reason.

import { Crc64 } from '@skein/bytes';
import type { Disk, DiskFile } from '@skein/host';
import { lockPgno } from '@skein/sqlite-file';

import {
  blockBytes,
  CHECKSUM_BLOCK_BYTES,
  checksumBlockOf,
  CHECKSUMS_PER_BLOCK,
  checksumSlotOf,
  encodeChecksumHeader,
  isChecksumBlockIntact,
  isChecksumHeader,
  newChecksumBlock,
  sealChecksumBlock,
} from './checksum-block.ts';

/** Bit 63: set in every checksum that LTX stores, so that none is 0. */
const FLAG_HI = 0x8000_0000;

export interface PageChecksumsOptions {
  readonly disk: Disk;
  readonly path: string;
  /** 'create' where there are no pages yet. */
  readonly mode: 'create' | 'open-or-create';
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

  constructor(options: PageChecksumsOptions) {
    this.#options = options;
    this.#file = options.disk.open('checksums.open', options.path, options.mode);
    try {
      this.#prepareHeader();
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** To be closed by whoever made this. */
  get file(): DiskFile {
    return this.#file;
  }

  get pageSize(): number {
    return this.#options.pageSize;
  }

  /** Upper half of a page's checksum, unsigned; 0 when there is no such page. */
  hi(pgno: number): number {
    return this.#block(pgno)[checksumSlotOf(pgno) + 1]!;
  }

  /** Lower half of a page's checksum, unsigned. */
  lo(pgno: number): number {
    return this.#block(pgno)[checksumSlotOf(pgno)]!;
  }

  /** Reads what set() needs of these pages, so that it cannot fail. Throws DiskError. */
  prepare(pgnos: Uint32Array): void {
    for (const pgno of pgnos) this.#block(pgno);
  }

  /** The same of all pages from one to another; of none where the last comes before the first. */
  prepareRange(firstPgno: number, lastPgno: number): void {
    if (lastPgno < firstPgno) return;
    const last = checksumBlockOf(lastPgno);
    for (let number = checksumBlockOf(firstPgno); number <= last; number++) {
      if (this.#blocks[number] === undefined) this.#load(number);
    }
  }

  /** Both halves 0: the page is gone. */
  set(pgno: number, hi: number, lo: number): void {
    const block = this.#block(pgno);
    const at = checksumSlotOf(pgno);
    block[at] = lo;
    block[at + 1] = hi;
    this.#dirty.add(checksumBlockOf(pgno));
  }

  /** Writes what has changed; durable after a sync of the file. */
  flush(): void {
    for (const number of this.#dirty) {
      const block = this.#blocks[number]!;
      sealChecksumBlock(number, block);
      this.#write(number, block);
    }
    this.#dirty.clear();
  }

  /** Without a header of ours, and of this page size, the file is begun anew. */
  #prepareHeader(): void {
    if (this.#hasOurHeader()) return;
    this.#file.truncate('checksums.reset', 0);
    this.#write(0, encodeChecksumHeader(this.#options.pageSize));
  }

  #block(pgno: number): Uint32Array {
    const number = checksumBlockOf(pgno);
    return this.#blocks[number] ?? this.#load(number);
  }

  #load(number: number): Uint32Array {
    const block = newChecksumBlock();
    if (!this.#read(number, block) || !isChecksumBlockIntact(number, block)) {
      this.#rebuild(number, block);
    }
    this.#blocks[number] = block;
    return block;
  }

  #rebuild(number: number, block: Uint32Array): void {
    const { pageSize, readPage, onRebuild } = this.#options;
    const page = new Uint8Array(pageSize);
    const first = (number - 1) * CHECKSUMS_PER_BLOCK + 1;
    block.fill(0);
    let pgno = first;
    for (; pgno < first + CHECKSUMS_PER_BLOCK && readPage(pgno, page); pgno++) {
      if (pgno === lockPgno(pageSize)) continue;
      this.#crc.reset();
      this.#crc.updateU32be(pgno);
      this.#crc.update(page);
      block[checksumSlotOf(pgno)] = this.#crc.lo;
      block[checksumSlotOf(pgno) + 1] = (this.#crc.hi | FLAG_HI) >>> 0;
    }
    this.#dirty.add(number);
    if (pgno > first) onRebuild(first, pgno - 1);
  }

  #hasOurHeader(): boolean {
    const block = newChecksumBlock();
    return this.#read(0, block) && isChecksumHeader(block, this.#options.pageSize);
  }

  #read(number: number, block: Uint32Array): boolean {
    const position = number * CHECKSUM_BLOCK_BYTES;
    const bytes = blockBytes(block);
    const count = this.#file.read('checksums.read', bytes, 0, CHECKSUM_BLOCK_BYTES, position);
    return count === CHECKSUM_BLOCK_BYTES;
  }

  #write(number: number, block: Uint32Array): void {
    const position = number * CHECKSUM_BLOCK_BYTES;
    this.#file.write('checksums.write', blockBytes(block), 0, CHECKSUM_BLOCK_BYTES, position);
  }
}
