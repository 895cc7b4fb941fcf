// A modest part of the fuzzing, with every run of the unit tests; and the fuzzer itself: a decoder
// that is wrong in a known way must fail.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { FuzzTarget } from '@skein/testkit';

import { judge } from './judge.ts';
import { loadFuzzTargets } from './registry.ts';
import { fuzz, replayCommand } from './run-target.ts';

const SEED = 1;
const COUNT = 2000;

describe('decoders', async () => {
  for (const target of await loadFuzzTargets()) {
    test(`${target.name} decodes its seeds`, () => {
      for (const seed of target.seeds()) assert.doesNotThrow(() => target.decode(seed));
    });

    test(`${target.name} decodes or rejects ${COUNT} malformed inputs`, () => {
      const { failures } = fuzz(target, { seed: SEED, from: 0, count: COUNT });
      for (const { vector, reason } of failures) {
        assert.fail(`${reason}; again: ${replayCommand(target.name, SEED, vector)}`);
      }
    });
  }
});

describe('fuzz()', () => {
  const canary = (decode: FuzzTarget['decode']): FuzzTarget => ({
    name: 'canary',
    seeds: () => [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
    decode,
    isFormatError: (error) => error instanceof RangeError,
  });
  const run = { seed: 1, from: 0, count: 50 };
  const reasonOf = (decode: FuzzTarget['decode']): string | undefined =>
    fuzz(canary(decode), run).failures[0]?.reason;

  test('counts what decodes and what is rejected', () => {
    const target = canary((bytes) => {
      if (bytes.length % 2 === 0) throw new RangeError('even');
      return bytes.length;
    });
    const { decoded, rejected, failures } = fuzz(target, run);
    assert.equal(failures.length, 0);
    assert.equal(decoded + rejected, run.count);
    assert.ok(decoded > 0 && rejected > 0);
  });

  test('finds an error of the wrong kind', () => {
    const reason = reasonOf((bytes) => {
      if (bytes[0] !== 1) throw new TypeError('not prepared for that');
      return 0;
    });
    assert.match(reason ?? '', /throws TypeError: not prepared for that/);
  });

  test('finds a look at what is not the input', () => {
    const reason = reasonOf(({ buffer, byteOffset, length }) => {
      return new Uint8Array(buffer)[byteOffset + length];
    });
    assert.match(reason ?? '', /reads outside/);
  });

  test('finds a change to the input or to what is around it', () => {
    for (const at of [-1, 0]) {
      const reason = reasonOf(({ buffer, byteOffset, length }) => {
        if (length > 0) new Uint8Array(buffer)[byteOffset + at]! ^= 1;
        return 0;
      });
      assert.match(reason ?? '', /changes the input/);
    }
  });

  test('finds a decoder that takes too long', () => {
    const slow = canary(() => {
      const start = performance.now();
      while (performance.now() - start < 30);
      return 0;
    });
    const verdict = judge(slow, Uint8Array.of(1), 20);
    assert.match(verdict.kind === 'failed' ? verdict.reason : '', /takes \d+ ms/);
  });

  test('gives the same vector again by its number', () => {
    const seen = new Map<number, string>();
    let current = 0;
    const target = canary((bytes) => {
      seen.set(current, seen.get(current) ?? bytes.join());
      return 0;
    });
    fuzz(target, run, (vector) => {
      current = vector;
    });
    const expected = seen.get(37);
    seen.clear();
    fuzz(target, { seed: 1, from: 37, count: 1 }, (vector) => {
      current = vector;
    });
    assert.deepEqual([...seen], [[37, expected]]);
  });
});
