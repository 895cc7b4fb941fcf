import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HistoryRecorder } from './history-recorder.ts';
import { glimpseOf } from './sample-history.ts';

function recorder(): HistoryRecorder {
  let ms = 0;
  return new HistoryRecorder(() => (ms += 1));
}

test('HistoryRecorder gives each write a value of its own and keeps when it was', async () => {
  const history = recorder();
  const values: number[] = [];
  for (const outcome of ['acknowledged', 'failed'] as const) {
    await history.write({ client: 'c' }, async (value) => {
      values.push(value);
      return { outcome };
    });
  }
  assert.deepEqual(values, [1, 2]);
  assert.deepEqual(history.operations, [
    { kind: 'write', client: 'c', value: 1, outcome: 'acknowledged', startMs: 1, endMs: 2 },
    { kind: 'write', client: 'c', value: 2, outcome: 'failed', startMs: 3, endMs: 4 },
  ]);
});

test('A write that throws has an unknown outcome', async () => {
  const history = recorder();
  const write = history.write({ client: 'c' }, async () => {
    throw new Error('The client was killed');
  });
  await assert.rejects(write, /killed/);
  const [operation] = history.operations;
  assert(operation?.kind === 'write' && operation.outcome === 'unknown');
});

test('A read is kept with where it was, unless it failed', async () => {
  const history = recorder();
  const place = { client: 'c', node: 'node2', isPrimary: false };
  const seen = glimpseOf([1]);
  assert.deepEqual(await history.read(place, async () => seen), seen);
  const failing = history.read(place, async () => {
    throw new Error('SQLITE_BUSY');
  });
  await assert.rejects(failing, /BUSY/);
  assert.deepEqual(history.operations, [{ kind: 'read', ...place, seen, startMs: 1, endMs: 2 }]);
});
