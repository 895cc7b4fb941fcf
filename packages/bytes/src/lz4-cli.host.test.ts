// LZ4 frames against the reference implementation's command.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';

import { ByteFeed } from './byte-feed.ts';
import { Lz4FrameDecoder } from './lz4-frame-decoder.ts';
import { Lz4FrameEncoder } from './lz4-frame-encoder.ts';

function lz4(args: readonly string[], input: Uint8Array): Uint8Array {
  const result = spawnSync('lz4', ['-q', '-c', ...args], { input, maxBuffer: 1 << 26 });
  assert.equal(result.status, 0, result.stderr?.toString());
  return new Uint8Array(result.stdout);
}

const isInstalled = spawnSync('lz4', ['--version']).status === 0;
const skip = isInstalled ? false : 'the lz4 command is not installed';

/** Several blocks of every size up to 1 MiB: text, zeros and noise. */
const content = new Uint8Array(2_500_000).map((_, at) => {
  const kind = (at >>> 14) % 3;
  if (kind === 0) return 0x61 + ((at * 7) % 23);
  return kind === 1 ? 0 : Math.imul(at + 1, 0x9e3779b1) >>> 24;
});

function decode(frame: Uint8Array): Uint8Array {
  const feed = new ByteFeed();
  const decoder = new Lz4FrameDecoder(feed);
  const parts: Uint8Array[] = [];
  feed.give(frame);
  for (let event = decoder.next(); event !== 'end'; event = decoder.next()) {
    assert.equal(event, 'block', 'the frame is whole');
    parts.push(decoder.bytes.slice(decoder.start, decoder.end));
  }
  assert.equal(feed.unused, 0);
  return new Uint8Array(Buffer.concat(parts));
}

describe('lz4, the command', { skip }, () => {
  for (const args of [
    ['-1', '-B4'],
    ['-1', '-B5', '-BD'],
    ['-9', '-B6', '-BX'],
    ['-1', '-B7', '-BD', '-BX', '--content-size'],
    ['-1', '--no-frame-crc'],
  ]) {
    test(`makes frames that Lz4FrameDecoder reads: ${args.join(' ')}`, () => {
      assert.ok(Buffer.from(decode(lz4(['-z', ...args], content))).equals(content));
      assert.deepEqual(decode(lz4(['-z', ...args], new Uint8Array(0))), new Uint8Array(0));
    });
  }

  for (const length of [0, 1, 12, 13, 65_536, 65_537, content.length]) {
    test(`reads frames that Lz4FrameEncoder made of ${length} bytes`, () => {
      const parts: Uint8Array[] = [];
      const encoder = new Lz4FrameEncoder((bytes, start, end) => {
        parts.push(bytes.slice(start, end));
      });
      encoder.begin();
      encoder.write(content, 0, length);
      encoder.finish();
      const decoded = lz4(['-d'], Buffer.concat(parts));
      assert.ok(Buffer.from(decoded).equals(content.subarray(0, length)));
    });
  }
});
