// What a replica shows of the first page of a database: bytes 18 and 19 of the header say that it
// is in WAL mode, whatever mode the primary uses, so that there is one way to apply a transaction
// (https://sqlite.org/fileformat2.html, section 1.3: file format versions).
//
// Invariant: the bytes are changed only in frames that the node writes and in what it answers to a
// read. The log, the database file and every checksum have the true bytes.

import { assert, Crc64 } from '@skein/bytes';

const VERSIONS_AT = 18;
const VERSION_COUNT = 2;
const ROLLBACK = 1;
const WAL = 2;

/** `bytes` are what was read of the file from `position` on. */
export function showAsWal(bytes: Uint8Array, position: number): void {
  for (let n = 0; n < VERSION_COUNT; n++) {
    const at = VERSIONS_AT + n - position;
    if (bytes[at] === ROLLBACK) bytes[at] = WAL;
  }
}

/** Gives a first page that was shown its true bytes back: those that its checksum says. */
export function restoreShown(page: Uint8Array, checksumHi: number, checksumLo: number): void {
  const shown = page.slice(VERSIONS_AT, VERSIONS_AT + VERSION_COUNT);
  for (const versions of [shown, ...candidates(shown)]) {
    page.set(versions, VERSIONS_AT);
    if (hasChecksum(page, checksumHi, checksumLo)) return;
  }
  assert(false, 'A first page in the WAL is not the one that was put there');
}

/** What the two bytes may have been, the usual first. */
function candidates([write, read]: Uint8Array): number[][] {
  const before = (shown: number): number => (shown === WAL ? ROLLBACK : shown);
  return [
    [before(write!), before(read!)],
    [before(write!), read!],
    [write!, before(read!)],
  ];
}

function hasChecksum(firstPage: Uint8Array, hi: number, lo: number): boolean {
  const crc = new Crc64();
  crc.updateU32be(1);
  crc.update(firstPage);
  return crc.lo === lo && (crc.hi | 0x8000_0000) >>> 0 === hi;
}
