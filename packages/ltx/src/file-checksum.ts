// The checksum of a file, and on the way those of its pages.
//
// A page's bytes are in both: in the file checksum after whatever stood before them, in the page
// checksum after the page's number. They are read once, and their CRC is joined to each of the two,
// which takes eight table look-ups instead of another pass over the page.

import { Crc64, Crc64Shift, assert } from '@skein/bytes';

import { type Checksum, checksumFromHalves } from './checksum.ts';
import { isPageSize } from './page-number.ts';

/** Constants of the field, one for each of the eight page sizes that is in use: 16 KiB each. */
const SHIFTS = new Map<number, Crc64Shift>();

export class FileChecksum {
  readonly #pageSize: number;
  readonly #shift: Crc64Shift;
  readonly #file = new Crc64();
  readonly #page = new Crc64();
  readonly #content = new Crc64();

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
    this.#shift = pageShift(pageSize);
  }

  /** Adds bytes of the file that are not a page's. */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.#file.update(bytes, start, end);
  }

  /** Adds the bytes of a page, which begin at `start`, and computes its own checksum. */
  addPage(pgno: number, bytes: Uint8Array, start: number): void {
    this.#content.reset();
    this.#content.update(bytes, start, start + this.#pageSize);
    const { hi, lo } = this.#content;
    this.#file.append(hi, lo, this.#shift);
    this.#page.reset();
    this.#page.updateU32be(pgno);
    this.#page.append(hi, lo, this.#shift);
  }

  /** Upper half of the checksum of the page last added, unsigned. */
  get pageHi(): number {
    return (this.#page.hi | 0x80000000) >>> 0;
  }

  /** Lower half of the checksum of the page last added, unsigned. */
  get pageLo(): number {
    return this.#page.lo;
  }

  /** Checksum of everything added so far. */
  get value(): Checksum {
    return checksumFromHalves(this.#file.hi, this.#file.lo);
  }
}

function pageShift(pageSize: number): Crc64Shift {
  assert(isPageSize(pageSize), 'A page of a size that is none');
  let shift = SHIFTS.get(pageSize);
  if (shift === undefined) {
    shift = new Crc64Shift(pageSize);
    SHIFTS.set(pageSize, shift);
  }
  return shift;
}
