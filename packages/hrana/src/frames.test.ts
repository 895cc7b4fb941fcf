import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';

import { type FrameHead, FrameReader, writeFrame } from './frames.ts';

function written(head: FrameHead, body?: Buffer): Buffer {
  const chunks: Buffer[] = [];
  writeFrame({ write: (chunk: Buffer) => chunks.push(chunk) } as unknown as Socket, head, body);
  return Buffer.concat(chunks);
}

describe('FrameReader', () => {
  const first = { request: 7, stream: 0xffff_ffff, kind: 2, flags: 3 };
  const second = { request: 8, stream: 1, kind: 12, flags: 0 };
  const bytes = Buffer.concat([written(first, Buffer.from('one')), written(second)]);

  test('gives what was written, however it comes', () => {
    for (let size = 1; size <= bytes.length; size += 1) {
      const taken: [FrameHead, string][] = [];
      const reader = new FrameReader((head, body) => taken.push([head, body.toString()]));
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      assert.deepEqual(taken, [
        [first, 'one'],
        [second, ''],
      ]);
    }
  });
});
