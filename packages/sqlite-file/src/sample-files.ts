// Small sound files of each kind, made by this package's encoders: material of its tests and seeds
// of its fuzzers. Not part of the package's face.

import {
  encodeJournalHeader,
  journalChecksum,
  journalRecordSize,
  type JournalHeader,
} from './journal-header.ts';
import { WalChain, walFrameOffset, WAL_FRAME_HEADER_SIZE } from './wal-frame.ts';
import { encodeWalHeader, type WalHeader } from './wal-header.ts';
import { appendToWalIndex, walIndexBlock, WAL_INDEX_BLOCK_SIZE } from './wal-index-block.ts';
import { writeWalIndexHeader } from './wal-index-header.ts';

export interface SamplePage {
  readonly pgno: number;
  /** Size of the database after the transaction, if the page ends one; only a WAL records it. */
  readonly commit?: number;
}

export interface SampleSegment {
  readonly pages: readonly SamplePage[];
  /** What the segment's header says instead of the number of pages. */
  readonly recordCount?: number;
}

/** A page that differs from every other, by its own number and that of its place in the file. */
export function samplePage(pgno: number, place: number, pageSize: number): Uint8Array {
  return Uint8Array.from({ length: pageSize }, (_, i) => pgno * 7 + place * 31 + i * (pgno + 1));
}

/** Page 1 of a database with distinct values in the fields of its header. */
export function sampleDatabaseHeader(): Uint8Array {
  const bytes = new Uint8Array(100);
  const view = new DataView(bytes.buffer);
  bytes.set(Array.from('SQLite format 3\0', (char) => char.charCodeAt(0)));
  view.setUint16(16, 4096);
  bytes.set([2, 2, 16, 64, 32, 32], 18);
  view.setUint32(24, 7);
  view.setUint32(28, 1234);
  view.setUint32(32, 77);
  view.setUint32(36, 3);
  view.setUint32(40, 9);
  view.setUint32(44, 4);
  view.setInt32(48, -2000);
  view.setUint32(52, 5);
  view.setUint32(56, 1);
  view.setInt32(60, -6);
  view.setUint32(64, 1);
  view.setInt32(68, 0x5ca1_ab1e);
  view.setUint32(92, 7);
  view.setUint32(96, 3_040_001);
  return bytes;
}

export function sampleWal(header: WalHeader, pages: readonly SamplePage[]): Uint8Array {
  const bytes = new Uint8Array(walFrameOffset(pages.length + 1, header.pageSize));
  const view = new DataView(bytes.buffer);
  const chain = new WalChain(header);
  bytes.set(encodeWalHeader(header));
  for (const [i, { pgno, commit }] of pages.entries()) {
    const at = walFrameOffset(i + 1, header.pageSize);
    bytes.set(samplePage(pgno, i, header.pageSize), at + WAL_FRAME_HEADER_SIZE);
    chain.seal(view, at, pgno, commit ?? 0);
  }
  return bytes;
}

/** Ends with the last record, as a journal does when its transaction is interrupted. */
export function sampleJournal(
  header: Omit<JournalHeader, 'recordCount'>,
  segments: readonly SampleSegment[],
): Uint8Array {
  const { pageSize, sectorSize } = header;
  let bytes = new Uint8Array(0);
  for (const [s, { pages, recordCount = pages.length }] of segments.entries()) {
    const nonce = (header.nonce + s) >>> 0;
    const start = Math.ceil(bytes.length / sectorSize) * sectorSize;
    const longer = new Uint8Array(start + sectorSize + pages.length * journalRecordSize(pageSize));
    longer.set(bytes);
    longer.set(encodeJournalHeader({ ...header, nonce, recordCount }), start);
    for (const [i, { pgno }] of pages.entries()) {
      const record = sampleRecord(samplePage(pgno, i, pageSize), pgno, nonce);
      longer.set(record, start + sectorSize + i * record.length);
    }
    bytes = longer;
  }
  return bytes;
}

/** A wal-index of `pgnos`, the pages of frames 1, 2, 3 and so on, all committed. */
export function sampleWalIndex(wal: WalHeader, pgnos: readonly number[]): Uint8Array {
  const first = new Uint8Array(WAL_INDEX_BLOCK_SIZE);
  const block = walIndexBlock(first, 0);
  for (const [i, pgno] of pgnos.entries()) appendToWalIndex(block, i + 1, pgno);
  writeWalIndexHeader(block, {
    ...wal,
    changeCounter: 5,
    mxFrame: pgnos.length,
    pageCount: Math.max(...pgnos),
    frameChecksum1: 0x0102_0304,
    frameChecksum2: 0xfffe_fdfc,
  });
  return first;
}

function sampleRecord(page: Uint8Array, pgno: number, nonce: number): Uint8Array {
  const record = new Uint8Array(journalRecordSize(page.length));
  const view = new DataView(record.buffer);
  view.setUint32(0, pgno);
  record.set(page, 4);
  view.setUint32(4 + page.length, journalChecksum(nonce, page));
  return record;
}
