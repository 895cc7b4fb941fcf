import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RecordingLog, tempDir } from '@skein/testkit';

import { BlockCache, contentName } from './block-cache.ts';

const MAX_BYTES = 5000;

test('A cache is within its bound also while a block takes the place of several', async (t) => {
  const options = { folder: tempDir(t), maxBytes: MAX_BYTES, log: new RecordingLog() };
  const cache = await BlockCache.open(options);
  const content = contentName('an object');
  for (let index = 0; index < 8; index += 1) {
    await cache.put({ content, index }, Buffer.alloc(500, 'x'));
  }
  const puts = [8, 9].map((index) => {
    const put = cache.put({ content, index }, Buffer.alloc(3000, 'x'));
    assert.ok(cache.figures.bytes <= MAX_BYTES, `${cache.figures.bytes} bytes`);
    return put;
  });
  await Promise.all(puts);
  assert.equal(cache.has({ content, index: 9 }), true);
  await cache.close();
});
