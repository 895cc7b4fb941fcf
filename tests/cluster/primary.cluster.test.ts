// Who leads: a name in every configuration. A change of it loses nothing; while two nodes name
// different ones nobody accepts writes; a node that is behind does not lead.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { assertConverged, type Cluster, type ClusterNode, waitUntil } from '@skein/testkit';

import { scaled } from '../lib/scale.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const TIMEOUT_MS = 30_000;

/** So many rows of one transaction each, acknowledged by the node. */
async function writeRows(t: TestContext, node: ClusterNode, count: number): Promise<void> {
  const client = await connect(t, node.path('a.db'));
  await client.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v)');
  for (let i = 0; i < count; i += 1) await client.exec('INSERT INTO t (v) VALUES (?)', [i]);
  await client.kill();
}

async function countRows(t: TestContext, node: ClusterNode): Promise<number> {
  const client = await connect(t, node.path('a.db'));
  const count = Number(await client.value('SELECT count(*) FROM t'));
  await client.kill();
  return count;
}

/** Whether a client on that node can commit. */
async function canWrite(t: TestContext, node: ClusterNode): Promise<boolean> {
  const client = await connect(t, node.path('a.db'));
  try {
    await client.exec('INSERT INTO t (v) VALUES (-1)');
    return true;
  } catch {
    return false;
  } finally {
    await client.kill();
  }
}

/** Writes rows until the node ends; returns how many were acknowledged. */
async function writeUntilEnd(t: TestContext, node: ClusterNode): Promise<number> {
  const client = await connect(t, node.path('a.db'));
  let count = 0;
  try {
    for (;;) {
      await client.exec('INSERT INTO t (v) VALUES (?)', [count]);
      count += 1;
    }
  } catch {
    return count;
  } finally {
    await client.kill();
  }
}

/** As `docker compose down` does it: nobody waits for anybody. */
async function stopAtOnce(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.stop()));
}

async function waitForLog(node: ClusterNode, pattern: RegExp): Promise<void> {
  const isThere = (): boolean => pattern.test(node.log);
  await waitUntil(`${node.name} logs ${pattern}:\n${node.lastWords}`, isThere, TIMEOUT_MS);
}

function startAs(cluster: Cluster, node: ClusterNode, primary: string): Promise<void> {
  return node.start(cluster.configOf(node.name, primary));
}

/** All, when there is time. */
const START_ORDERS = [
  ['node2', 'node3', 'node1'],
  ['node1', 'node3', 'node2'],
  ['node3', 'node2', 'node1'],
  ['node2', 'node1', 'node3'],
  ['node1', 'node2', 'node3'],
  ['node3', 'node1', 'node2'],
].slice(0, scaled(2, 6));

suite('The primary', () => {
  for (const order of START_ORDERS) {
    test(`is another one after all stopped at once, started ${order.join(', ')}`, async (t) => {
      const cluster = await startCluster(t);
      if (cluster === undefined) return;
      await writeRows(t, cluster.primary, 20);
      const writing = writeUntilEnd(t, cluster.primary);
      await sleep(500);
      await stopAtOnce(cluster);
      const count = 20 + (await writing);
      cluster.nameNextPrimary('node2');
      for (const name of order) {
        await startAs(cluster, cluster.node(name), 'node2');
        await sleep(1000);
      }
      await cluster.ready();
      // A row that was not acknowledged may be there as well.
      const found = await countRows(t, cluster.node('node2'));
      assert(found === count || found === count + 1, `${found} of ${count} rows`);
      await assertConverged(cluster.nodes);
    });
  }

  test('that was killed is waited for, and what it alone has is not lost silently', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const [old, next, third] = ['node1', 'node2', 'node3'].map((name) => cluster.node(name));
    await writeRows(t, old!, 10);
    await assertConverged(cluster.nodes);
    await next!.kill();
    await third!.kill();
    await writeRows(t, old!, 5);
    await old!.kill();
    await startAs(cluster, next!, 'node2');
    await waitForLog(next!, /node2 waits for node1/);
    assert.equal(await canWrite(t, next!), false);
    await startAs(cluster, old!, 'node2');
    await waitForLog(next!, /node1 is ahead/);
    assert.equal(await canWrite(t, next!), false);
    await old!.kill();
    // It leads without the other in the end, and whoever looks later learns what was lost.
    const leads = async (): Promise<boolean> => (await next!.status()).cluster?.role === 'primary';
    await waitUntil('node2 leads', leads, TIMEOUT_MS);
    assert.equal(await canWrite(t, next!), true);
    await startAs(cluster, old!, 'node2');
    await assertConverged([next!, old!]);
    assert.equal(await countRows(t, old!), 11);
    await waitForLog(next!, /came with transactions that this node, the primary, does not have/);
    await waitForLog(old!, /are kept aside/);
    const status = (await next!.status()).cluster;
    assert.equal(status?.peers.find(({ name }) => name === 'node1')?.aheadIn, 'a.db');
    const diverged = join(old!.dataFolder, 'dbs', 'a.db', 'diverged');
    assert.notEqual(readdirSync(diverged).length, 0);
  });

  test('is another node after a restart that names it, and nothing is lost', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    await writeRows(t, cluster.primary, 100);
    const { cluster: before } = await cluster.primary.status();
    await cluster.stop();
    cluster.nameNextPrimary('node2');
    await cluster.start();
    const { cluster: after } = await cluster.primary.status();
    assert(after!.epoch > before!.epoch, 'Another term has a higher epoch');
    assert.equal(await countRows(t, cluster.node('node2')), 100);
    await writeRows(t, cluster.node('node2'), 10);
    await assertConverged(cluster.nodes);
    assert.equal(await canWrite(t, cluster.node('node1')), false);
  });

  test('gives what it has acknowledged to its replicas before it ends', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    await writeRows(t, cluster.primary, 500);
    await cluster.primary.stop();
    for (const replica of cluster.replicas) assert.equal(await countRows(t, replica), 500);
  });

  test('has a higher epoch after each start', async (t) => {
    const cluster = await startCluster(t, { names: ['node1'] });
    if (cluster === undefined) return;
    let epoch = 0;
    for (let round = 0; round < 3; round += 1) {
      const { cluster: status } = await cluster.primary.status();
      assert(status!.epoch > epoch);
      epoch = status!.epoch;
      await cluster.primary.kill();
      await cluster.start();
    }
  });

  test('is nobody while two nodes name different ones, until they agree', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const [node1, node2, node3] = ['node1', 'node2', 'node3'].map((name) => cluster.node(name));
    await writeRows(t, node1!, 10);
    await cluster.stop();
    await startAs(cluster, node1!, 'node2');
    await startAs(cluster, node2!, 'node1');
    await startAs(cluster, node3!, 'node1');
    await waitForLog(node1!, /node1.*node2|node2.*node1/s);
    for (const node of cluster.nodes) assert.equal(await canWrite(t, node), false, node.name);
    await cluster.stop();
    cluster.nameNextPrimary('node2');
    await cluster.start();
    assert.equal(await canWrite(t, node2!), true);
    assert.equal(await countRows(t, node2!), 11);
    await assertConverged(cluster.nodes);
  });

  test('is not one that is behind another, unless it is forced to be', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const [behind, ahead] = [cluster.node('node2'), cluster.node('node3')];
    await writeRows(t, cluster.primary, 10);
    await assertConverged(cluster.nodes);
    await behind.stop();
    await writeRows(t, cluster.primary, 10);
    await cluster.stop();
    await startAs(cluster, ahead, 'node2');
    const config = cluster.configOf('node2', 'node2');
    // It may refuse to start, or start and not lead.
    await behind.start(config).catch(() => undefined);
    await waitForLog(behind, /ahead/);
    await waitForLog(behind, /force-primary/);
    if (behind.isRunning) assert.equal(await canWrite(t, behind), false);
    await behind.stop();
    await behind.start({ ...config, cluster: { ...config['cluster'], 'force-primary': true } });
    const leads = async (): Promise<boolean> => (await behind.status()).cluster?.role === 'primary';
    await waitUntil('node2 leads', leads, TIMEOUT_MS);
    assert.equal(await canWrite(t, behind), true);
    await assertConverged([behind, ahead]);
    assert.equal(await countRows(t, ahead), 11);
    assert.notEqual(readdirSync(join(ahead.dataFolder, 'dbs', 'a.db', 'diverged')).length, 0);
  });
});
