import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { bytesSource, u64Hi, u64Lo } from '@skein/bytes';

import { type Checksum, DatabaseChecksum, NO_CHECKSUM, pageChecksum } from './checksum.ts';
import { type CompactOptions, compact } from './compact.ts';
import { LtxEncoder } from './encoder.ts';
import { FLAG_LZ4, FLAG_NO_CHECKSUM, type LtxVersion, makeHeader } from './header.ts';
import { inspectLtx } from './inspect.ts';
import { LtxReader } from './reader.ts';
import { SAMPLE_FORMATS, type SampleTransaction, concat, encodeSample } from './sample-files.ts';
import { toTxid } from './txid.ts';

const PAGE_SIZE = 512;

/** A database as its pages' first bytes: what compaction must keep, kept the plain way. */
type Database = readonly number[];

interface Change {
  /** Pages of the database afterwards. */
  readonly commit: number;
  /** First byte for each page that is written; pages that are new are written in any case. */
  readonly writes: ReadonlyMap<number, number>;
}

function checksumOf(database: Database): Checksum {
  const checksum = new DatabaseChecksum();
  for (const [i, fill] of database.entries()) {
    const page = pageChecksum(i + 1, new Uint8Array(PAGE_SIZE).fill(fill));
    checksum.toggle(u64Hi(page), u64Lo(page));
  }
  return checksum.value;
}

function applyChange(database: Database, change: Change): Database {
  return Array.from({ length: change.commit }, (_, i) => {
    return change.writes.get(i + 1) ?? database[i] ?? 0;
  });
}

function applyFile(database: Database, file: Uint8Array): Database {
  const reader = new LtxReader(bytesSource(file));
  const after = Array.from({ length: reader.header.commit }, (_, i) => database[i] ?? -1);
  for (let page = reader.next(); page !== undefined; page = reader.next()) {
    after[page.pgno - 1] = page.bytes[page.start]!;
  }
  return after;
}

function encodeChange(txid: number, before: Database, change: Change, flags: number): Uint8Array {
  const hasChecksums = flags !== FLAG_NO_CHECKSUM;
  const after = applyChange(before, change);
  const parts: Uint8Array[] = [];
  const encoder = new LtxEncoder(
    (bytes, start, end) => parts.push(bytes.slice(start, end)),
    makeHeader({
      flags,
      pageSize: PAGE_SIZE,
      commit: change.commit,
      minTxid: toTxid(txid),
      maxTxid: toTxid(txid),
      timestampMs: txid * 1000,
      preApplyChecksum: hasChecksums && txid > 1 ? checksumOf(before) : NO_CHECKSUM,
      walOffset: 32,
      walSize: 64,
      nodeId: 5n,
    }),
    hasChecksums ? 1 : 3,
  );
  for (const [i, fill] of after.entries()) {
    const isNew = i >= before.length;
    if (!isNew && !change.writes.has(i + 1)) continue;
    encoder.writePage(i + 1, new Uint8Array(PAGE_SIZE).fill(fill));
  }
  encoder.finish(hasChecksums ? checksumOf(after) : NO_CHECKSUM);
  return concat(parts);
}

const changes = fc.array(
  fc.record({
    commit: fc.nat(8),
    writes: fc
      .array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 255 })))
      .map((writes) => new Map(writes)),
  }),
  { minLength: 1, maxLength: 8 },
);

interface History {
  readonly files: readonly Uint8Array[];
  /** The database before each file, and after the last. */
  readonly states: readonly Database[];
}

function makeHistory(all: readonly Change[], flags: number): History {
  const states: Database[] = [[]];
  const files = all.map((change, i) => {
    const before = states.at(-1)!;
    const file = encodeChange(i + 1, before, change, flags);
    states.push(applyChange(before, change));
    return file;
  });
  return { files, states };
}

function compactFiles(files: readonly Uint8Array[], options?: CompactOptions): Uint8Array {
  const readers = files.map((file) => new LtxReader(bytesSource(file)));
  const parts: Uint8Array[] = [];
  compact(readers, (bytes, start, end) => parts.push(bytes.slice(start, end)), options);
  return concat(parts);
}

const inspect = (file: Uint8Array, version?: LtxVersion): ReturnType<typeof inspectLtx> =>
  inspectLtx(bytesSource(file), { version });

describe('compact()', () => {
  const outputs: readonly CompactOptions[] = [
    { version: 1 },
    { version: 1, compress: true },
    { version: 3 },
    { version: 3, omitChecksums: true },
  ];

  test('does what its inputs do one after the other', () => {
    const range = fc.tuple(fc.nat(7), fc.nat(7));
    fc.assert(
      fc.property(changes, range, fc.constantFrom(...outputs), (all, [a, b], options) => {
        const { files, states } = makeHistory(all, 0);
        const from = Math.min(a, b, files.length - 1);
        const to = Math.min(Math.max(a, b), files.length - 1) + 1;
        const merged = compactFiles(files.slice(from, to), options);
        assert.deepEqual(applyFile(states[from]!, merged), states[to]);
        const { header, trailer } = inspect(merged, options.version);
        assert.equal(header.minTxid, BigInt(from + 1));
        assert.equal(header.maxTxid, BigInt(to));
        if (options.omitChecksums) return;
        assert.equal(trailer.postApplyChecksum, checksumOf(states[to]!));
        assert.equal(header.preApplyChecksum, from === 0 ? 0n : checksumOf(states[from]!));
      }),
      { numRuns: 300 },
    );
  });

  test('may be done in any order', () => {
    fc.assert(
      fc.property(changes, fc.nat(7), (all, cut) => {
        const { files } = makeHistory(all, FLAG_LZ4);
        const middle = Math.min(cut, files.length - 1) + 1;
        const first = compactFiles(files.slice(0, middle), { version: 3 });
        const rest = files.slice(middle);
        assert.deepEqual(compactFiles([first, ...rest]), compactFiles(files));
      }),
    );
  });

  test('takes over what the last file says, and nothing about the WAL or the node', () => {
    const { files } = makeHistory(
      [1, 2, 3].map((commit) => ({ commit, writes: new Map([[1, commit]]) })),
      0,
    );
    const { header } = inspect(compactFiles(files.slice(1), { compress: true }));
    const { walOffset, walSize, nodeId, timestampMs, commit, flags } = header;
    assert.deepEqual([walOffset, walSize, nodeId], [0, 0, 0n]);
    assert.deepEqual([timestampMs, commit, flags], [3000, 3, FLAG_LZ4]);
  });

  const plain = SAMPLE_FORMATS[0]!;
  const bare = SAMPLE_FORMATS[3]!;
  const sample = (txid: number, fields: Partial<SampleTransaction> = {}): Uint8Array =>
    encodeSample(plain, { txid, commit: 4, pgnos: [2], ...fields });

  test('refuses files that do not follow each other', () => {
    assert.throws(() => compactFiles([sample(2), sample(4)]), { code: 'LTX_COMPACTION' });
    assert.throws(() => compactFiles([sample(3), sample(2)]), { code: 'LTX_COMPACTION' });
    const otherSize = sample(3, { pageSize: 1024 });
    assert.throws(() => compactFiles([sample(2), otherSize]), { code: 'LTX_COMPACTION' });
  });

  test('refuses files of which one does not apply to what the other leaves', () => {
    const error = { code: 'LTX_COMPACTION', actual: '8000000000000bb8' };
    assert.throws(() => compactFiles([sample(2), sample(3)]), error);
  });

  test('lets files overlap if told so, but leave no gap', () => {
    const { files, states } = makeHistory(
      [3, 4, 2, 5].map((commit) => ({ commit, writes: new Map([[2, commit]]) })),
      FLAG_NO_CHECKSUM,
    );
    const [first, second, third, fourth] = files as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const early = compactFiles([first, second, third], { version: 3 });
    const late = compactFiles([second, third, fourth], { version: 3 });
    assert.throws(() => compactFiles([early, late], { version: 3 }), { code: 'LTX_COMPACTION' });
    const merged = compactFiles([early, late], { version: 3, contiguity: 'overlap' });
    assert.deepEqual(applyFile([], merged), states[4]);
    for (const files of [
      [first, third],
      [late, early],
    ]) {
      const options = { version: 3, contiguity: 'overlap' } as const;
      assert.throws(() => compactFiles(files, options), { code: 'LTX_COMPACTION' });
    }
  });

  test('makes version 1 of files without checksums only for a snapshot', () => {
    const { files, states } = makeHistory(
      [2, 3].map((commit) => ({ commit, writes: new Map() })),
      FLAG_NO_CHECKSUM,
    );
    const snapshot = inspect(compactFiles(files));
    assert.equal(snapshot.version, 1);
    assert.equal(snapshot.trailer.postApplyChecksum, checksumOf(states[2]!));
    assert.throws(() => compactFiles(files.slice(1)), { code: 'LTX_COMPACTION' });
    const change = inspect(compactFiles(files.slice(1), { version: 3 }));
    assert.equal(change.header.flags, FLAG_NO_CHECKSUM);
  });

  test('lets no page shine through from before the database shrank', () => {
    // Page 4 is cut off and comes again with the database, but nobody writes it.
    const write = (txid: number, commit: number, pgnos: readonly number[]): Uint8Array =>
      encodeSample(bare, { txid, commit, pgnos });
    const files = [write(2, 4, [4]), write(3, 3, [1]), write(4, 5, [5])];
    assert.throws(() => compactFiles(files, { version: 3 }), {
      code: 'LTX_PAGE_ORDER',
      expected: 2,
      actual: 5,
    });
    const withoutLast = [...files.slice(0, 2), write(4, 5, [4])];
    assert.throws(() => compactFiles(withoutLast, { version: 3 }), {
      code: 'LTX_SNAPSHOT_INCOMPLETE',
      expected: 5,
    });
    const whole = [...files.slice(0, 2), write(4, 5, [4, 5])];
    const merged = compactFiles(whole, { version: 3 });
    const pages: number[] = [];
    inspectLtx(bytesSource(merged), {}, ({ pgno }) => pages.push(pgno));
    assert.deepEqual(pages, [1, 4, 5]);
  });

  test('reads every input to its end, and refuses one that is corrupt', () => {
    const { files } = makeHistory(
      [2, 3, 1].map((commit) => ({ commit, writes: new Map([[1, commit]]) })),
      0,
    );
    for (const [i, file] of files.entries()) {
      const corrupt = file.slice();
      corrupt[corrupt.length - 20]! ^= 1;
      assert.throws(() => compactFiles(files.with(i, corrupt)), { name: 'LtxFormatError' });
      const cut = file.subarray(0, -1);
      assert.throws(() => compactFiles(files.with(i, cut)), { code: 'LTX_TRUNCATED' });
    }
  });
});
