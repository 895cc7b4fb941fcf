// Page sizes and page numbers, as SQLite has them.

const PAGE_SIZE_MIN = 512;
const PAGE_SIZE_MAX = 65536;

/** Where SQLite's locks lie; the page around it holds no data. */
const PENDING_BYTE = 0x40000000;

export function isPageSize(value: number): boolean {
  const isInRange = Number.isInteger(value) && value >= PAGE_SIZE_MIN && value <= PAGE_SIZE_MAX;
  return isInRange && (value & (value - 1)) === 0;
}

/** The number of the page that is never written, nor part of any LTX file or checksum. */
export function lockPgno(pageSize: number): number {
  return PENDING_BYTE / pageSize + 1;
}
