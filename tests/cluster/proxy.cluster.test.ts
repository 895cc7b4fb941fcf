// Applications behind their proxies: a write at any door is executed by the primary, a client with
// cookies sees its own writes at any door, and no fault makes a write happen twice or get lost
// after it was acknowledged.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import {
  assertConverged,
  assertHistory,
  type Cluster,
  disturb,
  HISTORY_LIST,
  HISTORY_SCHEMA,
  HistoryRecorder,
  proxyUrl,
  SeededRandom,
} from '@skein/testkit';
import { setTimeout as sleep } from 'node:timers/promises';

import { startAppProcess } from '../lib/app-process.ts';
import { HistoryBrowser } from '../lib/history-browser.ts';
import { replayHint, scaled, SEED } from '../lib/scale.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const CALM_MS = scaled(8000, 60_000);
const FAULTS_MS = scaled(15_000, 120_000);
const TIMEOUT_MS = FAULTS_MS + 120_000;
const BROWSER_COUNT = 4;
const LOOPBACK = '127.0.0.1';

const ROOT = join(import.meta.dirname, '..', '..');
const HISTORY_APP = join(ROOT, 'tests', 'lib', 'history-app.ts');

/** Three nodes with the history app behind each. */
async function startHistoryApps(t: TestContext): Promise<Cluster | undefined> {
  const database = 'history.db';
  const cluster = await startCluster(t, { proxyDatabase: database, timeoutMs: TIMEOUT_MS });
  if (cluster === undefined) return undefined;
  const setUp = await connect(t, cluster.primary.path(database));
  await setUp.exec('PRAGMA journal_mode = wal');
  for (const sql of HISTORY_SCHEMA) await setUp.exec(sql);
  await setUp.kill();
  await assertConverged(cluster.nodes);
  for (const { name } of cluster.nodes) {
    const args = ['--host', LOOPBACK];
    await startAppProcess(t, { cluster, nodeName: name, script: HISTORY_APP, database, args });
  }
  return cluster;
}

/** Browsers at work while `during` goes on, then the judgement. */
async function browse(
  t: TestContext,
  cluster: Cluster,
  during: () => Promise<readonly string[]>,
): Promise<void> {
  const recorder = new HistoryRecorder(() => performance.now());
  const random = new SeededRandom(SEED);
  const browsers = Array.from(
    { length: BROWSER_COUNT },
    (_, index) =>
      new HistoryBrowser({
        name: `browser ${index + 1}`,
        cluster,
        recorder,
        random: random.fork(),
        hasCookies: index > 0,
      }),
  );
  for (const browser of browsers) browser.start();
  const events = await during();
  await Promise.all(browsers.map((browser) => browser.stop()));
  for (const event of events) t.diagnostic(event);
  for (const { statuses } of browsers) t.diagnostic(JSON.stringify(Object.fromEntries(statuses)));
  await cluster.ready();
  await assertConverged(cluster.nodes);
  const client = await connect(t, cluster.primary.path('history.db'));
  const final = (await client.exec(HISTORY_LIST)).flat().map(Number);
  await client.kill();
  // Only answers to writes set the cookie: docs/proxy.md.
  assertHistory({ operations: recorder.operations, final, sessionPromise: 'own-writes' });
  assert(final.length > 50, `Only ${final.length} writes`);
  const readers = new Set(
    recorder.operations.flatMap((each) => (each.kind === 'read' ? [each.node] : [])),
  );
  assert.equal(readers.size, cluster.nodes.length, 'Every node answers reads itself');
}

suite(`Through the proxies: ${replayHint(SEED, 'proxy')}`, () => {
  test('a client sees its own writes at any door', async (t) => {
    const cluster = await startHistoryApps(t);
    if (cluster === undefined) return;
    await browse(t, cluster, async () => {
      await sleep(CALM_MS);
      return [];
    });
  });

  test('no write is lost or executed twice while daemons are killed and frozen', async (t) => {
    const cluster = await startHistoryApps(t);
    if (cluster === undefined) return;
    const random = new SeededRandom(SEED);
    await browse(t, cluster, () => disturb({ cluster, random, durationMs: FAULTS_MS }));
  });

  test('without a primary a write is refused in a way that says so, and reads go on', async (t) => {
    const cluster = await startHistoryApps(t);
    if (cluster === undefined) return;
    await cluster.primary.kill();
    const door = proxyUrl(cluster.place('node2'));
    const write = await fetch(`${door}/write?value=1`, { method: 'POST' });
    assert.equal(write.status, 503);
    assert.equal(write.headers.get('skein-outcome'), 'not-executed');
    assert(Number(write.headers.get('retry-after')) > 0);
    assert.equal((await fetch(`${door}/read`)).status, 200);
    await cluster.primary.start();
    await cluster.ready();
    const again = await fetch(`${door}/write?value=2`, { method: 'POST' });
    assert.equal(again.status, 201);
    assert.partialDeepStrictEqual(await again.json(), { node: 'node1' });
  });
});
