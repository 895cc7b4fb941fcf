import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import {
  formatHex64,
  maybeParseHex64,
  readU32be,
  readU32le,
  readU64be,
  readU64le,
  u64FromHalves,
  u64Hi,
  u64Lo,
  writeU32be,
  writeU32le,
  writeU64be,
  writeU64le,
} from './u64.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const u32 = fc.nat(0xffffffff);

describe('fixed-width integers', () => {
  test('are written and read as DataView does', () => {
    fc.assert(
      fc.property(u64, u32, fc.nat(8), (long, short, offset) => {
        const bytes = new Uint8Array(new ArrayBuffer(32), 5, 20);
        const view = new DataView(bytes.buffer, 5);
        writeU64be(bytes, offset, long);
        assert.equal(view.getBigUint64(offset, false), long);
        assert.equal(readU64be(bytes, offset), long);
        writeU64le(bytes, offset, long);
        assert.equal(view.getBigUint64(offset, true), long);
        assert.equal(readU64le(bytes, offset), long);
        writeU32be(bytes, offset, short);
        assert.equal(view.getUint32(offset, false), short);
        assert.equal(readU32be(bytes, offset), short);
        writeU32le(bytes, offset, short);
        assert.equal(view.getUint32(offset, true), short);
        assert.equal(readU32le(bytes, offset), short);
      }),
    );
  });

  test('are refused outside of the array, even where its buffer goes on', () => {
    const bytes = new Uint8Array(new ArrayBuffer(32), 8, 8);
    for (const read of [readU64be, readU64le]) {
      assert.throws(() => read(bytes, 1), { code: 'ASSERTION_FAILED' });
      assert.throws(() => read(bytes, -1), { code: 'ASSERTION_FAILED' });
    }
    for (const write of [writeU32be, writeU32le]) {
      assert.throws(() => write(bytes, 5, 0), { code: 'ASSERTION_FAILED' });
    }
  });

  test('split into halves and join again', () => {
    fc.assert(
      fc.property(u64, (value) => {
        assert.equal(u64FromHalves(u64Hi(value), u64Lo(value)), value);
        assert.equal(u64FromHalves(u64Hi(value) | 0, u64Lo(value) | 0), value, 'signed halves');
      }),
    );
  });
});

describe('formatHex64()', () => {
  test('gives sixteen lowercase digits that maybeParseHex64() reads back', () => {
    fc.assert(
      fc.property(u64, (value) => {
        const text = formatHex64(value);
        assert.match(text, /^[0-9a-f]{16}$/);
        assert.equal(maybeParseHex64(text), value);
      }),
    );
  });
});

describe('maybeParseHex64()', () => {
  test('takes nothing but sixteen lowercase digits', () => {
    const good = '00000000000000ff';
    assert.equal(maybeParseHex64(good), 255n);
    for (const bad of ['', 'ff', `${good}0`, ` ${good}`, `${good}\n`, good.toUpperCase()]) {
      assert.equal(maybeParseHex64(bad), undefined, JSON.stringify(bad));
    }
    assert.equal(maybeParseHex64('0x000000000000ff'), undefined);
  });
});
