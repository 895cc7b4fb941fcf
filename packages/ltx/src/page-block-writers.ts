// How the page block of each version is written. All count what they write into the file checksum,
// as it is without compression.

import {
  Lz4BlockEncoder,
  Lz4FrameEncoder,
  lz4BlockBound,
  writeU32be,
  writeU64be,
} from '@skein/bytes';
import type { ByteSink } from '@skein/bytes';

import type { FileChecksum } from './file-checksum.ts';
import { HEADER_SIZE } from './header.ts';
import {
  FRAME_FLAG_LENGTH,
  FRAME_HEADER_SIZE,
  FRAME_LENGTH_SIZE,
  PGNO_SIZE,
} from './page-block.ts';
import { INDEX_LENGTH_SIZE, PageIndexBuilder } from './page-index.ts';

export interface PageBlockWriter {
  /** Writes the page whose bytes begin at `start`. */
  write(pgno: number, bytes: Uint8Array, start: number): void;
  /** Writes what comes after the last page. */
  finish(): void;
}

/** Version 1 without compression. Allocates nothing a page. */
export class RawPageWriter implements PageBlockWriter {
  readonly #sink: ByteSink;
  readonly #checksum: FileChecksum;
  readonly #pageSize: number;
  readonly #pgno = new Uint8Array(PGNO_SIZE);

  constructor(sink: ByteSink, checksum: FileChecksum, pageSize: number) {
    this.#sink = sink;
    this.#checksum = checksum;
    this.#pageSize = pageSize;
  }

  write(pgno: number, bytes: Uint8Array, start: number): void {
    this.#writePgno(pgno);
    this.#checksum.addPage(pgno, bytes, start);
    this.#sink(bytes, start, start + this.#pageSize);
  }

  finish(): void {
    this.#writePgno(0);
  }

  #writePgno(pgno: number): void {
    writeU32be(this.#pgno, 0, pgno);
    this.#checksum.add(this.#pgno, 0, PGNO_SIZE);
    this.#sink(this.#pgno, 0, PGNO_SIZE);
  }
}

/** Version 1 in one LZ4 frame. */
export class FramedPageWriter implements PageBlockWriter {
  readonly #frame: Lz4FrameEncoder;
  readonly #pages: RawPageWriter;

  constructor(sink: ByteSink, checksum: FileChecksum, pageSize: number) {
    const frame = new Lz4FrameEncoder(sink);
    const intoFrame: ByteSink = (bytes, start, end) => frame.write(bytes, start, end);
    this.#frame = frame;
    this.#pages = new RawPageWriter(intoFrame, checksum, pageSize);
    frame.begin();
  }

  write(pgno: number, bytes: Uint8Array, start: number): void {
    this.#pages.write(pgno, bytes, start);
  }

  finish(): void {
    this.#pages.finish();
    this.#frame.finish();
  }
}

/** Version 3. */
export class IndexedPageWriter implements PageBlockWriter {
  readonly #sink: ByteSink;
  readonly #checksum: FileChecksum;
  readonly #pageSize: number;
  readonly #compressor = new Lz4BlockEncoder();
  readonly #index = new PageIndexBuilder();
  /** A frame as it is written. */
  readonly #frame: Uint8Array;
  /** Where the next frame begins in the file. */
  #offset = HEADER_SIZE;

  constructor(sink: ByteSink, checksum: FileChecksum, pageSize: number) {
    this.#sink = sink;
    this.#checksum = checksum;
    this.#pageSize = pageSize;
    this.#frame = new Uint8Array(FRAME_HEADER_SIZE + FRAME_LENGTH_SIZE + lz4BlockBound(pageSize));
  }

  write(pgno: number, bytes: Uint8Array, start: number): void {
    const frame = this.#frame;
    const dataAt = FRAME_HEADER_SIZE + FRAME_LENGTH_SIZE;
    const end = this.#compressor.encode(bytes, start, start + this.#pageSize, frame, dataAt);
    writeU32be(frame, 0, pgno);
    frame[PGNO_SIZE] = 0;
    frame[PGNO_SIZE + 1] = FRAME_FLAG_LENGTH;
    writeU32be(frame, FRAME_HEADER_SIZE, end - dataAt);
    this.#checksum.add(frame, 0, dataAt);
    this.#checksum.addPage(pgno, bytes, start);
    this.#sink(frame, 0, end);
    this.#index.add(pgno, this.#offset, end);
    this.#offset += end;
  }

  finish(): void {
    const index = this.#index.finish();
    const length = new Uint8Array(INDEX_LENGTH_SIZE);
    writeU64be(length, 0, BigInt(index.length));
    for (const part of [new Uint8Array(FRAME_HEADER_SIZE), index, length]) {
      this.#checksum.add(part, 0, part.length);
      this.#sink(part, 0, part.length);
    }
  }
}
