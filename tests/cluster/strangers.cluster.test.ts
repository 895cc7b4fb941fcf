// Who does not belong to the cluster is refused with a reason, and nothing of it is applied, kept
// or leaked: another cluster's replica, a wrong secret, and bytes of all sorts on the node's port.

import assert from 'node:assert/strict';
import { connect as connectTcp, type Socket } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  assertConverged,
  type Cluster,
  onTestEnd,
  residentBytes,
  SeededRandom,
  waitUntil,
} from '@skein/testkit';

import { replayHint, SEED } from '../lib/scale.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const TIMEOUT_MS = 20_000;
const MEMORY_GROWTH_MAX = 100_000_000;
/** A client that says nothing is sent away within this time. */
const IDLE_MAX_MS = 60_000;
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Two clusters that know nothing of each other, a node each. */
async function twoClusters(t: TestContext): Promise<[Cluster, Cluster] | undefined> {
  const first = await startCluster(t, { names: ['node1'] });
  if (first === undefined) return undefined;
  const second = await startCluster(t, { names: ['other1'] });
  if (second === undefined) return undefined;
  return [first, second];
}

async function createTable(t: TestContext, cluster: Cluster): Promise<void> {
  const client = await connect(t, cluster.primary.path('a.db'));
  await client.exec('CREATE TABLE IF NOT EXISTS t (v)');
  await client.exec('INSERT INTO t VALUES (1)');
  await client.kill();
}

function open(t: TestContext, cluster: Cluster): Socket {
  const { host, apiPort } = cluster.place(cluster.primary.name);
  const socket = connectTcp(apiPort, host);
  // It is the node's right to reset it.
  socket.on('error', () => undefined);
  socket.resume();
  onTestEnd(t, () => void socket.destroy());
  return socket;
}

suite(`Strangers: ${replayHint(SEED, 'strangers')}`, () => {
  test('a node of another cluster is refused, and keeps its data', async (t) => {
    const clusters = await twoClusters(t);
    if (clusters === undefined) return;
    const [first, second] = clusters;
    await createTable(t, first);
    await createTable(t, second);
    const before = await second.primary.positions();
    const stranger = second.primary;
    await stranger.stop();
    // It is told to follow the primary of the first cluster.
    const own = second.configOf('other1', 'other1')['cluster'];
    const { 'primary-url': url } = first.configOf('node1', 'node1')['cluster']!;
    await stranger.start({ cluster: { ...own, primary: 'node1', 'primary-url': url } });
    const isSaid = (): boolean => /cluster id/i.test(stranger.log);
    await waitUntil('the stranger says why it is refused', isSaid, TIMEOUT_MS);
    assert.deepEqual(await stranger.positions(), before);
  });

  test('a node with another secret is refused, and gets nothing', async (t) => {
    const cluster = await startCluster(t, { names: ['node1', 'node2'], isIdle: true });
    if (cluster === undefined) return;
    const [primary, stranger] = [cluster.node('node1'), cluster.node('node2')];
    await primary.start();
    await createTable(t, cluster);
    const { cluster: own } = cluster.configOf('node2', 'node1');
    await stranger.start({ cluster: { ...own, secret: 'another-secret-of-some-length' } });
    const isSaid = (): boolean => /PEER_AUTHENTICATION|secret/i.test(primary.log);
    await waitUntil('the primary says whom it refuses', isSaid, TIMEOUT_MS);
    assert.equal((await stranger.positions()).size, 0);
    assert.doesNotMatch(primary.log + stranger.log, /another-secret-of-some-length/);
  });

  test('bytes of all sorts do no harm', async (t) => {
    const cluster = await startCluster(t, { names: ['node1', 'node2'] });
    if (cluster === undefined) return;
    const random = new SeededRandom(SEED);
    const memoryBefore = residentBytes(cluster.primary.pid);
    for (let round = 0; round < 200; round += 1) {
      const socket = open(t, cluster);
      if (random.bool()) socket.write(HTTP2_PREFACE);
      if (random.bool(0.3)) socket.write('POST /stream HTTP/1.1\r\nHost: x\r\n');
      socket.write(random.bytes(random.int(1, 20_000)));
      if (random.bool(0.8)) socket.end();
    }
    await createTable(t, cluster);
    await assertConverged(cluster.nodes);
    const grownBytes = residentBytes(cluster.primary.pid) - memoryBefore;
    assert(grownBytes < MEMORY_GROWTH_MAX, `${grownBytes} bytes more`);
  });

  test('clients that send a byte now and then are sent away', async (t) => {
    const cluster = await startCluster(t, { names: ['node1', 'node2'] });
    if (cluster === undefined) return;
    const sockets = Array.from({ length: 100 }, () => open(t, cluster));
    const slow = new TextEncoder().encode(
      'POST /stream HTTP/1.1\r\nX-Header: aaaaaaaaaaaaaaaaaaaaaaaa',
    );
    const startMs = performance.now();
    for (let i = 0; sockets.some((socket) => !socket.closed); i += 1) {
      assert(performance.now() - startMs < IDLE_MAX_MS, 'They are still connected');
      for (const socket of sockets) {
        if (!socket.closed) socket.write(slow.subarray(i % slow.length, (i % slow.length) + 1));
      }
      await sleep(500);
      if (i % 10 > 0) continue;
      await createTable(t, cluster);
      await assertConverged(cluster.nodes);
    }
  });
});
