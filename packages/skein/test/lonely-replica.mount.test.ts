// A replica whose primary is not there ends as soon as it is told to, whatever it waits for.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { findMount } from '@skein/fuse';
import { freePorts, requirePart, SOURCE_FLAGS, tempDir, watchMounts } from '@skein/testkit';

import type { ClusterConfig } from '../src/config/cluster-config.ts';
import { startNode } from './test-node.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
/** Ten seconds are promised, on a machine that does nothing else. */
const END_MS_MAX = 30_000;
/** From before the first line of the program has run until after it serves. */
const MOMENTS_MS = [100, 600, 900, 1200, 1600, 2200, 4000];

function lonely(port: number): ClusterConfig {
  return {
    name: 'node2',
    primary: { name: 'node1', urls: [`http://127.0.0.1:${port}/`] },
    listen: { host: '127.0.0.1', port: 0, portCount: 1 },
    advertiseUrl: undefined,
    secret: undefined,
    tls: undefined,
    isInsecure: false,
    compat: undefined,
    databases: undefined,
    isForced: false,
    maxLagMs: 10_000,
    drainMs: 5_000,
  };
}

describe('A replica without a primary', () => {
  test('ends while its command waits for it to catch up, and the command never runs', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    const [port] = await freePorts(1);
    const trace = join(tempDir(t), 'trace');
    const node = await startNode(t, {
      config: { cluster: lonely(port!), exec: [['touch', trace]] },
    });
    const { tookMs, code } = await node.stop();
    assert.ok(tookMs < END_MS_MAX, `It took ${tookMs} ms`);
    assert.equal(code, 0);
    assert.equal(existsSync(trace), false);
  });

  test('leaves no mount behind, at whatever moment of its start it is to end', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    const [port] = await freePorts(1);
    const folder = tempDir(t);
    const url = `http://127.0.0.1:${port}`;
    watchMounts(t, folder, 600_000);
    const mountpoint = join(folder, 'mnt');
    for (const momentMs of MOMENTS_MS) {
      const places = [mountpoint, '--data', join(folder, 'data')];
      const cluster = ['--name', 'node2', '--primary', 'node1', '--primary-url', url];
      const args = [...SOURCE_FLAGS, MAIN, 'mount', ...places, ...cluster];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      const ended = once(child, 'close');
      await sleep(momentMs);
      const startedMs = performance.now();
      child.kill('SIGTERM');
      await ended;
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs < END_MS_MAX, `${tookMs} ms, asked after ${momentMs} ms`);
      assert.equal(findMount(mountpoint), undefined, `asked after ${momentMs} ms`);
    }
  });
});
