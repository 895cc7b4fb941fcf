// TXIDs, positions, file names and page numbers: the small vocabulary.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { toChecksum } from './checksum.ts';
import { formatLtxFileName, maybeParseLtxFileName } from './file-name.ts';
import { isPageSize, lockPgno } from './page-number.ts';
import { POSITION_ZERO, formatPosition, maybeParsePosition } from './position.ts';
import { formatTxid, maybeParseTxid, toTxid } from './txid.ts';

describe('toTxid()', () => {
  test('takes numbers of 64 bits', () => {
    assert.equal(toTxid(5), 5n);
    assert.equal(formatTxid(toTxid((1n << 64n) - 1n)), 'ffffffffffffffff');
    for (const value of [-1, 1n << 64n]) {
      assert.throws(() => toTxid(value), { code: 'ASSERTION_FAILED' });
    }
  });
});

describe('maybeParseTxid()', () => {
  test('reads sixteen lowercase digits', () => {
    assert.equal(maybeParseTxid('000000000000000c'), 12n);
    for (const text of ['c', '000000000000000C', '00000000000000000c']) {
      assert.equal(maybeParseTxid(text), undefined);
    }
  });
});

describe('maybeParsePosition()', () => {
  test('reads what formatPosition() wrote', () => {
    const position = { txid: toTxid(12), checksum: toChecksum(0xe02c1534eef32203n) };
    assert.equal(formatPosition(position), '000000000000000c/e02c1534eef32203');
    assert.deepEqual(maybeParsePosition(formatPosition(position)), position);
    assert.deepEqual(maybeParsePosition(formatPosition(POSITION_ZERO)), POSITION_ZERO);
  });

  test('takes nothing else', () => {
    const good = '000000000000000c/e02c1534eef32203';
    for (const text of ['', '/', good.slice(1), `${good}/`, `${good}\n`, good.replace('/', '-')]) {
      assert.equal(maybeParsePosition(text), undefined, JSON.stringify(text));
    }
    assert.equal(maybeParsePosition('000000000000000c/602c1534eef32203'), undefined);
  });
});

describe('maybeParseLtxFileName()', () => {
  test('reads what formatLtxFileName() wrote', () => {
    const range = { minTxid: toTxid(1), maxTxid: toTxid(0xabc) };
    assert.equal(formatLtxFileName(range), '0000000000000001-0000000000000abc.ltx');
    assert.deepEqual(maybeParseLtxFileName(formatLtxFileName(range)), range);
  });

  test('takes no other name', () => {
    const good = '0000000000000001-0000000000000abc.ltx';
    const bad = [
      `${good}.tmp`,
      `x${good}`,
      `${good}\n`,
      good.toUpperCase(),
      good.replace('.ltx', '-ltx'),
      '0000000000000002-0000000000000001.ltx',
      '0000000000000000-0000000000000001.ltx',
    ];
    for (const name of bad) assert.equal(maybeParseLtxFileName(name), undefined, name);
  });
});

describe('lockPgno()', () => {
  test('is the page behind the first GiB', () => {
    const expected = [2097153, 1048577, 524289, 262145, 131073, 65537, 32769, 16385];
    const actual = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].map((s) => lockPgno(s));
    assert.deepEqual(actual, expected);
  });
});

describe('isPageSize()', () => {
  test('takes powers of two from 512 to 65536', () => {
    for (const size of [512, 1024, 4096, 65536]) assert.ok(isPageSize(size));
    for (const size of [0, 1, 256, 513, 4095, 131072, 512.5, -512, Number.NaN]) {
      assert.ok(!isPageSize(size), String(size));
    }
  });
});
