import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { u64Hi, u64Lo } from '@skein/bytes';

import {
  CHECKSUM_FLAG,
  type Checksum,
  DatabaseChecksum,
  NO_CHECKSUM,
  checksumFromHalves,
  formatChecksum,
  maybeParseChecksum,
  pageChecksum,
  toChecksum,
} from './checksum.ts';
import { FileChecksum } from './file-checksum.ts';
import { pageSizes } from './sample-files.ts';

function toggle(checksum: DatabaseChecksum, page: Checksum): void {
  checksum.toggle(u64Hi(page), u64Lo(page));
}

describe('pageChecksum()', () => {
  test('has the known values', () => {
    assert.equal(pageChecksum(1, new Uint8Array(4096)), 0xd9328f592d9e733dn);
    assert.equal(pageChecksum(2, new Uint8Array(4096)), 0xf7901e47304ca33fn);
    assert.equal(pageChecksum(1, new Uint8Array(512)), 0xefb1f44fecd99000n);
    assert.equal(pageChecksum(1, new Uint8Array(512).fill(1)), 0xe4e4aaa102377eeen);
  });
});

describe('FileChecksum', () => {
  test('gives each page the checksum that it has by itself', () => {
    const page = fc.tuple(fc.nat(0xffffffff), fc.constantFrom(...pageSizes), fc.nat(255));
    fc.assert(
      fc.property(page, ([pgno, pageSize, fill]) => {
        const bytes = new Uint8Array(pageSize + 3).fill(fill).map((byte, at) => byte ^ (at >> 3));
        const checksum = new FileChecksum(pageSize);
        checksum.add(bytes, 0, 5);
        checksum.addPage(pgno, bytes, 3);
        const expected = pageChecksum(pgno, bytes.subarray(3));
        assert.equal(checksumFromHalves(checksum.pageHi, checksum.pageLo), expected);
      }),
      { numRuns: 50 },
    );
  });
});

describe('DatabaseChecksum', () => {
  test('has the known value of three pages', () => {
    const checksum = new DatabaseChecksum();
    for (const pgno of [1, 2, 3])
      toggle(checksum, pageChecksum(pgno, new Uint8Array(512).fill(pgno)));
    assert.equal(checksum.value, 0xefffffffecd99000n);
  });

  test('is the bare flag without pages, and again when all that came have gone', () => {
    const checksum = new DatabaseChecksum();
    assert.equal(checksum.value, CHECKSUM_FLAG);
    const page = pageChecksum(7, new Uint8Array(512));
    toggle(checksum, page);
    toggle(checksum, page);
    assert.equal(checksum.value, CHECKSUM_FLAG);
  });

  test('goes on from a stored value as if it had seen those pages', () => {
    const whole = new DatabaseChecksum();
    for (const pgno of [1, 2]) toggle(whole, pageChecksum(pgno, new Uint8Array(512)));
    const first = new DatabaseChecksum();
    toggle(first, pageChecksum(1, new Uint8Array(512)));
    const second = new DatabaseChecksum(first.value);
    toggle(second, pageChecksum(2, new Uint8Array(512)));
    assert.equal(second.value, whole.value);
  });
});

describe('toChecksum()', () => {
  test('takes none, or 64 bits with the highest set', () => {
    assert.equal(toChecksum(0n), NO_CHECKSUM);
    assert.equal(toChecksum(1n << 63n), CHECKSUM_FLAG);
    for (const value of [1n, (1n << 63n) - 1n, 1n << 64n, -1n]) {
      assert.throws(() => toChecksum(value), { code: 'ASSERTION_FAILED' });
    }
  });
});

describe('maybeParseChecksum()', () => {
  test('reads what formatChecksum() wrote', () => {
    for (const checksum of [NO_CHECKSUM, CHECKSUM_FLAG, toChecksum(0xe4e4aaa102377eeen)]) {
      assert.equal(maybeParseChecksum(formatChecksum(checksum)), checksum);
    }
  });

  test('takes no digits that are no checksum', () => {
    assert.equal(maybeParseChecksum('0000000000000001'), undefined);
    assert.equal(maybeParseChecksum('8000'), undefined);
  });
});
