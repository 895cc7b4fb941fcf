import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import type { Position } from '../node-view.ts';
import {
  formatPositions,
  isNothing,
  isReached,
  mergePositions,
  NO_POSITIONS,
  onePosition,
  parsePositions,
  type Positions,
  POSITIONS_COUNT_MAX,
  POSITIONS_LENGTH_MAX,
} from './positions.ts';

function positions(...entries: readonly (readonly [string, number, number])[]): Positions {
  const all = entries.map(([name, epoch, txid]) => [name, { epoch, txid: BigInt(txid) }] as const);
  return { byDatabase: new Map(all), isPartial: false };
}

const anyPosition: fc.Arbitrary<Position> = fc
  .tuple(fc.nat(5), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
  .map(([epoch, txid]) => ({ epoch, txid }));
const anyName = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' });
const anyPositions: fc.Arbitrary<Positions> = fc
  .array(fc.tuple(anyName, anyPosition), { maxLength: 40 })
  .map((entries) =>
    mergePositions(NO_POSITIONS, { byDatabase: new Map(entries), isPartial: false }),
  );

describe('parsePositions()', () => {
  test('reads what formatPositions() writes', () => {
    fc.assert(
      fc.property(anyPositions, (given) => {
        const text = formatPositions(given);
        assert.ok(text.length <= POSITIONS_LENGTH_MAX);
        // What may stand in a cookie (RFC 6265, section 4.1.1) and in any header.
        assert.match(text, /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/);
        assert.deepEqual(parsePositions(text), given);
      }),
    );
  });

  test('reads the format that clients keep', () => {
    const text = '1&3:1a2b:app.db&2:7:a%20b%3Ac';
    assert.deepEqual(parsePositions(text), positions(['app.db', 3, 0x1a2b], ['a b:c', 2, 7]));
    assert.equal(parsePositions('1&*&3:1:a').isPartial, true);
  });

  test('takes nothing from what is malformed', () => {
    const malformed = [
      '',
      '2&3:1:a',
      '1&3:1',
      '1&3:1:',
      '1&-3:1:a',
      '1&3:1A:a',
      '1&3:11112222333344445:a',
      '1&1e3:1:a',
      '1&3:1:a&',
      '1&3:1:%zz',
      '1&3:1:a&*',
      `1&3:1:${'a'.repeat(POSITIONS_LENGTH_MAX)}`,
      ['1', ...Array.from({ length: POSITIONS_COUNT_MAX + 1 }, (_, i) => `1:1:${i}`)].join('&'),
    ];
    for (const text of malformed) assert.deepEqual(parsePositions(text), NO_POSITIONS, text);
    fc.assert(fc.property(fc.string(), (text) => void parsePositions(text)));
  });

  test('of two entries for a database the later one counts', () => {
    assert.deepEqual(parsePositions('1&2:5:a&2:3:a'), positions(['a', 2, 5]));
  });
});

describe('mergePositions()', () => {
  test('never goes back within an epoch, and a higher epoch wins', () => {
    const old = positions(['a', 2, 9], ['b', 2, 3], ['c', 1, 9]);
    const merged = mergePositions(old, positions(['a', 2, 5], ['b', 2, 4], ['c', 2, 1]));
    const expected = positions(['a', 2, 9], ['b', 2, 4], ['c', 2, 1]);
    assert.deepEqual(merged.byDatabase, expected.byDatabase);
  });

  test('comes to the same from both sides', () => {
    fc.assert(
      fc.property(anyPositions, anyPositions, (a, b) => {
        const [ab, ba] = [mergePositions(a, b), mergePositions(b, a)];
        if (ab.isPartial || ba.isPartial) return;
        assert.deepEqual(ab.byDatabase, ba.byDatabase);
      }),
    );
  });

  test('says so when there is no room, and keeps the newest', () => {
    const many = (prefix: string, count: number): Positions =>
      positions(...Array.from({ length: count }, (_, i) => [`${prefix}${i}`, 1, 1] as const));
    const merged = mergePositions(many('old', POSITIONS_COUNT_MAX), many('new', 2));
    assert.equal(merged.isPartial, true);
    assert.equal(merged.byDatabase.size, POSITIONS_COUNT_MAX);
    assert.ok(merged.byDatabase.has('new1'));
    const long = mergePositions(NO_POSITIONS, many('x'.repeat(300), POSITIONS_COUNT_MAX));
    assert.equal(long.isPartial, true);
    assert.ok(formatPositions(long).length <= POSITIONS_LENGTH_MAX);
  });
});

test('onePosition() is something, and knows one database', () => {
  const one = onePosition('a', { epoch: 2, txid: 5n });
  assert.deepEqual(one, positions(['a', 2, 5]));
  assert.ok(!isNothing(one) && isNothing(NO_POSITIONS));
  assert.ok(!isNothing({ ...NO_POSITIONS, isPartial: true }));
});

describe('isReached()', () => {
  const wanted = { epoch: 2, txid: 5n };
  const cases: readonly (readonly [string, Position | undefined, boolean])[] = [
    ['the same', { epoch: 2, txid: 5n }, true],
    ['more', { epoch: 2, txid: 6n }, true],
    ['less', { epoch: 2, txid: 4n }, false],
    ['nothing', undefined, false],
    ['more of an old epoch, which may have been lost', { epoch: 1, txid: 9n }, false],
    ['a new epoch, before its first transaction has come', { epoch: 3, txid: 4n }, false],
    ['a new epoch and as much', { epoch: 3, txid: 5n }, true],
  ];
  for (const [name, actual, expected] of cases) {
    test(`${name}: ${expected}`, () => assert.equal(isReached(wanted, actual), expected));
  }
});
