import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom } from './seeded-random.ts';

describe('SeededRandom', () => {
  test('gives the same sequence for the same seed, for good: seeds are in bug reports', () => {
    const sequence = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return [random.uint32(), random.uint32(), random.uint32()];
    };
    assert.deepEqual(sequence(1), [2308299391, 1950625580, 354034397]);
    assert.deepEqual(sequence(2 ** 40 + 1), [1195542500, 2120688680, 3144692002]);
    assert.notDeepEqual(sequence(1), sequence(2 ** 32 + 1));
  });

  test('int() reaches both ends and nothing beyond, evenly', () => {
    const random = new SeededRandom(7);
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 7000; draw += 1) {
      const value = random.int(-3, 3);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    assert.deepEqual(
      [...counts.keys()].sort((a, b) => a - b),
      [-3, -2, -1, 0, 1, 2, 3],
    );
    for (const [value, count] of counts) {
      assert.ok(Math.abs(count - 1000) < 150, `${value} came ${count} times of 7000`);
    }
    assert.equal(random.int(5, 5), 5);
    assert.throws(() => random.int(1, 0), /empty/);
  });

  test('bool() follows its probability', () => {
    const random = new SeededRandom(7);
    const share = (probability: number): number =>
      Array.from({ length: 5000 }, () => random.bool(probability)).filter(Boolean).length / 5000;
    assert.equal(share(0), 0);
    assert.equal(share(1), 1);
    assert.ok(Math.abs(share(0.2) - 0.2) < 0.03);
  });

  test('pick() needs something to pick from', () => {
    const random = new SeededRandom(7);
    assert.deepEqual(
      new Set(Array.from({ length: 50 }, () => random.pick('abc'.split('')))).size,
      3,
    );
    assert.throws(() => random.pick([]), /Nothing/);
  });

  test('fill() and bytes() use every value and bit', () => {
    const random = new SeededRandom(7);
    const bytes = random.bytes(5000);
    assert.equal(new Set(bytes).size, 256);
    const before = bytes.slice();
    random.fill(bytes);
    assert.notDeepEqual(bytes, before);
    assert.equal(new Set(bytes).size, 256);
  });

  test('fork() is not shifted by what its parent draws later', () => {
    const [one, other] = [new SeededRandom(7), new SeededRandom(7)];
    const [fork, same] = [one.fork(), other.fork()];
    one.uint32();
    assert.equal(fork.uint32(), same.uint32());
    assert.notEqual(fork.uint32(), one.uint32());
  });
});
