import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { bytesSource } from '@skein/bytes';

import { RECORDS_TO_END } from './journal-header.ts';
import { openHotJournal } from './journal-playback.ts';
import { lockPgno } from './lock-bytes.ts';
import { sampleJournal, samplePage, type SampleSegment } from './sample-files.ts';

const PAGE_SIZE = 1024;
const RECORD_SIZE = 4 + PAGE_SIZE + 4;
const HEADER = { nonce: 77, initialPageCount: 10, sectorSize: 512, pageSize: PAGE_SIZE };

const ONE_SEGMENT: readonly SampleSegment[] = [{ pages: [{ pgno: 3 }, { pgno: 1 }, { pgno: 10 }] }];
const THREE_SEGMENTS: readonly SampleSegment[] = [
  { pages: [{ pgno: 3 }, { pgno: 1 }] },
  { pages: [{ pgno: 10 }] },
  { pages: [{ pgno: 2 }, { pgno: 4 }, { pgno: 9 }] },
];

/** The numbers of the pages that a rollback writes; undefined if there is none. */
function playback(bytes: Uint8Array, pageSize = PAGE_SIZE): number[] | undefined {
  const journal = openHotJournal(bytesSource(bytes), pageSize);
  return journal && Array.from(journal.records, ({ pgno }) => pgno);
}

function withByte(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const changed = bytes.slice();
  changed[offset] = value;
  return changed;
}

describe('openHotJournal()', () => {
  test('tells the size of the database and of its pages before the transaction', () => {
    const bytes = sampleJournal(HEADER, ONE_SEGMENT);
    const journal = openHotJournal(bytesSource(bytes), 4096);
    assert.equal(journal?.initialPageCount, 10);
    assert.equal(journal?.pageSize, PAGE_SIZE);
  });

  test('takes the page size of the database if the journal has none (SQLite before 3.5.8)', () => {
    const bytes = sampleJournal(HEADER, ONE_SEGMENT).fill(0, 24, 28);
    assert.deepEqual(playback(bytes, PAGE_SIZE), [3, 1, 10]);
  });

  test('finds nothing in a journal whose header is absent, zeroed, unsynced or damaged', () => {
    const bytes = sampleJournal(HEADER, ONE_SEGMENT);
    assert.equal(playback(new Uint8Array(0)), undefined);
    assert.equal(playback(bytes.subarray(0, 511)), undefined);
    assert.equal(playback(bytes.slice().fill(0, 0, 28)), undefined);
    assert.equal(playback(bytes.slice().fill(0, 0, 12)), undefined);
    assert.equal(playback(withByte(bytes, 24, 1)), undefined);
    assert.equal(playback(withByte(bytes, 20, 1)), undefined);
  });

  test('finds a journal without records, which still sets the size of the database', () => {
    const bytes = sampleJournal(HEADER, [{ pages: [] }]);
    const journal = openHotJournal(bytesSource(bytes), PAGE_SIZE);
    assert.equal(journal?.initialPageCount, 10);
    assert.deepEqual(playback(bytes), []);
  });
});

describe('records of a hot journal', () => {
  test('are yielded in order with their pages', () => {
    const bytes = sampleJournal(HEADER, THREE_SEGMENTS);
    const journal = openHotJournal(bytesSource(bytes), PAGE_SIZE);
    const pages = Array.from(journal!.records, ({ pgno, page }) => ({ pgno, page: page.slice() }));
    const expected = THREE_SEGMENTS.flatMap((segment) =>
      segment.pages.map(({ pgno }, i) => ({ pgno, page: samplePage(pgno, i, PAGE_SIZE) })),
    );
    assert.deepEqual(pages, expected);
  });

  test('can be gone through twice', () => {
    const bytes = sampleJournal(HEADER, ONE_SEGMENT);
    const journal = openHotJournal(bytesSource(bytes), PAGE_SIZE);
    assert.deepEqual([...journal!.records].length, 3);
    assert.deepEqual([...journal!.records].length, 3);
  });

  for (const sectorSize of [32, 512, 4096, 65_536]) {
    test(`are found in segments aligned to sectors of ${sectorSize} bytes`, () => {
      const bytes = sampleJournal({ ...HEADER, sectorSize }, THREE_SEGMENTS);
      assert.deepEqual(playback(bytes), [3, 1, 10, 2, 4, 9]);
    });
  }

  test('without a count go on to the end of the file', () => {
    const segment = { ...ONE_SEGMENT[0]!, recordCount: RECORDS_TO_END };
    const bytes = sampleJournal(HEADER, [segment]);
    assert.deepEqual(playback(bytes), [3, 1, 10]);
    assert.deepEqual(playback(bytes.subarray(0, -1)), [3, 1]);
  });

  test('end at a segment whose count was never written: no header is behind it', () => {
    const unsynced = { ...THREE_SEGMENTS[1]!, recordCount: 0 };
    const bytes = sampleJournal(HEADER, [THREE_SEGMENTS[0]!, unsynced, THREE_SEGMENTS[2]!]);
    assert.deepEqual(playback(bytes), [3, 1]);
  });

  test('go on behind a segment without any', () => {
    const bytes = sampleJournal(HEADER, [{ pages: [] }, ...THREE_SEGMENTS.slice(1)]);
    assert.deepEqual(playback(bytes), [10, 2, 4, 9]);
  });

  test('end where a segment has no magic', () => {
    const bytes = sampleJournal(HEADER, THREE_SEGMENTS);
    const second = Math.ceil((512 + 2 * RECORD_SIZE) / 512) * 512;
    assert.deepEqual(playback(withByte(bytes, second, 0)), [3, 1]);
  });

  test('end at page 0 and at the lock page', () => {
    for (const pgno of [0, lockPgno(PAGE_SIZE)]) {
      const bytes = sampleJournal({ ...HEADER, initialPageCount: 0xffff_ffff }, [
        { pages: [{ pgno: 3 }, { pgno }, { pgno: 1 }] },
        ...THREE_SEGMENTS,
      ]);
      assert.deepEqual(playback(bytes), [3]);
    }
  });

  test('of pages beyond the old end are left out, whatever their checksum', () => {
    const segments = [{ pages: [{ pgno: 3 }, { pgno: 11 }, { pgno: 1 }] }];
    const bytes = sampleJournal(HEADER, segments);
    assert.deepEqual(playback(bytes), [3, 1]);
    assert.deepEqual(playback(withByte(bytes, 512 + 2 * RECORD_SIZE - 1, 0xee)), [3, 1]);
  });

  test('end at the last whole one, wherever the file is cut off', () => {
    const bytes = sampleJournal(HEADER, ONE_SEGMENT);
    for (let length = 512; length <= bytes.length; length++) {
      const whole = Math.floor((length - 512) / RECORD_SIZE);
      assert.deepEqual(playback(bytes.subarray(0, length)), [3, 1, 10].slice(0, whole));
    }
  });

  test('end at the first whose checksum is wrong, in all segments', () => {
    const bytes = sampleJournal(HEADER, THREE_SEGMENTS);
    // Byte PAGE_SIZE - 200 of the page is in the checksum.
    const covered = 512 + RECORD_SIZE + 4 + PAGE_SIZE - 200;
    assert.deepEqual(playback(withByte(bytes, covered, bytes[covered]! + 1)), [3]);
  });

  test('are a part of the sound ones, or none, with any one byte changed', () => {
    const sound = [3, 1, 10, 2, 4, 9];
    const bytes = sampleJournal(HEADER, THREE_SEGMENTS);
    const anyChange = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(anyChange, ([offset, value]) => {
        const pgnos = playback(withByte(bytes, offset, value));
        if (pgnos === undefined) {
          assert.ok(offset < 28);
          return;
        }
        // One page number may have become another; an old size may now leave pages out.
        const changed = pgnos.filter((pgno) => !sound.includes(pgno));
        assert.ok(changed.length <= 1 && pgnos.length <= sound.length);
      }),
    );
  });
});
