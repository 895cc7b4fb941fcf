import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { compare, type Comparison, formatDifferences, summarize } from './comparison.ts';
import type { Verdict } from './verdict.ts';

function verdict(file: string, failed: readonly string[] = []): Verdict {
  return { file, end: 'ended', testCount: 10, errorCount: failed.length, failed, durationMs: 1 };
}

function equal(count: number): Comparison[] {
  return Array.from({ length: count }, (_, i) => compare(verdict(`${i}`), verdict(`${i}`), {}));
}

const differing = compare(verdict('a'), verdict('a', ['a-1']), {});
const explained = compare(verdict('b'), verdict('b', ['b-1']), { b: 'writes garbage' });

describe('summarize()', () => {
  test('passes when all files that differ have a reason and enough are equal', () => {
    const summary = summarize([...equal(9), explained]);
    assert.equal(summary.equalShare, 0.9);
    assert.equal(summary.isPassed, true);
    assert.deepEqual([summary.testCount, summary.equalTestCount], [100, 90]);
  });

  test('fails when too many differ, whatever their reasons', () => {
    assert.equal(summarize([...equal(8), explained]).isPassed, false);
  });

  test('fails when one differs without a reason', () => {
    const summary = summarize([...equal(99), differing]);
    assert.deepEqual(summary.unexplained, ['a']);
    assert.equal(summary.isPassed, false);
  });

  test('names a reason that is not needed', () => {
    const needless = compare(verdict('c'), verdict('c'), { c: 'writes garbage' });
    assert.deepEqual(summarize([needless]).needless, ['c']);
  });
});

describe('formatDifferences()', () => {
  test('shows what differs, with its reason or the tests that failed', () => {
    const text = formatDifferences([...equal(2), differing, explained]);
    const [, first, second] = text.split('\n');
    assert.match(first!, /^a +10 +1 failed of 10 +NO REASON KNOWN: a-1$/);
    assert.match(second!, /^b +10 +1 failed of 10 +writes garbage$/);
  });

  test('is empty when nothing differs', () => {
    assert.equal(formatDifferences(equal(2)), '');
  });
});
