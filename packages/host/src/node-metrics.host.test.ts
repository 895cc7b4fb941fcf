import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { NodeMetrics, readMetrics } from './node-metrics.ts';

test('readMetrics() sees from another thread what is counted, asking nobody', async () => {
  const metrics = new NodeMetrics();
  const counter = metrics.counter('skein_total', 'Help');
  counter.add(41);
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ readMetrics }) => {
      parentPort.on('message', () => parentPort.postMessage(readMetrics(workerData.buffer)));
    });
  `;
  const module = new URL('node-metrics.ts', import.meta.url).href;
  const worker = new Worker(script, { eval: true, workerData: { module, buffer: metrics.buffer } });
  const ask = (): Promise<ReturnType<typeof readMetrics>> => {
    worker.postMessage('read', []);
    return new Promise((resolve) => worker.once('message', resolve));
  };
  try {
    assert.equal((await ask()).at(-1)!.value, 41);
    counter.add(1);
    metrics.gauge('skein_lag', 'Help').set(7);
    assert.deepEqual(await ask(), readMetrics(metrics.buffer));
    assert.deepEqual(
      (await ask()).map(({ value }) => value),
      [0, 42, 7],
    );
  } finally {
    await worker.terminate();
  }
});
