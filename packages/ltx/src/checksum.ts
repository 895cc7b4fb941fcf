// Checksums of pages and of whole databases.
//
// A page's checksum is the CRC-64/GO-ISO of its number (u32, big-endian) and its bytes. A
// database's is the exclusive-or of those of all its pages but the lock page, so that a transaction
// changes it by the pages it changes. Bit 63 is set in every checksum that LTX stores, so that none
// is 0, which means "none". On disk: cannot change.

import { assert, Crc64, formatHex64, maybeParseHex64, u64FromHalves } from '@skein/bytes';

export type Checksum = bigint & { readonly brand: 'Checksum' };

/** The bit that every stored checksum has; alone, the checksum of a database without pages. */
export const CHECKSUM_FLAG: Checksum = (1n << 63n) as Checksum;

/** The upper half of CHECKSUM_FLAG. */
const FLAG_HI = 0x80000000;

/** Where a checksum is left out: before the first transaction, or in files without checksums. */
export const NO_CHECKSUM: Checksum = 0n as Checksum;

/** A stored checksum, or NO_CHECKSUM. */
export function toChecksum(value: bigint): Checksum {
  const isChecksum = value === 0n || (value >= CHECKSUM_FLAG && value < 1n << 64n);
  assert(isChecksum, 'A checksum has 64 bits, of which the highest is set');
  return value as Checksum;
}

export function checksumFromHalves(hi: number, lo: number): Checksum {
  return u64FromHalves(hi | FLAG_HI, lo) as Checksum;
}

/** Sixteen lowercase hexadecimal digits. */
export function formatChecksum(checksum: Checksum): string {
  return formatHex64(checksum);
}

/** Undefined also for digits that are no checksum, since the highest bit is missing. */
export function maybeParseChecksum(text: string): Checksum | undefined {
  const value = maybeParseHex64(text);
  return value === undefined || (value !== 0n && value < CHECKSUM_FLAG)
    ? undefined
    : (value as Checksum);
}

/** The checksum of one page. Where many are needed, an encoder or decoder has them on the way. */
export function pageChecksum(pgno: number, page: Uint8Array): Checksum {
  const crc = new Crc64();
  crc.updateU32be(pgno);
  crc.update(page);
  return checksumFromHalves(crc.hi, crc.lo);
}

/** The checksum of a database, kept up to date by the checksums of pages that come and go. */
export class DatabaseChecksum {
  #hi = 0;
  #lo = 0;

  /** Starts from a stored checksum, without one from a database without pages. */
  constructor(from: Checksum = NO_CHECKSUM) {
    this.#hi = Number((from >> 32n) & 0xffffffffn) | 0;
    this.#lo = Number(from & 0xffffffffn) | 0;
  }

  /** Adds the checksum of a page that was not in, or takes out that of one that was. */
  toggle(pageHi: number, pageLo: number): void {
    this.#hi ^= pageHi;
    this.#lo ^= pageLo;
  }

  get value(): Checksum {
    return checksumFromHalves(this.#hi, this.#lo);
  }
}
