import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { toChecksum } from './checksum.ts';
import { LtxFormatError } from './errors.ts';
import {
  FLAG_LZ4,
  FLAG_NO_CHECKSUM,
  HEADER_SIZE,
  type LtxHeaderFields,
  type LtxVersion,
  checkHeader,
  decodeHeader,
  encodeHeader,
  makeHeader,
} from './header.ts';
import { toTxid } from './txid.ts';

const good: LtxHeaderFields = {
  pageSize: 4096,
  commit: 3,
  minTxid: toTxid(5),
  maxTxid: toTxid(6),
  timestampMs: 1_700_000_000_123,
  preApplyChecksum: toChecksum(0x9c74a15b4e4f246cn),
  walOffset: 32,
  walSize: 8240,
  walSalt1: 0xd113b9fc,
  walSalt2: 0xa28fad62,
  nodeId: 0xfedcba9876543210n,
};

describe('encodeHeader()', () => {
  test('puts every field where the format has it', () => {
    const expected = [
      '4c545831 00000000 00001000 00000003',
      '0000000000000005 0000000000000006',
      '0000018bcfe5687b 9c74a15b4e4f246c',
      '0000000000000020 0000000000002030',
      'd113b9fc a28fad62 fedcba9876543210',
      '00'.repeat(20),
    ];
    const header = encodeHeader(makeHeader(good));
    assert.equal(Buffer.from(header).toString('hex'), expected.join('').replaceAll(' ', ''));
  });
});

describe('decodeHeader()', () => {
  test('reads what encodeHeader() wrote', () => {
    const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    const u32 = fc.nat(0xffffffff);
    const fields = fc.record({
      flags: u32,
      pageSize: u32,
      commit: u32,
      minTxid: u64.map(toTxid),
      maxTxid: u64.map(toTxid),
      timestampMs: fc.maxSafeInteger(),
      preApplyChecksum: u64.map((value) => toChecksum(value | (1n << 63n))),
      walOffset: fc.maxSafeNat(),
      walSize: fc.maxSafeNat(),
      walSalt1: u32,
      walSalt2: u32,
      nodeId: u64,
    });
    fc.assert(
      fc.property(fields, fc.nat(9), (header, offset) => {
        const bytes = new Uint8Array(HEADER_SIZE + 20);
        bytes.set(encodeHeader(header), offset);
        assert.deepEqual(decodeHeader(bytes, offset), { ...header });
      }),
    );
  });

  test('rejects bytes without the magic', () => {
    const bytes = encodeHeader(makeHeader(good));
    bytes[3] = 0x32;
    assert.throws(() => decodeHeader(bytes), { code: 'LTX_MAGIC', offset: 0 });
  });

  test('rejects numbers that JavaScript could not hold', () => {
    for (const offset of [32, 48, 56]) {
      const bytes = encodeHeader(makeHeader(good));
      bytes[offset] = 0x7f;
      assert.throws(() => decodeHeader(bytes), { code: 'LTX_HEADER', offset });
    }
  });
});

describe('checkHeader()', () => {
  const rejects = (offset: number, version: LtxVersion, change: Partial<LtxHeaderFields>): void => {
    const header = makeHeader({ ...good, ...change });
    assert.throws(
      () => checkHeader(header, version),
      (error) =>
        error instanceof LtxFormatError && error.code === 'LTX_HEADER' && error.offset === offset,
      JSON.stringify(Object.keys(change)),
    );
  };
  const noChecksum = toChecksum(0n);
  const noWal = { walOffset: 0, walSize: 0, walSalt1: 0, walSalt2: 0 };

  test('accepts transactions, snapshots and deletions', () => {
    for (const version of [1, 3] as const) {
      checkHeader(makeHeader(good), version);
      checkHeader(makeHeader({ ...good, ...noWal }), version);
      checkHeader(
        makeHeader({ ...good, minTxid: toTxid(1), preApplyChecksum: noChecksum }),
        version,
      );
      checkHeader(makeHeader({ ...good, commit: 0 }), version);
    }
    checkHeader(makeHeader({ ...good, flags: FLAG_LZ4 }), 1);
    checkHeader(makeHeader({ ...good, flags: FLAG_NO_CHECKSUM, preApplyChecksum: noChecksum }), 3);
  });

  test('rejects flags that the version does not have', () => {
    rejects(4, 1, { flags: FLAG_NO_CHECKSUM });
    rejects(4, 3, { flags: FLAG_LZ4 });
    rejects(4, 1, { flags: 4 });
    rejects(4, 3, { flags: 0x80000000 });
  });

  test('rejects page sizes, page counts and TXIDs that are none', () => {
    for (const pageSize of [0, 256, 1000, 131072]) rejects(8, 1, { pageSize });
    for (const commit of [-1, 0.5, 2 ** 32]) rejects(12, 1, { commit });
    for (const timestampMs of [0.5, Number.NaN, 2 ** 53]) rejects(32, 1, { timestampMs });
    for (const nodeId of [-1n, 1n << 64n]) rejects(72, 1, { nodeId });
    rejects(16, 1, { minTxid: toTxid(0) });
    rejects(24, 1, { maxTxid: toTxid(4) });
  });

  test('rejects a pre-apply checksum in a snapshot, and a transaction without', () => {
    rejects(40, 1, { minTxid: toTxid(1) });
    rejects(40, 1, { preApplyChecksum: noChecksum });
    rejects(40, 3, { flags: FLAG_NO_CHECKSUM });
  });

  test('rejects half a place in the WAL in version 1 only', () => {
    rejects(56, 1, { walSize: 0 });
    rejects(56, 1, { walOffset: 0 });
    rejects(64, 1, { walOffset: 0, walSize: 0 });
    for (const walOffset of [-1, 0.5]) rejects(48, 1, { walOffset });
    rejects(56, 3, { walSize: -1 });
    checkHeader(makeHeader({ ...good, walSize: 0 }), 3);
    checkHeader(makeHeader({ ...good, walOffset: 0, walSize: 0 }), 3);
  });
});
