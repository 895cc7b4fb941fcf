import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { Lz4FrameEncoder, crc64, readU64be, writeU64be } from '@skein/bytes';

import { CHECKSUM_FLAG, NO_CHECKSUM, toChecksum } from './checksum.ts';
import { LtxDecoder } from './decoder.ts';
import { type LtxErrorCode, LtxFormatError } from './errors.ts';
import {
  FLAG_LZ4,
  HEADER_SIZE,
  type LtxHeader,
  type LtxVersion,
  encodeHeader,
  makeHeader,
} from './header.ts';
import { lockPgno } from './page-number.ts';
import type { LtxReadOptions } from './parser.ts';
import {
  SAMPLE_FORMATS,
  type SampleFormat,
  type SampleTransaction,
  concat,
  encodeSample,
  pageSizes,
  samplePageOf,
} from './sample-files.ts';
import type { LtxTrailer } from './trailer.ts';
import { toTxid } from './txid.ts';

interface Decoded {
  header?: LtxHeader;
  version?: LtxVersion;
  readonly pages: (readonly [number, Uint8Array])[];
  trailer?: LtxTrailer;
  /** Bytes of the input that were the file's. */
  used: number;
}

function decode(pieces: readonly Uint8Array[], options?: LtxReadOptions): Decoded {
  const decoded: Decoded = { pages: [], used: 0 };
  const decoder = new LtxDecoder(
    {
      onHeader(header, version) {
        decoded.header = header;
        decoded.version = version;
      },
      onPage({ pgno, bytes, start, end }) {
        decoded.pages.push([pgno, bytes.slice(start, end)]);
      },
      onTrailer(trailer) {
        decoded.trailer = trailer;
      },
    },
    options,
  );
  for (const piece of pieces) decoded.used += decoder.push(piece);
  decoder.finish();
  return decoded;
}

/** Undefined for a format error; fails for any other. */
function maybeDecode(file: Uint8Array, options?: LtxReadOptions): Decoded | undefined {
  try {
    return decode([file], options);
  } catch (error) {
    assert.ok(error instanceof LtxFormatError, String(error));
    return undefined;
  }
}

/** Gives the file a right checksum, so that what is wrong in it is found by other rules. */
function sealed(file: Uint8Array): Uint8Array {
  const copy = file.slice();
  writeU64be(copy, copy.length - 8, crc64(copy, 0, copy.length - 8) | CHECKSUM_FLAG);
  return copy;
}

/** Version 1 without compression and with right checksum, put together without the encoder. */
function rawFile(header: LtxHeader, pages: readonly (readonly [number, number])[]): Uint8Array {
  const parts = [encodeHeader(header)];
  for (const [pgno, fill] of pages) {
    const frame = new Uint8Array(4 + header.pageSize).fill(fill);
    new DataView(frame.buffer).setUint32(0, pgno);
    parts.push(frame);
  }
  const end = new Uint8Array(20);
  new DataView(end.buffer).setBigUint64(4, 0x8000000000000bb8n);
  return sealed(concat([...parts, end]));
}

/** Version 1 with all of the content in one LZ4 frame, whatever the content is. */
function framedFile(header: LtxHeader, content: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const encoder = new Lz4FrameEncoder((bytes, start, end) => parts.push(bytes.slice(start, end)));
  encoder.begin();
  encoder.write(content);
  encoder.finish();
  const encoded = encodeHeader({ ...header, flags: FLAG_LZ4 });
  const trailer = new Uint8Array(16);
  writeU64be(trailer, 0, 0x8000000000000bb8n);
  const checksum = crc64(concat([encoded, content, trailer.subarray(0, 8)]));
  writeU64be(trailer, 8, checksum | CHECKSUM_FLAG);
  return concat([encoded, ...parts, trailer]);
}

const transaction: SampleTransaction = { txid: 7, commit: 12, pgnos: [1, 4, 5, 12] };
const snapshot: SampleTransaction = { txid: 1, commit: 3, pgnos: [1, 2, 3] };
const empty: SampleTransaction = { txid: 7, commit: 12, pgnos: [] };

const samples = SAMPLE_FORMATS.flatMap((format) =>
  [transaction, snapshot, empty].map((sample) => ({
    name: `${format.name}, pages ${sample.pgnos.join(' ') || 'none'}`,
    version: format.version,
    pages: sample.pgnos.map((pgno) => [pgno, samplePageOf(sample, pgno)] as const),
    file: encodeSample(format, sample),
  })),
);

for (const { name, version, pages, file } of samples) {
  describe(`LtxDecoder, ${name}`, () => {
    test('reads what the encoder wrote, with or without knowing the version', () => {
      for (const options of [{ version }, {}]) {
        const decoded = decode([file], options);
        assert.equal(decoded.version, version);
        assert.deepEqual(decoded.pages, pages);
        assert.notEqual(decoded.trailer, undefined);
        assert.equal(decoded.used, file.length);
      }
    });

    test('reads a file cut anywhere, and leaves what follows it', () => {
      const followed = concat([file, file.subarray(0, 20)]);
      for (let cut = 0; cut <= followed.length; cut += 1) {
        const decoded = decode([followed.subarray(0, cut), followed.subarray(cut)]);
        assert.equal(decoded.used, file.length);
        assert.deepEqual(decoded.pages, pages);
      }
    });

    test('reads a file that comes byte by byte', () => {
      const bytes = Array.from(file, (byte) => Uint8Array.of(byte));
      assert.deepEqual(decode(bytes), decode([file]));
    });

    test('rejects a file cut off at any length', () => {
      for (let length = 0; length < file.length; length += 1) {
        const isTruncated = (error: unknown): boolean =>
          error instanceof LtxFormatError && error.code === 'LTX_TRUNCATED';
        assert.throws(() => decode([file.subarray(0, length)]), isTruncated, `${length} bytes`);
      }
    });

    test('rejects a file with a bit of any byte changed, or decodes it to the same', () => {
      // The same: other compressed bytes may mean the same page.
      const original = decode([file]);
      for (let at = 0; at < file.length; at += 1) {
        const mutant = file.slice();
        mutant[at]! ^= 1 << (at & 7);
        for (const options of [{ version }, {}]) {
          const decoded = maybeDecode(mutant, options);
          if (decoded !== undefined) assert.deepEqual(decoded, original, `byte ${at} changed`);
        }
      }
    });
  });
}

describe('LtxDecoder', () => {
  const header = makeHeader({
    pageSize: 512,
    commit: 9,
    minTxid: toTxid(4),
    maxTxid: toTxid(4),
    preApplyChecksum: toChecksum(0x8000000000000001n),
  });
  const snapshotHeader = { ...header, minTxid: toTxid(1), preApplyChecksum: NO_CHECKSUM };

  const rejects = (code: LtxErrorCode, file: Uint8Array): void => {
    assert.throws(() => decode([file]), { name: 'LtxFormatError', code });
  };

  test('reads a file that was put together without the encoder', () => {
    const { pages, trailer } = decode([
      rawFile(header, [
        [2, 22],
        [9, 99],
      ]),
    ]);
    assert.deepEqual(pages, [
      [2, new Uint8Array(512).fill(22)],
      [9, new Uint8Array(512).fill(99)],
    ]);
    assert.equal(trailer?.postApplyChecksum, 0x8000000000000bb8n);
  });

  test('rejects pages that are out of place', () => {
    rejects(
      'LTX_PAGE_ORDER',
      rawFile(header, [
        [3, 0],
        [2, 0],
      ]),
    );
    rejects(
      'LTX_PAGE_ORDER',
      rawFile(header, [
        [3, 0],
        [3, 0],
      ]),
    );
    rejects('LTX_PAGE_ORDER', rawFile(header, [[10, 0]]));
    rejects('LTX_PAGE_ORDER', rawFile({ ...header, commit: 0 }, [[1, 0]]));
    const lock = lockPgno(512);
    rejects('LTX_PAGE_ORDER', rawFile({ ...header, commit: lock + 1 }, [[lock, 0]]));
    rejects('LTX_PAGE_ORDER', rawFile(snapshotHeader, [[2, 0]]));
    rejects('LTX_SNAPSHOT_INCOMPLETE', rawFile(snapshotHeader, [[1, 0]]));
  });

  test('rejects an LZ4 frame that is longer or shorter than the page block', () => {
    const page = concat([Uint8Array.of(0, 0, 0, 2), new Uint8Array(512)]);
    const end = new Uint8Array(4);
    assert.equal(decode([framedFile(header, concat([page, end]))]).pages.length, 1);
    rejects('LTX_COMPRESSION', framedFile(header, page));
    rejects('LTX_COMPRESSION', framedFile(header, page.subarray(0, 100)));
    rejects('LTX_COMPRESSION', framedFile(header, new Uint8Array(0)));
    rejects('LTX_COMPRESSION', framedFile(header, concat([page, end, end.subarray(3)])));
    rejects('LTX_COMPRESSION', framedFile(header, concat([page, end, new Uint8Array(70_000)])));
  });

  test('checks the file checksum before it believes the trailer', () => {
    // A known file with a made-up post-apply checksum, whose own checksum is right.
    const fields = { ...snapshotHeader, commit: 2, maxTxid: toTxid(4) };
    const file = rawFile(fields, [
      [1, 3],
      [2, 2],
    ]);
    assert.equal(readU64be(file, file.length - 8), 0xc8d8c55bde12fe8dn);
    rejects('LTX_DATABASE_CHECKSUM', file);
    const flipped = file.slice();
    flipped[file.length - 9]! ^= 1;
    rejects('LTX_FILE_CHECKSUM', flipped);
    rejects('LTX_DATABASE_CHECKSUM', sealed(flipped));
  });

  test('rejects a post-apply checksum that cannot be', () => {
    const file = rawFile(header, []);
    file[file.length - 16] = 0x7f;
    rejects('LTX_TRAILER', sealed(file));
    rejects('LTX_TRAILER', rawFile({ ...header, commit: 0 }, []));
  });

  test('rejects a header that breaks the rules, before the handler sees it', () => {
    for (const bad of [{ pageSize: 513 }, { minTxid: toTxid(0) }, { walSize: 8 }]) {
      const file = rawFile(header, []);
      file.set(encodeHeader({ ...header, ...bad }));
      const decoder = new LtxDecoder({
        onHeader: () => assert.fail('the handler got a bad header'),
        onPage: () => assert.fail('the handler got a page'),
        onTrailer: () => assert.fail('the handler got a trailer'),
      });
      assert.throws(() => decoder.push(sealed(file)), { code: 'LTX_HEADER' });
    }
  });

  test('says where in the file the error is', () => {
    const file = rawFile(header, [
      [3, 0],
      [2, 0],
    ]);
    const offset = HEADER_SIZE + 516 + 4;
    assert.throws(() => decode([file]), { code: 'LTX_PAGE_ORDER', offset, expected: 4, actual: 2 });
  });

  test('decodes or rejects a file with bytes replaced and a right checksum', () => {
    const file = rawFile(header, [
      [2, 22],
      [9, 99],
    ]);
    const replacement = fc.tuple(fc.nat(file.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(replacement, { minLength: 1, maxLength: 3 }), (replacements) => {
        const mutant = file.slice();
        for (const [at, value] of replacements) mutant[at] = value;
        maybeDecode(sealed(mutant));
        maybeDecode(sealed(mutant), { version: 3 });
      }),
      { numRuns: 500 },
    );
  });

  test('reads pages of every size, cut into any pieces', () => {
    const cuts = fc.array(fc.nat(5000), { maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLE_FORMATS), fc.constantFrom(...pageSizes), cuts, cutFile),
      { numRuns: 40 },
    );
  });

  test('takes nothing after the end', () => {
    const file = rawFile(header, []);
    const decoder = new LtxDecoder({ onHeader() {}, onPage() {}, onTrailer() {} });
    assert.equal(decoder.push(file), file.length);
    assert.ok(decoder.isAtEnd);
    assert.equal(decoder.push(file), 0);
    decoder.finish();
  });
});

/** A file cut into pieces of the given lengths, the last the rest, decodes as it does in one. */
function cutFile(format: SampleFormat, pageSize: number, lengths: readonly number[]): void {
  const sample = { ...transaction, pageSize };
  const file = encodeSample(format, sample);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(file.subarray(at, at + length));
    at = Math.min(at + length, file.length);
  }
  const { pages, used } = decode([...pieces, file.subarray(at)]);
  assert.equal(used, file.length);
  assert.deepEqual(
    pages,
    sample.pgnos.map((pgno) => [pgno, samplePageOf(sample, pgno)]),
  );
}
