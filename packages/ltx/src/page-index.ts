// The page index of version 3: for each page its number, where its frame begins in the file and how
// long that is, as three varints; then a 0, then the length of all that as a u64.
//
// Frames lie one behind the other from the end of the header, in the order of their numbers, so the
// index of a file follows from its frames, and one that says anything else is rejected.

import {
  type ByteCursor,
  BytesFormatError,
  Crc64,
  VARINT_BYTES_MAX,
  readVarint,
  writeVarint,
} from '@skein/bytes';

import { LtxFormatError } from './errors.ts';
import { HEADER_SIZE } from './header.ts';
import { FRAME_HEADER_SIZE } from './page-block.ts';

/** Length of the field that ends the index. */
export const INDEX_LENGTH_SIZE = 8;

const ENTRY_BYTES_MAX = 3 * VARINT_BYTES_MAX;

/** Longest index of a file with up to `pageCount` pages, without the length field. */
export function indexSizeMax(pageCount: number): number {
  return pageCount * ENTRY_BYTES_MAX + 1;
}

/** The index of a file that is being written: some 8 bytes a page, all in memory. */
export class PageIndexBuilder {
  #bytes = new Uint8Array(1024);
  #length = 0;

  add(pgno: number, offset: number, size: number): void {
    if (this.#length + ENTRY_BYTES_MAX >= this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#length = writeEntry(this.#bytes, this.#length, pgno, offset, size);
  }

  /** All entries and the 0 behind them. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length + 1);
  }
}

/**
 * What the index of a file must be, computed from its pages as they go by, in memory that does not
 * grow with their number. The entries, when they come, are compared by their length and CRC.
 */
export class PageIndexDigest {
  readonly #entry = new Uint8Array(ENTRY_BYTES_MAX);
  readonly #expected = new Crc64();
  readonly #actual = new Crc64();
  #length = 0;

  add(pgno: number, offset: number, size: number): void {
    const end = writeEntry(this.#entry, 0, pgno, offset, size);
    this.#expected.update(this.#entry, 0, end);
    this.#length += end;
  }

  /** Length that all entries must have together. */
  get length(): number {
    return this.#length;
  }

  /** Takes in entries as they are in the file. */
  compare(bytes: Uint8Array, start: number, end: number): void {
    this.#actual.update(bytes, start, end);
  }

  /** Whether the entries taken in are those that must be. */
  isEqual(): boolean {
    return this.#expected.hi === this.#actual.hi && this.#expected.lo === this.#actual.lo;
  }
}

function writeEntry(
  bytes: Uint8Array,
  at: number,
  pgno: number,
  offset: number,
  size: number,
): number {
  return writeVarint(bytes, writeVarint(bytes, writeVarint(bytes, at, pgno), offset), size);
}

/** The index of a file that is read at random: 12 bytes a page. */
export class PageIndex {
  readonly length: number;
  readonly #pgnos: Uint32Array;
  /** Where each frame begins, and behind the last where that ends. */
  readonly #offsets: Float64Array;

  /** Decodes an index, all but its length field. `offset` is where it is in the file. */
  constructor(bytes: Uint8Array, offset: number) {
    this.length = countEntries(bytes);
    this.#pgnos = new Uint32Array(this.length);
    this.#offsets = new Float64Array(this.length + 1);
    this.#offsets[0] = HEADER_SIZE;
    const cursor: ByteCursor = { bytes, offset: 0, end: bytes.length };
    try {
      for (let i = 0; i < this.length; i += 1) this.#readEntry(cursor, i, offset);
    } catch (cause) {
      if (!(cause instanceof BytesFormatError)) throw cause;
      throw badIndex('an entry is none', offset + cursor.offset, cause);
    }
    const isAtEnd = cursor.offset + 1 === bytes.length && bytes[cursor.offset] === 0;
    if (!isAtEnd || this.#offsets[this.length]! + FRAME_HEADER_SIZE !== offset) {
      throw badIndex('it does not fit the frames before it', offset + cursor.offset);
    }
  }

  /** Which entry is that of the page; -1 if none is. */
  find(pgno: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pgnos[middle]! < pgno) low = middle + 1;
      else high = middle;
    }
    return this.#pgnos[low] === pgno ? low : -1;
  }

  /** Where the frame of an entry begins in the file. */
  start(entry: number): number {
    return this.#offsets[entry]!;
  }

  /** Where it ends. */
  end(entry: number): number {
    return this.#offsets[entry + 1]!;
  }

  #readEntry(cursor: ByteCursor, entry: number, indexOffset: number): void {
    const at = indexOffset + cursor.offset;
    const pgno = readVarint(cursor);
    const offset = readVarint(cursor);
    const size = readVarint(cursor);
    const previous = entry === 0 ? 0 : this.#pgnos[entry - 1]!;
    if (pgno <= previous || pgno >>> 0 !== pgno) throw badIndex(`page ${pgno} is out of place`, at);
    if (offset !== this.#offsets[entry] || size <= FRAME_HEADER_SIZE) {
      throw badIndex(`the frame of page ${pgno} is not where it says`, at);
    }
    this.#pgnos[entry] = pgno;
    this.#offsets[entry + 1] = offset + size;
  }
}

/** Every number ends in a byte without the upper bit, and an entry has three. */
function countEntries(bytes: Uint8Array): number {
  let numbers = 0;
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at]! < 0x80) numbers += 1;
  return Math.floor(numbers / 3);
}

export function badIndex(problem: string, offset: number, cause?: unknown): LtxFormatError {
  const message = `LTX page index is invalid: ${problem}`;
  return new LtxFormatError('LTX_PAGE_INDEX', message, { offset, cause });
}
