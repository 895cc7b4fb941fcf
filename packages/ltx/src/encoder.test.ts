import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { bytesSource } from '@skein/bytes';

import { CHECKSUM_FLAG, NO_CHECKSUM, pageChecksum, toChecksum } from './checksum.ts';
import { LtxEncoder } from './encoder.ts';
import { FLAG_LZ4, HEADER_SIZE, type LtxHeaderFields, makeHeader } from './header.ts';
import { inspectLtx } from './inspect.ts';
import { rawFileSize } from './page-block.ts';
import { SAMPLE_FORMATS, concat, encodeSample, pageSizes, samplePageOf } from './sample-files.ts';
import { toTxid } from './txid.ts';

const change: LtxHeaderFields = {
  pageSize: 512,
  commit: 4,
  minTxid: toTxid(2),
  maxTxid: toTxid(2),
  preApplyChecksum: toChecksum(0x8000000000000005n),
};

const page = new Uint8Array(512);

function collect(): { parts: Uint8Array[]; sink: (b: Uint8Array, s: number, e: number) => void } {
  const parts: Uint8Array[] = [];
  return { parts, sink: (bytes, start, end) => parts.push(bytes.slice(start, end)) };
}

function encoderOf(fields: LtxHeaderFields): LtxEncoder {
  return new LtxEncoder(() => {}, makeHeader(fields));
}

describe('LtxEncoder', () => {
  test('writes the known snapshot of one page', () => {
    const { parts, sink } = collect();
    const header = makeHeader({
      pageSize: 512,
      commit: 1,
      minTxid: toTxid(1),
      maxTxid: toTxid(1),
    });
    const encoder = new LtxEncoder(sink, header);
    encoder.writePage(1, new Uint8Array(512).fill(1));
    const trailer = encoder.finish(toChecksum(0xe4e4aaa102377eeen));
    assert.equal(trailer.fileChecksum, 0xa5764f2cc208d3e5n);
    const file = concat(parts);
    assert.equal(file.length, 636);
    assert.equal(
      createHash('sha256').update(file).digest('hex'),
      '863827d26916d37d166cb35b4ae6dd7c1e5d6620a87925190d4d545a63e29576',
    );
  });

  test('writes the known deletion', () => {
    const { parts, sink } = collect();
    const encoder = new LtxEncoder(sink, makeHeader({ ...change, commit: 0 }));
    assert.equal(encoder.finish(CHECKSUM_FLAG).fileChecksum, 0xa5add60537ebc58dn);
    assert.equal(concat(parts).length, 120);
  });

  test('knows the length of a version 1 file without compression beforehand', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.constantFrom(...pageSizes), (count, pageSize) => {
        const pgnos = Array.from({ length: count }, (_, i) => i * 3 + 1);
        const sample = { txid: 2, commit: 30, pgnos, pageSize };
        const file = encodeSample(SAMPLE_FORMATS[0]!, sample);
        assert.equal(file.length, rawFileSize(count, pageSize));
      }),
      { numRuns: 30 },
    );
  });

  test('puts the page block into an LTX of LiteFS as one LZ4 frame', () => {
    const file = encodeSample(SAMPLE_FORMATS[1]!, { txid: 2, commit: 30, pgnos: [3, 5] });
    const frame = Buffer.from(file.subarray(HEADER_SIZE, HEADER_SIZE + 7)).toString('hex');
    assert.equal(frame, '04224d186440a7');
  });

  test('tells the checksum of each page and that of all pages', () => {
    for (const format of SAMPLE_FORMATS) {
      const sample = { txid: 2, commit: 9, pgnos: [2, 3, 9] };
      const header = inspectLtx(bytesSource(encodeSample(format, sample))).header;
      const encoder = new LtxEncoder(() => {}, header, format.version);
      let all = 0n;
      for (const pgno of sample.pgnos) {
        const bytes = samplePageOf(sample, pgno);
        encoder.writePage(pgno, concat([page.subarray(0, 5), bytes]), 5);
        const { pageChecksumHi, pageChecksumLo } = encoder;
        const expected = pageChecksum(pgno, bytes);
        assert.deepEqual(
          [pageChecksumHi, pageChecksumLo],
          [Number(expected >> 32n), Number(expected & 0xffffffffn)],
        );
        all ^= expected;
      }
      assert.equal(encoder.pagesChecksum, all | CHECKSUM_FLAG);
    }
  });

  test('counts what goes to the sink', () => {
    for (const format of SAMPLE_FORMATS) {
      const { parts, sink } = collect();
      const encoder = new LtxEncoder(
        sink,
        makeHeader({
          ...change,
          flags: format.flags,
          minTxid: toTxid(1),
          preApplyChecksum: NO_CHECKSUM,
          commit: 1,
        }),
        format.version,
      );
      encoder.writePage(1, page);
      assert.equal(encoder.bytesWritten, concat(parts).length);
    }
  });

  test('refuses pages that may not come', () => {
    const encoder = encoderOf(change);
    encoder.writePage(2, page);
    for (const pgno of [0, 1, 2, 5]) {
      assert.throws(() => encoder.writePage(pgno, page), { code: 'LTX_PAGE_ORDER' });
    }
    encoder.writePage(4, page);
  });

  test('refuses an incomplete snapshot', () => {
    const fields = { ...change, minTxid: toTxid(1), preApplyChecksum: NO_CHECKSUM };
    const encoder = encoderOf(fields);
    assert.throws(() => encoder.writePage(2, page), { code: 'LTX_PAGE_ORDER' });
    encoder.writePage(1, page);
    assert.throws(() => encoder.finish(encoder.pagesChecksum), {
      code: 'LTX_SNAPSHOT_INCOMPLETE',
    });
  });

  test('refuses a post-apply checksum that cannot be', () => {
    const finish = (fields: Partial<LtxHeaderFields>, checksum: bigint): void => {
      const encoder = encoderOf({ ...change, ...fields });
      if (fields.minTxid === 1n) encoder.writePage(1, page);
      encoder.finish(toChecksum(checksum));
    };
    const snapshot = { commit: 1, minTxid: toTxid(1), preApplyChecksum: NO_CHECKSUM };
    assert.throws(() => finish({}, 0n), { code: 'LTX_TRAILER' });
    assert.throws(() => finish({ commit: 0 }, 0x8000000000000001n), { code: 'LTX_TRAILER' });
    assert.throws(() => finish(snapshot, 0x8000000000000001n), { code: 'LTX_DATABASE_CHECKSUM' });
  });

  test('refuses a header that the version cannot have', () => {
    assert.throws(() => encoderOf({ ...change, pageSize: 1000 }), { code: 'LTX_HEADER' });
    const compressed = makeHeader({ ...change, flags: FLAG_LZ4 });
    assert.throws(() => new LtxEncoder(() => {}, compressed, 3), { code: 'LTX_HEADER' });
  });

  test('refuses pages outside of their array, and anything after the end', () => {
    const encoder = encoderOf(change);
    assert.throws(() => encoder.writePage(1, page, 1), { code: 'ASSERTION_FAILED' });
    encoder.finish(CHECKSUM_FLAG);
    assert.throws(() => encoder.writePage(1, page), { code: 'ASSERTION_FAILED' });
    assert.throws(() => encoder.finish(CHECKSUM_FLAG), { code: 'ASSERTION_FAILED' });
  });
});
