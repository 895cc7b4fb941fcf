import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { type ByteSource, bytesSource, sourceFrom } from '@skein/bytes';

import { LtxFormatError } from './errors.ts';
import { makeHeader } from './header.ts';
import { openPageAccess } from './page-access.ts';
import { rawFileSize } from './page-block.ts';
import { lockPgno } from './page-number.ts';
import {
  SAMPLE_FORMATS,
  type SampleTransaction,
  concat,
  encodeSample,
  samplePageOf,
} from './sample-files.ts';
import { toTxid } from './txid.ts';
import { encodeHeader } from './header.ts';

const randomAccess = SAMPLE_FORMATS.filter(({ name }) => !name.includes('LZ4'));

const COMMIT = 40;
const pgnos = fc.uniqueArray(fc.integer({ min: 1, max: COMMIT }), { maxLength: 30 });

function checkAllPages(file: Uint8Array, sample: SampleTransaction): void {
  const access = openPageAccess(bytesSource(file), file.length);
  const page = new Uint8Array(512);
  assert.equal(access.pageCount, sample.pgnos.length);
  for (let pgno = 0; pgno <= sample.commit + 1; pgno += 1) {
    const isThere = access.read(pgno, page);
    assert.equal(isThere, sample.pgnos.includes(pgno), `page ${pgno}`);
    if (isThere) assert.deepEqual(page, samplePageOf(sample, pgno));
  }
}

describe('openPageAccess()', () => {
  for (const format of randomAccess) {
    test(`reads any page of a transaction, ${format.name}`, () => {
      fc.assert(
        fc.property(pgnos, (pages) => {
          const sorted = pages.toSorted((a, b) => a - b);
          const sample = { txid: 5, commit: COMMIT, pgnos: sorted };
          checkAllPages(encodeSample(format, sample), sample);
        }),
        { numRuns: 30 },
      );
    });

    test(`reads any page of a snapshot, ${format.name}`, () => {
      const sample = { txid: 1, commit: 9, pgnos: [1, 2, 3, 4, 5, 6, 7, 8, 9] };
      checkAllPages(encodeSample(format, sample), sample);
    });

    test(`reads pages of a file inside of a larger one, ${format.name}`, () => {
      const sample = { txid: 5, commit: 9, pgnos: [3, 7] };
      const file = encodeSample(format, sample);
      const source = sourceFrom(bytesSource(concat([new Uint8Array(77), file, file])), 77);
      const access = openPageAccess(source, file.length);
      const page = new Uint8Array(512);
      assert.ok(access.read(7, page));
      assert.deepEqual(page, samplePageOf(sample, 7));
    });

    test(`gives a page or a format error for a file with a byte changed, ${format.name}`, () => {
      const file = encodeSample(format, { txid: 5, commit: 9, pgnos: [3, 7] });
      const change = fc.tuple(fc.nat(file.length - 1), fc.nat(255));
      fc.assert(
        fc.property(change, fc.nat(10), fc.nat(9), ([at, value], pgno, cut) => {
          const mutant = file.with(at, value).subarray(0, file.length - (cut === 0 ? at : 0));
          try {
            const { version } = format;
            openPageAccess(bytesSource(mutant), mutant.length, { version }).read(
              pgno,
              new Uint8Array(65536),
            );
          } catch (error) {
            assert.ok(error instanceof LtxFormatError, String(error));
          }
        }),
        { numRuns: 500 },
      );
    });
  }

  test('finds pages on both sides of the lock page in a snapshot of more than a GiB', () => {
    // Nobody reads what is not asked for: a page's frame here is its number and nothing else.
    const pageSize = 65536;
    const commit = lockPgno(pageSize) + 3;
    const header = makeHeader({ pageSize, commit, minTxid: toTxid(1), maxTxid: toTxid(1) });
    const sizeBytes = rawFileSize(commit - 1, pageSize);
    const source: ByteSource = {
      read(into, offset, length, position) {
        if (position === 0) {
          into.set(encodeHeader(header), offset);
          return length;
        }
        const frame = (position - 100) / (4 + pageSize);
        if (!Number.isInteger(frame)) return length;
        const pgno = frame + 1 < lockPgno(pageSize) ? frame + 1 : frame + 2;
        new DataView(into.buffer, into.byteOffset + offset).setUint32(0, pgno);
        return length;
      },
    };
    const access = openPageAccess(source, sizeBytes, { version: 1 });
    assert.equal(access.pageCount, commit - 1);
    const page = new Uint8Array(pageSize);
    const lock = lockPgno(pageSize);
    const found = [1, lock - 1, lock, lock + 1, commit, commit + 1].map((pgno) => {
      return access.read(pgno, page);
    });
    assert.deepEqual(found, [true, true, false, true, true, false]);
  });

  test('refuses version 1 with compression, and files of an impossible length', () => {
    const compressed = encodeSample(SAMPLE_FORMATS[1]!, { txid: 5, commit: 9, pgnos: [3] });
    assert.throws(() => openPageAccess(bytesSource(compressed), compressed.length), {
      code: 'LTX_COMPRESSION',
    });
    const raw = encodeSample(SAMPLE_FORMATS[0]!, { txid: 5, commit: 9, pgnos: [3] });
    assert.throws(() => openPageAccess(bytesSource(raw), raw.length - 1), {
      code: 'LTX_TRUNCATED',
    });
    const shorter = openPageAccess(bytesSource(raw), raw.length + 4 * 516);
    assert.throws(() => shorter.read(9, new Uint8Array(512)), { code: 'LTX_TRUNCATED' });
  });

  test('sets nothing aside for an index length that cannot be', () => {
    const file = encodeSample(SAMPLE_FORMATS[2]!, { txid: 5, commit: 9, pgnos: [3] });
    for (const at of [24, 23, 20, 18]) {
      const mutant = file.with(-at, 0x7f);
      assert.throws(() => openPageAccess(bytesSource(mutant), mutant.length), {
        code: 'LTX_PAGE_INDEX',
      });
    }
  });
});
