import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '@skein/testkit';

import { Results } from './results.ts';
import type { Verdict } from './verdict.ts';

function verdict(file: string, testCount: number): Verdict {
  return { file, end: 'ended', testCount, errorCount: 0, failed: [], durationMs: 1 };
}

test('Results keeps verdicts from run to run, the last about a file', (t) => {
  const path = join(tempDir(t), 'bare.jsonl');
  const first = new Results(path);
  first.add(verdict('a', 1));
  first.add(verdict('b', 1));
  first.add(verdict('a', 2));
  const second = new Results(path);
  assert.deepEqual(second.get('a'), verdict('a', 2));
  assert(second.has('b') && !second.has('c'));
});

test('Results passes over a line that an interruption cut off', (t) => {
  const path = join(tempDir(t), 'bare.jsonl');
  new Results(path).add(verdict('a', 1));
  appendFileSync(path, '{"file":"b","en');
  const next = new Results(path);
  assert(next.has('a') && !next.has('b'));
  next.add(verdict('c', 1));
  assert(new Results(path).has('c'));
});

test('Results forgets what is to be run again', (t) => {
  const path = join(tempDir(t), 'mount.jsonl');
  const first = new Results(path);
  first.add(verdict('a', 1));
  first.add(verdict('b', 1));
  first.remove(['a', 'c']);
  const second = new Results(path);
  assert(!second.has('a') && second.has('b'));
});
