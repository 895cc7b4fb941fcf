// What rolling back a journal that a crash left behind (a "hot" one) writes into the database: the
// rules of SQLite's playback (src/pager.c: pager_playback, readJournalHdr,
// pager_playback_one_page), so that the result is SQLite's, byte for byte, whatever the state of
// the journal.
//
// It ends quietly at the first thing that was not completely written, for then the database has not
// been touched on its account: SQLite syncs a segment of the journal before it overwrites any page
// that the segment preserves.

import { assert, type ByteSource, readWhole } from '@skein/bytes';

import {
  decodeJournalHeader,
  findJournalHeaderFault,
  hasJournalMagic,
  journalChecksum,
  journalRecordSize,
  JOURNAL_HEADER_SIZE,
  type JournalHeader,
} from './journal-header.ts';
import { lockPgno } from './lock-bytes.ts';
import { isPageSize } from './page-size.ts';

/** SQLite looks for a first header only in a file that has at least a sector of this size. */
const ASSUMED_SECTOR_SIZE = 512;

export interface JournalRecord {
  readonly pgno: number;
  /** Valid until the next record is asked for. */
  readonly page: Uint8Array;
}

/** A journal with something to roll back. */
export interface HotJournal {
  readonly pageSize: number;
  /** To roll back, first make the database this many pages long: cut it off, or append zeros. */
  readonly initialPageCount: number;
  /** Then write these pages, in this order. */
  readonly records: Iterable<JournalRecord>;
}

/**
 * A journal file, for a database with pages of `pageSize` bytes (which counts only for journals
 * that do not say it themselves); undefined if nothing is to be rolled back. A journal with a
 * super-journal's name at its end (readSuperJournalName) is hot only while that file exists, one
 * beside an empty database never is: the caller knows.
 */
export function openHotJournal(source: ByteSource, pageSize: number): HotJournal | undefined {
  assert(isPageSize(pageSize), 'A database has pages of a size that SQLite accepts');
  const sector = new Uint8Array(ASSUMED_SECTOR_SIZE);
  if (!readWhole(source, sector, 0)) return undefined;
  if (findJournalHeaderFault(sector) !== undefined) return undefined;
  const header = decodeJournalHeader(sector);
  const layout = { ...header, pageSize: header.pageSize || pageSize };
  return {
    pageSize: layout.pageSize,
    initialPageCount: layout.initialPageCount,
    records: { [Symbol.iterator]: () => readRecords(source, layout) },
  };
}

/** `layout` is the journal's first header; of those that follow, only two fields count. */
function* readRecords(source: ByteSource, layout: JournalHeader): Generator<JournalRecord, void> {
  const { sectorSize, pageSize, initialPageCount } = layout;
  const header = new Uint8Array(JOURNAL_HEADER_SIZE);
  const headerView = new DataView(header.buffer);
  const record = new Uint8Array(journalRecordSize(pageSize));
  const recordView = new DataView(record.buffer);
  const page = record.subarray(4, 4 + pageSize);

  for (let at = 0; ; at = Math.ceil(at / sectorSize) * sectorSize) {
    if (!readWhole(source, header, at) || !hasJournalMagic(header)) return;
    at += sectorSize;
    const nonce = headerView.getUint32(12);
    // RECORDS_TO_END is more than any file holds: it needs no special care.
    for (let remaining = headerView.getUint32(8); remaining > 0; remaining--) {
      if (!readWhole(source, record, at)) return;
      at += record.length;
      const pgno = recordView.getUint32(0);
      if (pgno === 0 || pgno === lockPgno(pageSize)) return;
      // Pages that the transaction added need no rolling back; SQLite does not even verify them.
      if (pgno > initialPageCount) continue;
      if (recordView.getUint32(4 + pageSize) !== journalChecksum(nonce, page)) return;
      yield { pgno, page };
    }
  }
}
