// The first page of a database tells how far it has come: in rollback modes every transaction
// counts up its change counter (https://sqlite.org/fileformat2.html, section 1.3.7).
//
// The database file never has a page of a transaction that is not in the log. If its first page is
// of a later one than the log's, the log has lost its end.

import { DATABASE_HEADER_SIZE, decodeDatabaseHeader, isDatabaseHeader } from '@skein/sqlite-file';

const COUNTER_HALF = 0x8000_0000;

/** The change counter of a first page; undefined when it is none, or not as SQLite leaves it. */
export function maybeChangeCounter(page: Uint8Array): number | undefined {
  const header = page.subarray(0, DATABASE_HEADER_SIZE);
  if (header.length < DATABASE_HEADER_SIZE || !isDatabaseHeader(header)) return undefined;
  const { changeCounter, versionValidFor } = decodeDatabaseHeader(header);
  // Both are written together: a damaged counter is not taken for a later one.
  return changeCounter === versionValidFor ? changeCounter : undefined;
}

/** Whether the first page with one counter is of a later transaction than that with the other. */
export function isLaterCounter(counter: number | undefined, than: number | undefined): boolean {
  if (counter === undefined || than === undefined) return false;
  const distance = (counter - than) >>> 0;
  return distance > 0 && distance < COUNTER_HALF;
}
