// An encoder that lives long: its table counts positions over all blocks and starts again before
// the count overflows, which takes 2 GiB.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { lz4BlockBound } from './lz4-block.ts';
import { Lz4BlockDecoder } from './lz4-block-decoder.ts';
import { Lz4BlockEncoder } from './lz4-block-encoder.ts';

const BLOCK_BYTES = 1 << 20;
const BLOCK_COUNT = 2 ** 31 / BLOCK_BYTES;

describe('Lz4BlockEncoder', () => {
  test('compresses as before when its count of positions starts again', () => {
    const encoder = new Lz4BlockEncoder();
    const decoder = new Lz4BlockDecoder();
    const zeros = new Uint8Array(BLOCK_BYTES);
    const text = Buffer.from(
      'a log of pages is sent to other nodes, other nodes, and read. '.repeat(9),
    );
    const target = new Uint8Array(lz4BlockBound(BLOCK_BYTES));
    const content = new Uint8Array(text.length);
    const expected = new Lz4BlockEncoder().encode(text, 0, text.length, target, 0);
    for (let count = 0; count < BLOCK_COUNT + 2; count += 1) {
      encoder.encode(zeros, 0, BLOCK_BYTES, target, 0);
      const end = encoder.encode(text, 0, text.length, target, 0);
      assert.equal(end, expected);
      assert.equal(decoder.decode(target, 0, end, content, 0), text.length);
      assert.ok(text.equals(content));
    }
  });
});
