import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { formatDuration, formatSize, parseDuration, parseSize } from './quantities.ts';

describe('parseDuration()', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['0s', 0],
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['7d', 604_800_000],
    ['1m1ms', 60_001],
  ];
  for (const [text, ms] of cases) {
    test(`reads ${text}`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of ['', '10', '-1m', '10 m', '1h 30m', 'm', '10parsecs', '1e3s', '.5s', '10M']) {
    test(`rejects ${JSON.stringify(text)} and shows how to write it`, () => {
      assert.throws(() => parseDuration(text), { name: 'RangeError', message: /10m or 1h30m/ });
    });
  }

  test('rejects what no number holds exactly', () => {
    assert.throws(() => parseDuration('999999999999d'), /too large/);
  });

  test('reads what formatDuration() writes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)),
    );
  });

  test('returns a number or throws RangeError, whatever the text', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[\d.dhms ]{0,12}$/));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          assert.ok(Number.isSafeInteger(parseDuration(text)));
        } catch (error) {
          assert.ok(error instanceof RangeError);
        }
      }),
    );
  });
});

describe('parseSize()', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['4096', 4096],
    ['4096B', 4096],
    ['64MiB', 67_108_864],
    ['64 MiB', 67_108_864],
    ['1.5GB', 1_500_000_000],
    ['2KiB', 2048],
    ['2kB', 2000],
    ['1TiB', 1_099_511_627_776],
  ];
  for (const [text, bytes] of cases) {
    test(`reads ${text}`, () => assert.equal(parseSize(text), bytes));
  }

  // 64M is a million of something to some and 2^20 to others.
  for (const text of ['', '64M', '64mib', '-1', '1e6', 'MiB', '1KB', '1 000', '64MiBB']) {
    test(`rejects ${JSON.stringify(text)} and shows how to write it`, () => {
      assert.throws(() => parseSize(text), { name: 'RangeError', message: /64MiB, 1GB or 4096/ });
    });
  }

  test('reads whole numbers of any unit exactly', () => {
    const units = fc.constantFrom(
      { name: 'B', bytes: 1 },
      { name: 'KiB', bytes: 1024 },
      { name: 'MiB', bytes: 1024 ** 2 },
      { name: 'MB', bytes: 1e6 },
    );
    fc.assert(
      fc.property(fc.nat(1_000_000), units, (count, { name, bytes }) => {
        assert.equal(parseSize(`${count}${name}`), count * bytes);
      }),
    );
  });
});

describe('formatSize()', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [10_240, '10.0 KiB'],
    [1_048_575, '1.00 MiB'],
    [1_572_864, '1.50 MiB'],
    [104_857_600, '100 MiB'],
    [5 * 1024 ** 5, '5120 TiB'],
  ];
  for (const [bytes, text] of cases) {
    test(`writes ${bytes} as ${text}`, () => assert.equal(formatSize(bytes), text));
  }
});
