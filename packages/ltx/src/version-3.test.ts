// What is particular to version 3: frames, in both of their kinds, and the page index.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  Crc64,
  Lz4BlockEncoder,
  Lz4FrameEncoder,
  bytesSource,
  lz4BlockBound,
  writeU32be,
  writeU64be,
  writeVarint,
} from '@skein/bytes';

import { CHECKSUM_FLAG, NO_CHECKSUM } from './checksum.ts';
import type { LtxErrorCode } from './errors.ts';
import { FLAG_NO_CHECKSUM, HEADER_SIZE, encodeHeader, makeHeader } from './header.ts';
import { inspectLtx } from './inspect.ts';
import { openPageAccess } from './page-access.ts';
import { SAMPLE_FORMATS, concat, encodeSample, samplePage } from './sample-files.ts';
import { toTxid } from './txid.ts';

const PAGE_SIZE = 512;

interface Frame {
  readonly pgno: number;
  readonly flags?: number;
  /** What stands in the length field, if there is to be one. */
  readonly length?: number | undefined;
  readonly data: Uint8Array;
  /** What the data decompresses to, for the checksum. */
  readonly page: Uint8Array;
}

function frame(pgno: number): Frame {
  const page = samplePage(PAGE_SIZE, pgno);
  const data = new Uint8Array(lz4BlockBound(PAGE_SIZE));
  const end = new Lz4BlockEncoder().encode(page, 0, PAGE_SIZE, data, 0);
  return { pgno, flags: 1, length: end, data: data.slice(0, end), page };
}

/** As ltx 0.5.0 and 0.5.1 wrote pages. */
function oldFrame(pgno: number): Frame {
  const page = samplePage(PAGE_SIZE, pgno);
  const parts: Uint8Array[] = [];
  const encoder = new Lz4FrameEncoder((bytes, start, end) => parts.push(bytes.slice(start, end)));
  encoder.begin();
  encoder.write(page);
  encoder.finish();
  return { pgno, flags: 0, data: concat(parts), page };
}

type IndexEntry = readonly [pgno: number, offset: number, size: number];

function encodeIndex(entries: readonly IndexEntry[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * 24 + 25);
  let at = 0;
  for (const entry of entries) for (const value of entry) at = writeVarint(bytes, at, value);
  const index = bytes.slice(0, at + 9);
  writeU64be(index, at + 1, BigInt(at + 1));
  return index;
}

/** The same index, its first number written in nine bytes more than it needs. */
function withLongNumber(index: Uint8Array): Uint8Array {
  const more = [index[0]! | 0x80, ...new Uint8Array(8).fill(0x80), 0];
  const longer = Uint8Array.from([...more, ...index.subarray(1)]);
  writeU64be(longer, longer.length - 8, BigInt(longer.length - 8));
  return longer;
}

/** A file with a right checksum, put together without the encoder. */
function encodeFile(
  frames: readonly Frame[],
  changeIndex: (entries: IndexEntry[]) => Uint8Array = encodeIndex,
): Uint8Array {
  const txid = toTxid(5);
  const fields = { pageSize: PAGE_SIZE, commit: 9, minTxid: txid, maxTxid: txid };
  const header = encodeHeader(makeHeader({ ...fields, flags: FLAG_NO_CHECKSUM }));
  const parts = [header];
  const crc = new Crc64();
  crc.update(header);
  const entries: IndexEntry[] = [];
  let offset = HEADER_SIZE;
  for (const { pgno, flags = 1, length, data, page } of frames) {
    const start = new Uint8Array(length === undefined ? 6 : 10);
    writeU32be(start, 0, pgno);
    start[5] = flags;
    if (length !== undefined) writeU32be(start, 6, length);
    parts.push(start, data);
    crc.update(start);
    crc.update(page);
    entries.push([pgno, offset, start.length + data.length]);
    offset += start.length + data.length;
  }
  const end = concat([new Uint8Array(6), changeIndex(entries), new Uint8Array(8)]);
  crc.update(end);
  const checksum = new Uint8Array(8);
  writeU64be(checksum, 0, crc.value | CHECKSUM_FLAG);
  return concat([...parts, end, checksum]);
}

function pagesOf(file: Uint8Array): (readonly [number, Uint8Array])[] {
  const pages: (readonly [number, Uint8Array])[] = [];
  inspectLtx(bytesSource(file), { version: 3 }, ({ pgno, bytes, start, end }) => {
    pages.push([pgno, bytes.slice(start, end)]);
  });
  return pages;
}

function rejects(code: LtxErrorCode, file: Uint8Array): void {
  assert.throws(() => pagesOf(file), { name: 'LtxFormatError', code });
}

describe('LTX version 3', () => {
  test('is read with lengths and blocks, or with LZ4 frames as in ltx 0.5.0', () => {
    for (const make of [frame, oldFrame]) {
      const file = encodeFile([make(2), make(3), make(9)]);
      const expected = [2, 3, 9].map((pgno) => [pgno, samplePage(PAGE_SIZE, pgno)]);
      assert.deepEqual(pagesOf(file), expected);
      assert.equal(inspectLtx(bytesSource(file)).version, 3, 'and is recognised');
      const access = openPageAccess(bytesSource(file), file.length);
      const page = new Uint8Array(PAGE_SIZE + 1);
      for (let pgno = 1; pgno <= 10; pgno += 1) {
        const isThere = [2, 3, 9].includes(pgno);
        assert.equal(access.read(pgno, page, 1), isThere);
        if (isThere) assert.deepEqual(page.slice(1), samplePage(PAGE_SIZE, pgno));
      }
    }
  });

  test('is written as the test puts it together', () => {
    const sample = { txid: 5, commit: 9, pgnos: [2, 3] };
    const ours = encodeSample(SAMPLE_FORMATS[3]!, sample);
    const pages = new Map(pagesOf(ours));
    const frames = sample.pgnos.map((pgno) => {
      const page = pages.get(pgno)!;
      const data = new Uint8Array(lz4BlockBound(PAGE_SIZE));
      const end = new Lz4BlockEncoder().encode(page, 0, PAGE_SIZE, data, 0);
      return { pgno, length: end, data: data.slice(0, end), page };
    });
    const expected = encodeFile(frames);
    // The sample has a timestamp and a node id besides, hence another checksum.
    assert.deepEqual(ours.slice(HEADER_SIZE, -8), expected.slice(HEADER_SIZE, -8));
  });

  test('is rejected with a frame that is none', () => {
    const good = frame(2);
    rejects('LTX_PAGE_HEADER', encodeFile([{ ...good, flags: 2 }]));
    rejects('LTX_PAGE_HEADER', encodeFile([{ ...good, flags: 3 }]));
    rejects('LTX_PAGE_HEADER', encodeFile([{ ...good, pgno: 0 }]));
    rejects('LTX_PAGE_HEADER', encodeFile([{ ...good, length: 0 }]));
    rejects('LTX_PAGE_HEADER', encodeFile([{ ...good, length: lz4BlockBound(PAGE_SIZE) + 1 }]));
    rejects('LTX_COMPRESSION', encodeFile([{ ...good, length: good.length! - 1 }]));
    rejects('LTX_COMPRESSION', encodeFile([{ ...oldFrame(2), data: new Uint8Array(40) }]));
  });

  test('is rejected with a page that is too short or too long', () => {
    const halfPage = samplePage(PAGE_SIZE / 2, 1);
    const data = new Uint8Array(lz4BlockBound(PAGE_SIZE * 2));
    const end = new Lz4BlockEncoder().encode(halfPage, 0, halfPage.length, data, 0);
    const short = { pgno: 2, length: end, data: data.slice(0, end), page: halfPage };
    rejects('LTX_PAGE_HEADER', encodeFile([short]));
    const twoPages = new Uint8Array(PAGE_SIZE * 2);
    const longEnd = new Lz4BlockEncoder().encode(twoPages, 0, twoPages.length, data, 0);
    const long = { pgno: 2, length: longEnd, data: data.slice(0, longEnd), page: twoPages };
    rejects('LTX_COMPRESSION', encodeFile([long]));
    const frameOf = (content: Uint8Array): Frame => {
      const parts: Uint8Array[] = [];
      const encoder = new Lz4FrameEncoder((b, start, stop) => parts.push(b.slice(start, stop)));
      encoder.begin();
      encoder.write(content);
      encoder.finish();
      return { pgno: 2, flags: 0, data: concat(parts), page: content };
    };
    rejects('LTX_PAGE_HEADER', encodeFile([frameOf(halfPage)]));
    rejects('LTX_PAGE_HEADER', encodeFile([frameOf(twoPages)]));
  });

  describe('with an index that is not that of its frames', () => {
    type Change = (first: IndexEntry, second: IndexEntry) => Uint8Array;

    const check = (changes: readonly Change[], useIndex: (file: Uint8Array) => void): void => {
      for (const change of changes) {
        const file = encodeFile([frame(2), frame(3)], ([first, second]) => change(first!, second!));
        rejects('LTX_PAGE_INDEX', file);
        assert.throws(() => useIndex(file), { code: 'LTX_PAGE_INDEX' });
      }
    };
    const open = (file: Uint8Array): ReturnType<typeof openPageAccess> =>
      openPageAccess(bytesSource(file), file.length);

    test('is rejected, and not opened for random access', () => {
      const changes: readonly Change[] = [
        (first) => encodeIndex([first]),
        (first, second) => encodeIndex([second, first]),
        (first, second) => encodeIndex([first, second, second]),
        ([pgno, offset, size], second) => encodeIndex([[pgno, offset + 1, size - 1], second]),
        ([, ...first], [, ...second]) =>
          encodeIndex([
            [3, ...first],
            [2, ...second],
          ]),
        ([pgno, offset], [, , size]) =>
          encodeIndex([
            [pgno, offset, 6],
            [3, offset + 6, 2 * size - 6],
          ]),
        (first, second) => encodeIndex([first, second]).fill(0, -1),
        (first, second) => encodeIndex([first, second]).fill(1, -9, -8),
        (first, second) => concat([encodeIndex([first, second]).slice(0, -9), new Uint8Array(12)]),
        (first, second) => withLongNumber(encodeIndex([first, second])),
      ];
      check(changes, open);
    });

    test('is rejected, and its pages cannot be read', () => {
      const changes: readonly Change[] = [
        (first, [, ...second]) => encodeIndex([first, [4, ...second]]),
        ([pgno, offset, size], [, , size2]) =>
          encodeIndex([
            [pgno, offset, size + 1],
            [3, offset + size + 1, size2 - 1],
          ]),
      ];
      check(changes, (file) => {
        for (const pgno of [2, 3, 4]) open(file).read(pgno, new Uint8Array(PAGE_SIZE));
      });
    });

    test('sets nothing aside for an index that is longer than its pages need', () => {
      const file = encodeFile([frame(2)], () => encodeIndex([[2, HEADER_SIZE, 400]]));
      const noise = new Uint8Array(300);
      const longer = concat([file.subarray(0, HEADER_SIZE), noise, file.subarray(HEADER_SIZE)]);
      writeU64be(longer, longer.length - 24, 250n);
      assert.throws(() => open(longer), {
        code: 'LTX_PAGE_INDEX',
        message: /cannot have 250 bytes/,
      });
    });

    test('reads no frame at random that is longer than any page needs', () => {
      const empty = Uint8Array.of(0, 0, 0, 0x80);
      const { data, ...rest } = oldFrame(2);
      const blocks = Array.from({ length: 300 }, () => empty);
      const long = { ...rest, data: concat([data.subarray(0, 7), ...blocks, data.subarray(7)]) };
      const file = encodeFile([long]);
      assert.equal(pagesOf(file).length, 1, 'but in order it is read');
      assert.throws(() => open(file).read(2, new Uint8Array(PAGE_SIZE)), {
        code: 'LTX_PAGE_INDEX',
        message: /a frame of \d+ bytes/,
      });
    });
  });

  test('is written without checksums if it says so', () => {
    const file = encodeSample(SAMPLE_FORMATS[3]!, { txid: 5, commit: 9, pgnos: [2] });
    assert.equal(inspectLtx(bytesSource(file)).trailer.postApplyChecksum, NO_CHECKSUM);
  });
});
