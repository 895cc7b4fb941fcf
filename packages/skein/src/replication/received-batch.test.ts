import assert from 'node:assert/strict';
import { test } from 'node:test';

import { packBatch, unpackBatch } from './received-batch.ts';

test('a batch brings over what went in, in memory of its own', () => {
  const memory = Uint8Array.from({ length: 100 }, (_, n) => n);
  const transactions = [
    { database: 'a.db', epoch: 1, bytes: memory.subarray(10, 20) },
    { database: 'b.db', epoch: 2, bytes: memory.subarray(20, 20) },
    { database: 'a.db', epoch: 2, bytes: memory.subarray(40, 41) },
  ];
  const batch = packBatch(transactions);
  assert.equal(batch.bytes.buffer.byteLength, 11);
  assert.deepEqual(unpackBatch(structuredClone(batch)), transactions);
  memory.fill(0);
  assert.equal(unpackBatch(batch)[2]!.bytes[0], 40);
});
