// Page sizes that SQLite accepts (https://sqlite.org/fileformat2.html section 1.3.2).

export const PAGE_SIZE_MIN = 512;
export const PAGE_SIZE_MAX = 65_536;

/** As a SqliteFormatError says it. */
export const PAGE_SIZE_EXPECTED = 'a power of two from 512 to 65536';

export function isPageSize(value: number): boolean {
  return value >= PAGE_SIZE_MIN && value <= PAGE_SIZE_MAX && isPowerOfTwo(value);
}

/** For whole numbers from 1 to 2**31. */
export function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}
