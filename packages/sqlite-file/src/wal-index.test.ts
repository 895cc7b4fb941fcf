import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { SqliteFormatError } from './errors.ts';
import { sampleWalIndex } from './sample-files.ts';
import type { WalHeader } from './wal-header.ts';
import {
  appendToWalIndex,
  findWalFrame,
  removeFromWalIndex,
  walHashSlot,
  WAL_INDEX_BLOCK_SIZE,
  walIndexBlock,
  walIndexBlockOf,
  type WalIndexBlock,
} from './wal-index-block.ts';
import { commitToWalIndex } from './wal-index-commit.ts';
import {
  READ_MARK_NOT_USED,
  readWalCheckpointInfo,
  readWalIndexHeader,
  writeWalIndexHeader,
  type WalIndexHeader,
} from './wal-index-header.ts';

const WAL: WalHeader = {
  bigEndianChecksums: false,
  pageSize: 65_536,
  checkpointSequence: 1,
  salt1: 0xcafe_0001,
  salt2: 0x0bad_f00d,
};

const IS_ASSERTION = { code: 'ASSERTION_FAILED' };

const HEADER: WalIndexHeader = {
  changeCounter: 41,
  bigEndianChecksums: true,
  pageSize: 4096,
  mxFrame: 8,
  pageCount: 6,
  frameChecksum1: 0x89ab_cdef,
  frameChecksum2: 0x7654_3210,
  salt1: 0xf1f2_f3f4,
  salt2: 0x0102_0304,
};

/** Blocks filled with what an older use of the memory may have left there. */
function blocks(count: number, leftover = 0): WalIndexBlock[] {
  return Array.from({ length: count }, (_, i) => {
    return walIndexBlock(new Uint8Array(WAL_INDEX_BLOCK_SIZE).fill(leftover), i);
  });
}

function append(index: readonly WalIndexBlock[], frame: number, pgno: number): void {
  appendToWalIndex(index[walIndexBlockOf(frame)]!, frame, pgno);
}

/** Exactly the entries of these frames, as if no others had ever been there. */
function assertIndexOf(index: readonly WalIndexBlock[], pgnos: readonly number[]): void {
  const fresh = blocks(walIndexBlockOf(Math.max(pgnos.length, 1)) + 1);
  for (const [i, pgno] of pgnos.entries()) append(fresh, i + 1, pgno);
  for (const [i, block] of fresh.entries()) {
    assert.deepEqual(index[i]!.pgnos, block.pgnos);
    assert.deepEqual(index[i]!.slots, block.slots);
  }
}

function isFormatError(error: unknown): boolean {
  return error instanceof SqliteFormatError && error.file === 'wal-index';
}

describe('walIndexBlockOf()', () => {
  test('puts 4062 frames into the first block and 4096 into each other', () => {
    const firsts = [1, 4063, 4063 + 4096, 4063 + 2 * 4096, 4063 + 1000 * 4096];
    assert.deepEqual(firsts.map(walIndexBlockOf), [0, 1, 2, 3, 1001]);
    const lasts = firsts.slice(1).map((frame) => frame - 1);
    assert.deepEqual(lasts.map(walIndexBlockOf), [0, 1, 2, 1000]);
  });
});

describe('walHashSlot()', () => {
  test('is the page number times 383 modulo 8192, for any page number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), (pgno) => {
        assert.equal(BigInt(walHashSlot(pgno)), (BigInt(pgno) * 383n) % 8192n);
      }),
    );
  });
});

describe('walIndexBlock()', () => {
  test('refuses memory of another size or at an odd address', () => {
    assert.throws(() => walIndexBlock(new Uint8Array(WAL_INDEX_BLOCK_SIZE - 1), 0), IS_ASSERTION);
    const odd = new Uint8Array(WAL_INDEX_BLOCK_SIZE + 2).subarray(2);
    assert.throws(() => walIndexBlock(odd, 0), IS_ASSERTION);
  });
});

describe('entries of a wal-index', () => {
  test('are found by page, the newest first, over four blocks', () => {
    const index = blocks(4, 0xee);
    const last = 4062 + 2 * 4096 + 10;
    for (let frame = 1; frame <= last; frame++) append(index, frame, 1 + (frame % 5000));
    for (const pgno of [1, 2, 2500, 4999, 5000]) {
      const newest = last - ((last - (pgno - 1)) % 5000);
      assert.equal(findWalFrame(index, pgno, { mxFrame: last, minFrame: 1 }), newest);
      const older = { mxFrame: newest - 1, minFrame: 1 };
      assert.equal(findWalFrame(index, pgno, older), newest - 5000);
      assert.equal(findWalFrame(index, pgno, { mxFrame: last, minFrame: newest + 1 }), 0);
    }
    assert.equal(findWalFrame(index, 5001, { mxFrame: last, minFrame: 1 }), 0);
  });

  test('are all found when every page has the same slot', () => {
    const index = blocks(1);
    for (let frame = 1; frame <= 4062; frame++) append(index, frame, frame * 8192);
    const snapshot = { mxFrame: 4062, minFrame: 1 };
    for (let frame = 1; frame <= 4062; frame += 97) {
      assert.equal(findWalFrame(index, frame * 8192, snapshot), frame);
    }
  });

  test('equal those of a fresh index after any appends, rollbacks and deaths of writers', () => {
    // Near the first and the second edge of blocks; page numbers of which many share a slot.
    const start = fc.constantFrom(0, 4060, 4062, 4062 + 4094);
    const pgno = fc.oneof(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(8193, 16_385, 0xffff_ffff),
    );
    const append_ = fc.record({ kind: fc.constant('append' as const), pgno });
    const rollback = fc.record({ kind: fc.constant('rollback' as const), count: fc.nat(5) });
    const death = fc.record({ kind: fc.constant('death' as const), count: fc.nat(5) });
    const steps = fc.array(fc.oneof(append_, append_, append_, rollback, death), { maxLength: 20 });
    fc.assert(
      fc.property(start, steps, (before, script) => {
        const index = blocks(4, 0x77);
        const pgnos = Array.from({ length: before }, (_, i) => 1 + (i % 100));
        for (const [i, known] of pgnos.entries()) append(index, i + 1, known);
        for (const step of script) {
          if (step.kind === 'append') {
            pgnos.push(step.pgno);
            append(index, pgnos.length, step.pgno);
            continue;
          }
          pgnos.length = Math.max(pgnos.length - step.count, 0);
          // SQLite's own rollback cleans up; a writer that dies leaves that to the next.
          const block = index[walIndexBlockOf(pgnos.length)];
          if (step.kind === 'rollback' && pgnos.length > 0)
            removeFromWalIndex(block!, pgnos.length);
        }
        append(index, pgnos.length + 1, 9);
        assertIndexOf(index, [...pgnos, 9]);
      }),
      { numRuns: 30 },
    );
  });

  test('are replaced where a dead writer set a page number and no slot', () => {
    const index = blocks(1);
    append(index, 1, 3);
    index[0]!.pgnos[1] = 4;
    append(index, 2, 5);
    assertIndexOf(index, [3, 5]);
  });

  test('may lie above what a reader sees', () => {
    const index = blocks(1);
    append(index, 1, 3);
    append(index, 2, 3);
    assert.equal(findWalFrame(index, 3, { mxFrame: 1, minFrame: 1 }), 1);
    assert.equal(findWalFrame([], 3, { mxFrame: 0, minFrame: 1 }), 0);
  });

  test('are not entered for page 0 or into another block', () => {
    const [first, second] = blocks(2);
    assert.throws(() => appendToWalIndex(first!, 1, 0), IS_ASSERTION);
    assert.throws(() => appendToWalIndex(first!, 4063, 1), IS_ASSERTION);
    assert.throws(() => appendToWalIndex(second!, 4062, 1), IS_ASSERTION);
    assert.throws(() => removeFromWalIndex(second!, 4062), IS_ASSERTION);
    assert.throws(() => removeFromWalIndex(first!, 0), IS_ASSERTION);
    const needsSecond = { mxFrame: 4063, minFrame: 1 };
    assert.throws(() => findWalFrame([first!], 1, needsSecond), IS_ASSERTION);
  });

  test('that fill the hash table are an error, not an endless search', () => {
    const index = blocks(1);
    append(index, 1, 7);
    index[0]!.slots.fill(1);
    assert.throws(() => append(index, 2, 8), isFormatError);
    assert.throws(() => findWalFrame(index, 8, { mxFrame: 1, minFrame: 1 }), isFormatError);
  });
});

describe('wal-index header', () => {
  test('is read as it was written', () => {
    const u32 = fc.nat(0xffff_ffff);
    const anyHeader = fc.record(
      {
        changeCounter: u32,
        bigEndianChecksums: fc.boolean(),
        pageSize: fc.integer({ min: 9, max: 16 }).map((power) => 2 ** power),
        mxFrame: u32,
        pageCount: u32,
        frameChecksum1: u32,
        frameChecksum2: u32,
        salt1: u32,
        salt2: u32,
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(anyHeader, (header) => {
        const [first] = blocks(1, 0xaa);
        writeWalIndexHeader(first!, header);
        assert.deepEqual(readWalIndexHeader(first!), header);
      }),
    );
  });

  test('leaves the checkpoint information and the entries alone', () => {
    const [first] = blocks(1, 0xaa);
    writeWalIndexHeader(first!, HEADER);
    assert.ok(first!.words.subarray(24).every((word) => word === 0xaaaa_aaaa));
  });

  test('is not read while any byte of either copy is off', () => {
    const bytes = new Uint8Array(WAL_INDEX_BLOCK_SIZE);
    const block = walIndexBlock(bytes, 0);
    writeWalIndexHeader(block, HEADER);
    for (let offset = 0; offset < 96; offset++) {
      bytes[offset]! ^= 0x40;
      assert.equal(readWalIndexHeader(block), undefined);
      bytes[offset]! ^= 0x40;
    }
    assert.deepEqual(readWalIndexHeader(block), HEADER);
  });

  test('is not read from new memory', () => {
    assert.equal(readWalIndexHeader(blocks(1)[0]!), undefined);
  });

  test('of an unknown format is refused', () => {
    const [first] = blocks(1);
    writeWalIndexHeader(first!, HEADER);
    // The right checksum for the wrong format, computed over words, as it is defined.
    const { words } = first!;
    words[0]! += 1;
    let [sum1, sum2] = [0, 0];
    for (let i = 0; i < 10; i += 2) {
      sum1 = (sum1 + words[i]! + sum2) | 0;
      sum2 = (sum2 + words[i + 1]! + sum1) | 0;
    }
    words.set([sum1, sum2], 10);
    words.copyWithin(12, 0, 12);
    assert.throws(() => readWalIndexHeader(first!), isFormatError);
  });
});

describe('commitToWalIndex()', () => {
  const sums = Uint32Array.of(0xffff_fff0, 2);

  test('enters the frames and takes what belongs to the WAL from the WAL', () => {
    const index = blocks(2);
    const before = Array.from({ length: 4061 }, (_, i) => i + 1);
    for (const [i, pgno] of before.entries()) append(index, i + 1, pgno);
    const previous = { ...HEADER, mxFrame: before.length, changeCounter: 0xffff_ffff };
    const transaction = { pgnos: [7, 8, 7], pageCount: 4096, sums };
    const header = commitToWalIndex(index, previous, WAL, transaction);
    assert.deepEqual(header, {
      changeCounter: 0,
      bigEndianChecksums: false,
      pageSize: 65_536,
      mxFrame: 4064,
      pageCount: 4096,
      frameChecksum1: 0xffff_fff0,
      frameChecksum2: 2,
      salt1: WAL.salt1,
      salt2: WAL.salt2,
    });
    assert.deepEqual(readWalIndexHeader(index[0]!), header);
    assertIndexOf(index, [...before, 7, 8, 7]);
  });

  test('changes nothing if a block is missing', () => {
    const index = blocks(1);
    const transaction = { pgnos: [7, 8, 7], pageCount: 4096, sums };
    const previous = { ...HEADER, mxFrame: 4060 };
    assert.throws(() => commitToWalIndex(index, previous, WAL, transaction), IS_ASSERTION);
    assert.ok(index[0]!.words.every((word) => word === 0));
  });
});

describe('readWalCheckpointInfo()', () => {
  test('reads what lies behind the two copies of the header', () => {
    const block = walIndexBlock(sampleWalIndex(WAL, [1, 2, 3]), 0);
    block.words.set([2, 0, 3, READ_MARK_NOT_USED, 1, 2], 24);
    block.words[32] = 3;
    assert.deepEqual(readWalCheckpointInfo(block), {
      nBackfill: 2,
      nBackfillAttempted: 3,
      readMarks: [0, 3, READ_MARK_NOT_USED, 1, 2],
    });
  });
});
