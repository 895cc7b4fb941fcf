import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { PageMap } from './page-map.ts';

/** Neighbours, and numbers that differ in their high bits only. */
const pgno = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 0xffff_fffe }),
  fc.integer({ min: 1, max: 16 }).map((n) => n * 0x0100_0000),
);

const change = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(pgno, fc.integer({ min: 0, max: 0xffff_fffe })) },
  { weight: 1, arbitrary: fc.constant('clear' as const) },
);

describe('PageMap', () => {
  test('is a Map', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 600 }), fc.array(pgno), (changes, others) => {
        const map = new PageMap();
        const model = new Map<number, number>();
        for (const each of changes) {
          if (each === 'clear') {
            map.clear();
            model.clear();
          } else {
            map.set(...each);
            model.set(...each);
          }
        }
        assert.equal(map.size, model.size);
        for (const key of [...model.keys(), ...others]) {
          assert.equal(map.get(key), model.get(key) ?? -1);
          assert.equal(map.has(key), model.has(key));
        }
        const sorted = [...model.keys()].sort((a, b) => a - b);
        assert.deepEqual([...map.sortedPages()], sorted);
        assert.deepEqual([...map.sortedPages(new Uint32Array(700))], sorted);
      }),
    );
  });
});
