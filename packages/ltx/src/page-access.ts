// Reads single pages of an LTX file without reading the others.
//
// Version 1 without compression has frames of one length, so the place of a page is computed in a
// snapshot and found by bisection in other files; version 3 has an index. A version 1 file with
// compression cannot be read this way.
//
// The file checksum is not verified, since that takes the whole file: who needs certainty compares
// the page's checksum with one from elsewhere.

import { ByteFeed, type ByteSource, assert, readU32be, readU64be, readWhole } from '@skein/bytes';

import { LtxFormatError } from './errors.ts';
import { FileChecksum } from './file-checksum.ts';
import { FrameReader } from './frame-reader.ts';
import { FLAG_LZ4, HEADER_SIZE, type LtxHeader, isSnapshot } from './header.ts';
import {
  FRAME_HEADER_SIZE,
  PGNO_SIZE,
  frameSizeMax,
  rawFileSize,
  rawPageCount,
} from './page-block.ts';
import { INDEX_LENGTH_SIZE, PageIndex, badIndex, indexSizeMax } from './page-index.ts';
import { lockPgno } from './page-number.ts';
import type { LtxReadOptions } from './parser.ts';
import { LtxReader } from './reader.ts';
import { TRAILER_SIZE } from './trailer.ts';

export interface LtxPageAccess {
  readonly header: LtxHeader;
  readonly pageCount: number;
  /** Reads a page into `into` at `offset`; false if the file does not have it. */
  read(pgno: number, into: Uint8Array, offset?: number): boolean;
}

/** Opens the file that is all of the source. Throws LtxFormatError, as does read(). */
export function openPageAccess(
  source: ByteSource,
  sizeBytes: number,
  options?: LtxReadOptions,
): LtxPageAccess {
  const { header, version } = new LtxReader(source, options);
  if (version === 3) return new IndexedPageAccess(source, sizeBytes, header);
  if ((header.flags & FLAG_LZ4) === 0) return new RawPageAccess(source, sizeBytes, header);
  const message = 'Cannot read single pages of an LTX file of version 1 with compression';
  throw new LtxFormatError('LTX_COMPRESSION', message, { offset: HEADER_SIZE });
}

class RawPageAccess implements LtxPageAccess {
  readonly header: LtxHeader;
  readonly pageCount: number;
  readonly #source: ByteSource;
  readonly #frameSize: number;

  constructor(source: ByteSource, sizeBytes: number, header: LtxHeader) {
    this.header = header;
    this.#source = source;
    this.#frameSize = PGNO_SIZE + header.pageSize;
    this.pageCount = rawPageCount(sizeBytes, header.pageSize);
    if (!Number.isInteger(this.pageCount) || this.pageCount < 0) {
      const details = { offset: sizeBytes, expected: rawFileSize(0, header.pageSize) };
      throw new LtxFormatError('LTX_TRUNCATED', 'LTX file has no whole pages', details);
    }
  }

  read(pgno: number, into: Uint8Array, offset: number = 0): boolean {
    const { pageSize } = this.header;
    assert(offset >= 0 && offset + pageSize <= into.length, 'LTX page outside of the array');
    const frame = isSnapshot(this.header) ? this.#frameOfSnapshot(pgno) : this.#bisect(pgno);
    if (frame < 0 || frame >= this.pageCount || this.#pgnoOf(frame) !== pgno) return false;
    into.set(readExactly(this.#source, this.#frameStart(frame) + PGNO_SIZE, pageSize), offset);
    return true;
  }

  #frameOfSnapshot(pgno: number): number {
    return pgno < lockPgno(this.header.pageSize) ? pgno - 1 : pgno - 2;
  }

  /** The first frame of a page that is not before the one wanted. */
  #bisect(pgno: number): number {
    let low = 0;
    let high = this.pageCount;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#pgnoOf(middle) < pgno) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #pgnoOf(frame: number): number {
    return readU32be(readExactly(this.#source, this.#frameStart(frame), PGNO_SIZE), 0);
  }

  #frameStart(frame: number): number {
    return HEADER_SIZE + frame * this.#frameSize;
  }
}

class IndexedPageAccess implements LtxPageAccess {
  readonly header: LtxHeader;
  readonly #source: ByteSource;
  readonly #index: PageIndex;

  constructor(source: ByteSource, sizeBytes: number, header: LtxHeader) {
    this.header = header;
    this.#source = source;
    const lengthAt = sizeBytes - TRAILER_SIZE - INDEX_LENGTH_SIZE;
    if (lengthAt < HEADER_SIZE + FRAME_HEADER_SIZE) throw badIndex('there is none', sizeBytes);
    const length = Number(readU64be(readExactly(source, lengthAt, INDEX_LENGTH_SIZE), 0));
    const start = lengthAt - length;
    // The second limit keeps a corrupt length from setting gigabytes aside.
    if (start < HEADER_SIZE + FRAME_HEADER_SIZE || length > indexSizeMax(header.commit)) {
      throw badIndex(`it cannot have ${length} bytes`, lengthAt);
    }
    this.#index = new PageIndex(readExactly(source, start, length), start);
  }

  get pageCount(): number {
    return this.#index.length;
  }

  read(pgno: number, into: Uint8Array, offset: number = 0): boolean {
    const { pageSize } = this.header;
    assert(offset >= 0 && offset + pageSize <= into.length, 'LTX page outside of the array');
    const entry = this.#index.find(pgno);
    if (entry < 0) return false;
    const start = this.#index.start(entry);
    const size = this.#index.end(entry) - start;
    if (size > frameSizeMax(pageSize)) throw badIndex(`a frame of ${size} bytes`, start);
    const feed = new ByteFeed();
    feed.give(readExactly(this.#source, start, size));
    const order = { accept: (actual: number) => checkIndexed(pgno, actual, start) };
    const checksum = new FileChecksum(pageSize);
    const frame = new FrameReader({ feed, pageSize, checksum, order });
    if (frame.next() !== 'page' || feed.unused > 0) {
      throw badIndex(`the frame of page ${pgno} has another length`, start);
    }
    into.set(frame.bytes, offset);
    return true;
  }
}

function checkIndexed(expected: number, actual: number, offset: number): void {
  if (actual !== expected) throw badIndex(`page ${expected} is page ${actual}`, offset);
}

/** The `length` bytes of the file at `position`. */
function readExactly(source: ByteSource, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (readWhole(source, bytes, position)) return bytes;
  const details = { offset: position, expected: length };
  throw new LtxFormatError('LTX_TRUNCATED', 'LTX file ends too early', details);
}
