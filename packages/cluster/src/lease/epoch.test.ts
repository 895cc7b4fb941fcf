import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { nextEpoch } from './epoch.ts';

const epochs = fc.integer({ min: 0, max: 2 ** 50 });
const nodeIds = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('nextEpoch()', () => {
  test('is above what was seen, and below what the next node makes of it', () => {
    fc.assert(
      fc.property(epochs, nodeIds, nodeIds, (seen, one, other) => {
        const first = nextEpoch(seen, one);
        assert.ok(first > seen);
        assert.ok(nextEpoch(first, other) > first);
      }),
    );
  });

  test('differs between two nodes that have seen the same', () => {
    assert.notEqual(nextEpoch(1, 0x1234n), nextEpoch(1, 0x1235n));
    assert.equal(nextEpoch(1, 0x1234n), 0x1_1234);
    // Ids that differ in their upper half alone.
    assert.notEqual(nextEpoch(1, 1n << 63n), nextEpoch(1, 0n));
  });

  test('ends rather than lose digits', () => {
    assert.throws(() => nextEpoch(Number.MAX_SAFE_INTEGER, 0n), /no more terms/);
    assert.throws(() => nextEpoch(2 ** 53, 0n), /whole number/);
    assert.throws(() => nextEpoch(-1, 0n), /whole number/);
  });
});
