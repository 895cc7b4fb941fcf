import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageSums } from './page-sums.ts';

test('PageSums keeps what was added, beyond its capacity and from none', () => {
  for (const capacity of [0, 1, 40]) {
    const sums = new PageSums(capacity);
    for (let n = 1; n <= 100; n++) sums.add(n * 3, 0x8000_0000 + n, n);
    assert.equal(sums.count, 100);
    assert.deepEqual([...sums.pgnos.subarray(97)], [294, 297, 300]);
    assert.deepEqual([...sums.checksums.subarray(198)], [100, 0x8000_0064]);
    assert.equal(sums.checksums.length, 200);
  }
});
