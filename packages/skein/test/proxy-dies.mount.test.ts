// A node whose proxy is gone ends, in order, so that whoever supervises it starts it anew: without
// its door nothing comes to the app, and everything else looks healthy.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { findMount } from '@skein/fuse';
import { freePorts, requirePart, tempDir } from '@skein/testkit';

import { finishProxy } from '../src/config/cluster-draft.ts';
import { eventually } from './eventually.ts';
import { startNode } from './test-node.ts';

/** In the proxy's thread alone, when there is this file. */
const faultAt = (path: string): string => `
import { existsSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
const strike = () => { if (existsSync(${JSON.stringify(path)})) throw new Error('injected'); };
if (workerData?.nodeName !== undefined) setInterval(strike, 20).unref();
`;

test('A node whose proxy is gone ends its command and unmounts', async (t) => {
  if (!requirePart(t, 'fuse', 'root')) return;
  const [port, appPort] = await freePorts(2);
  const host = '127.0.0.1';
  const draft = { address: { host, port: port! }, target: { host, port: appPort! } };
  const folder = tempDir(t);
  const [pidFile, order] = [join(folder, 'pid'), join(folder, 'order')];
  const node = await startNode(t, {
    preload: new URL(`data:text/javascript,${encodeURIComponent(faultAt(order))}`),
    config: {
      proxy: finishProxy(draft, undefined).config,
      exec: [['sh', '-c', `echo $$ > ${pidFile}; exec sleep 100`]],
    },
  });
  await eventually('the command runs', () => existsSync(pidFile));
  writeFileSync(order, '');
  const { code } = await node.ended();
  assert.equal(code, 1);
  assert.match(node.log, /PROXY_FAILED: The proxy has ended: injected/);
  assert.equal(findMount(node.mountpoint), undefined);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
