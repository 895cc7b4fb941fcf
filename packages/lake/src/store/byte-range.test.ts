import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseRange } from './byte-range.ts';

test('parseRange() gives what is there of one range, and all for what it does not know', () => {
  const cases: readonly (readonly [string | undefined, ReturnType<typeof parseRange>])[] = [
    ['bytes=0-9', { start: 0, end: 10 }],
    ['bytes=90-', { start: 90, end: 100 }],
    ['bytes=90-1000', { start: 90, end: 100 }],
    ['bytes=-8', { start: 92, end: 100 }],
    ['bytes=-1000', { start: 0, end: 100 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=9-0', undefined],
    ['bytes=0-1,5-6', undefined],
    ['bytes=-', undefined],
    ['lines=0-1', undefined],
    [undefined, undefined],
  ];
  for (const [header, expected] of cases) {
    assert.deepEqual(parseRange(header, 100), expected, header);
  }
  assert.equal(parseRange('bytes=0-0', 0), 'unsatisfiable');
});
