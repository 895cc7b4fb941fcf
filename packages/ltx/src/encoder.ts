// Writes an LTX file, page by page, into a sink.
//
// Invariant: what reaches the sink is a file that the decoder of this package accepts, provided
// that finish() is called. A call that breaks a rule of the format throws and leaves the file
// unfinished.

import { type ByteSink, assert } from '@skein/bytes';

import { type Checksum, DatabaseChecksum, NO_CHECKSUM } from './checksum.ts';
import { FileChecksum } from './file-checksum.ts';
import {
  FLAG_LZ4,
  HEADER_SIZE,
  type LtxHeader,
  type LtxVersion,
  checkHeader,
  encodeHeader,
} from './header.ts';
import {
  FramedPageWriter,
  IndexedPageWriter,
  type PageBlockWriter,
  RawPageWriter,
} from './page-block-writers.ts';
import { PageOrder } from './page-order.ts';
import {
  type LtxTrailer,
  TRAILER_CHECKED_SIZE,
  TRAILER_SIZE,
  checkPostApply,
  encodeTrailer,
} from './trailer.ts';

export class LtxEncoder {
  readonly #sink: ByteSink;
  readonly #header: LtxHeader;
  readonly #order: PageOrder;
  readonly #checksum: FileChecksum;
  readonly #pages: PageBlockWriter;
  /** Of the pages written. */
  readonly #database = new DatabaseChecksum();
  #bytesWritten = 0;
  #isFinished = false;

  /** Writes the header. Version 1 without FLAG_LZ4 is written raw and allocates nothing a page. */
  constructor(sink: ByteSink, header: LtxHeader, version: LtxVersion = 1) {
    checkHeader(header, version);
    this.#sink = (bytes, start, end) => {
      this.#bytesWritten += end - start;
      sink(bytes, start, end);
    };
    this.#header = header;
    this.#order = new PageOrder(header);
    this.#checksum = new FileChecksum(header.pageSize);
    const encoded = encodeHeader(header);
    this.#checksum.add(encoded, 0, HEADER_SIZE);
    this.#sink(encoded, 0, HEADER_SIZE);
    this.#pages = this.#makeWriter(version);
  }

  /**
   * Writes a page, whose bytes begin at `start`. Pages come in ascending order, never the lock
   * page; of a snapshot all pages come.
   */
  writePage(pgno: number, bytes: Uint8Array, start: number = 0): void {
    const end = start + this.#header.pageSize;
    assert(!this.#isFinished, 'A page comes after the end of the LTX file');
    assert(Number.isInteger(pgno), 'An LTX page has no whole number');
    assert(start >= 0 && end <= bytes.length, 'LTX page outside of the array');
    this.#order.accept(pgno, this.#bytesWritten);
    this.#pages.write(pgno, bytes, start);
    this.#database.toggle(this.#checksum.pageHi, this.#checksum.pageLo);
  }

  /** Upper half of the checksum of the page last written, unsigned. */
  get pageChecksumHi(): number {
    return this.#checksum.pageHi;
  }

  /** Lower half of the checksum of the page last written, unsigned. */
  get pageChecksumLo(): number {
    return this.#checksum.pageLo;
  }

  /** Checksum of all pages written: in a snapshot that of the database. */
  get pagesChecksum(): Checksum {
    return this.#database.value;
  }

  /** Number of bytes that went to the sink. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Ends the file. The checksum is that of the database with these pages in it. */
  finish(postApplyChecksum: Checksum): LtxTrailer {
    assert(!this.#isFinished, 'An LTX file ends twice');
    const offset = this.#bytesWritten;
    this.#order.finish(offset);
    checkPostApply(this.#header, postApplyChecksum, this.pagesChecksum, offset);
    this.#pages.finish();

    const unchecked = encodeTrailer({ postApplyChecksum, fileChecksum: NO_CHECKSUM });
    this.#checksum.add(unchecked, 0, TRAILER_CHECKED_SIZE);
    const trailer = { postApplyChecksum, fileChecksum: this.#checksum.value };
    this.#sink(encodeTrailer(trailer), 0, TRAILER_SIZE);
    this.#isFinished = true;
    return trailer;
  }

  #makeWriter(version: LtxVersion): PageBlockWriter {
    const { flags, pageSize } = this.#header;
    if (version === 3) return new IndexedPageWriter(this.#sink, this.#checksum, pageSize);
    return (flags & FLAG_LZ4) === 0
      ? new RawPageWriter(this.#sink, this.#checksum, pageSize)
      : new FramedPageWriter(this.#sink, this.#checksum, pageSize);
  }
}
