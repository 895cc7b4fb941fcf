import assert from 'node:assert/strict';
import { test } from 'node:test';

import { shareCalls } from './shared-calls.ts';

interface Call {
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

function startSharing(): { readonly ask: () => Promise<void>; readonly calls: Call[] } {
  const calls: Call[] = [];
  const ask = shareCalls(() => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    calls.push({ end: resolve, fail: reject });
    return promise;
  });
  return { ask, calls };
}

test('shareCalls() answers who asks during a call by one that begins after it', async () => {
  const { ask, calls } = startSharing();
  const first = ask();
  let answeredCount = 0;
  const others = [1, 2, 3].map(() => ask().then(() => (answeredCount += 1)));
  assert.equal(calls.length, 1);
  calls[0]!.end();
  await first;
  await Promise.resolve();
  assert.equal(calls.length, 2);
  assert.equal(answeredCount, 0);
  calls[1]!.end();
  await Promise.all(others);
  const last = ask();
  assert.equal(calls.length, 3);
  calls[2]!.end();
  await last;
});

test('shareCalls() goes on after a call that fails', async () => {
  const { ask, calls } = startSharing();
  const [first, second] = [ask(), ask()];
  calls[0]!.fail(new Error('gone'));
  await assert.rejects(first, /gone/);
  calls[1]!.end();
  await second;
});
