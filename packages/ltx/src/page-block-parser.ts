// The page block of any version, with all that is checked about it, and the page last read.

import type { ByteFeed } from '@skein/bytes';

import { type Checksum, DatabaseChecksum } from './checksum.ts';
import { FileChecksum } from './file-checksum.ts';
import { FrameReader } from './frame-reader.ts';
import { FLAG_LZ4, type LtxHeader, type LtxVersion } from './header.ts';
import {
  FramedPageReader,
  type PageBlockEvent,
  type PageBlockReader,
  RawPageReader,
} from './page-block-readers.ts';
import { PageOrder } from './page-order.ts';

/** A page on its way. One object serves all pages of a file: it is valid until the next is read. */
export interface LtxPage {
  readonly pgno: number;
  /** The page is the bytes from `start` to `end` of this array. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Halves of the page's checksum, unsigned. */
  readonly checksumHi: number;
  readonly checksumLo: number;
  /**
   * Where the page's frame begins and ends in the file; of a version 1 file with compression, where
   * it would without.
   */
  readonly frameStart: number;
  readonly frameEnd: number;
}

export class PageBlockParser implements LtxPage {
  readonly #header: LtxHeader;
  readonly #feed: ByteFeed;
  readonly #order: PageOrder;
  readonly #reader: PageBlockReader;
  readonly #database = new DatabaseChecksum();
  /** The file's. Header and trailer are added from outside. */
  readonly checksum: FileChecksum;

  constructor(feed: ByteFeed, header: LtxHeader, version: LtxVersion) {
    this.#header = header;
    this.#feed = feed;
    this.#order = new PageOrder(header);
    this.checksum = new FileChecksum(header.pageSize);
    const { pageSize } = header;
    const context = { feed, pageSize, checksum: this.checksum, order: this.#order };
    if (version === 3) this.#reader = new FrameReader(context);
    else if ((header.flags & FLAG_LZ4) === 0) this.#reader = new RawPageReader(context);
    else this.#reader = new FramedPageReader(context);
  }

  next(): PageBlockEvent {
    const event = this.#reader.next();
    if (event === 'page') this.#database.toggle(this.checksumHi, this.checksumLo);
    if (event === 'end') this.#order.finish(this.#feed.taken);
    return event;
  }

  /** Checksum of all pages so far: in the end, of a snapshot, that of the database. */
  get pagesChecksum(): Checksum {
    return this.#database.value;
  }

  get pgno(): number {
    return this.#reader.pgno;
  }

  get bytes(): Uint8Array {
    return this.#reader.bytes;
  }

  get start(): number {
    return this.#reader.start;
  }

  get end(): number {
    return this.#reader.start + this.#header.pageSize;
  }

  get checksumHi(): number {
    return this.checksum.pageHi;
  }

  get checksumLo(): number {
    return this.checksum.pageLo;
  }

  get frameStart(): number {
    return this.#reader.frameStart;
  }

  get frameEnd(): number {
    return this.#reader.frameEnd;
  }
}
