import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';

import { SimClock } from '@skein/testkit';

import { formatProgress, showProgress } from './progress.ts';

const MIB = 1024 * 1024;

/** What a transfer of ten steps shows that takes `stepMs` each. */
function show(stepMs: number, options: { isTTY?: boolean; isQuiet?: boolean } = {}): string {
  const { isTTY = false, isQuiet = false } = options;
  const stderr = Object.assign(new PassThrough(), { isTTY });
  const clock = new SimClock();
  const progress = showProgress({ stderr }, 'Importing a.db', isQuiet, clock);
  for (let step = 1; step <= 10; step += 1) {
    clock.advance(stepMs);
    progress.update(step * MIB, 10 * MIB);
  }
  progress.end();
  return String(stderr.read() ?? '');
}

describe('showProgress()', () => {
  test('writes a line now and then where there is no terminal', () => {
    assert.deepEqual(show(2000).trimEnd().split('\n'), [
      'Importing a.db: 3.00 MiB of 10.0 MiB, 30 %',
      'Importing a.db: 6.00 MiB of 10.0 MiB, 60 %',
      'Importing a.db: 9.00 MiB of 10.0 MiB, 90 %',
    ]);
  });

  test('draws a bar on a terminal, and takes it away at the end', () => {
    const lines = show(100, { isTTY: true }).split('\r\u001B[2K');
    assert.equal(lines.length, 12);
    const bar = `[${'#'.repeat(9)}${'.'.repeat(21)}]`;
    assert.equal(lines[3], `${bar} Importing a.db: 3.00 MiB of 10.0 MiB, 30 %`);
    assert.equal(lines.at(-1), '');
  });

  test('says nothing of what is soon over, or when told to be quiet', () => {
    assert.equal(show(1), '');
    assert.equal(show(1, { isTTY: true }), '');
    assert.equal(show(10_000, { isQuiet: true, isTTY: true }), '');
  });
});

describe('formatProgress()', () => {
  test('does without a total that nobody knows', () => {
    assert.equal(formatProgress(5 * MIB, Number.NaN), '5.00 MiB');
    assert.equal(formatProgress(0, 0), '0 B');
  });
});
