import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { onTestEnd, tempDir, testBackgroundIo } from '@skein/testkit';

import { nodeDisk } from './node-disk.ts';
import { NodeBackgroundIo } from './node-background-io.ts';
import { createEventfd, drainEventfd, Poller } from './syscalls/descriptors.ts';

function create(t: TestContext): { background: NodeBackgroundIo; folder: string; wakeFd: number } {
  const folder = tempDir(t);
  const wakeFd = createEventfd();
  const background = new NodeBackgroundIo({ wakeFd });
  onTestEnd(t, () => {
    background.close();
    closeSync(wakeFd);
  });
  return { background, folder, wakeFd };
}

testBackgroundIo('NodeBackgroundIo', (t) => {
  const { background, folder } = create(t);
  return { disk: nodeDisk, folder, background, settle: () => background.settle() };
});

describe('NodeBackgroundIo', () => {
  test('wakes a thread that blocks in poll and never turns its event loop', (t) => {
    const { background, folder, wakeFd } = create(t);
    const poller = new Poller([wakeFd]);
    const file = nodeDisk.open('test.open', `${folder}/a`, 'create');
    const reported: number[] = [];
    for (const job of [1, 2, 3]) background.sync('test.sync', file, () => reported.push(job));
    while (reported.length < 3) {
      assert.ok(poller.wait(60_000), 'nobody woke the engine');
      assert.ok(drainEventfd(wakeFd));
      background.drain();
    }
    assert.equal(background.drain(), 0);
    file.close();
  });

  test('close() waits for the jobs and for those that their reports request', (t) => {
    const folder = tempDir(t);
    const background = new NodeBackgroundIo();
    const file = nodeDisk.open('test.open', `${folder}/a`, 'create');
    const order: string[] = [];
    background.fill('test.fill', file, { from: 0, to: 5_000_000 }, () => {
      order.push('fill');
      background.sync('test.sync', file, () => order.push('sync'));
    });
    background.close();
    assert.deepEqual(order, ['fill', 'sync']);
    assert.equal(background.waitingCount, 0);
    assert.throws(() => background.sync('test.sync', file, () => {}), /after it was closed/);
    assert.throws(() => background.close(), /closed twice/);
    file.close();
  });

  test('a file cannot be closed under a job: its number would soon be another file', (t) => {
    const { background, folder } = create(t);
    const file = nodeDisk.open('test.open', `${folder}/a`, 'create');
    background.sync('test.sync', file, () => {});
    assert.throws(() => file.close(), /background jobs/);
    background.settle();
    file.close();
    assert.throws(() => background.sync('test.sync', file, () => {}), /after it was closed/);
  });

  test('a worker that dies of a bug is noticed, not waited for', (t) => {
    // In a process of its own, which the bug ends.
    const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      import { NodeBackgroundIo } from ${url('node-background-io.ts')};
      import { NodeFile } from ${url('node-disk.ts')};
      const background = new NodeBackgroundIo();
      background.sync('test.sync', new NodeFile('/a', NaN), () => {});
      background.settle();
    `;
    const path = join(tempDir(t), 'script.mjs');
    writeFileSync(path, script);
    const args = [...process.execArgv, path];
    const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
    assert.equal(child.status, 1);
    assert.match(child.stderr, /The background worker ended before its jobs did/);
  });

  test('refuses a file of another disk', (t) => {
    const { background } = create(t);
    const stranger = { path: '/a', fd: 1 } as unknown as ReturnType<typeof nodeDisk.open>;
    assert.throws(() => background.sync('test.sync', stranger, () => {}), /another disk/);
  });
});
