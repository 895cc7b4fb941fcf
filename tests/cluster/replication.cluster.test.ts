// What the primary's clients do arrives everywhere: in every journal mode, with modes that change,
// in new databases and dropped ones, after a replica was away, and on a node that joins later.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { suite, test } from 'node:test';

import {
  assertConverged,
  createWorkload,
  JOURNAL_MODES,
  runWorkload,
  waitUntil,
} from '@skein/testkit';

import { replayHint, scaled, SEED } from '../lib/scale.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const SMALL_DATABASE_COUNT = scaled(60, 1000);
const LARGE_BYTES = scaled(200_000_000, 5_000_000_000);
const BLOB_BYTES = 1_000_000;
const TIMEOUT_MS = scaled(180_000, 1_800_000);
const ARRIVAL_TIMEOUT_MS = 20_000;

suite(`Transactions arrive on all nodes: ${replayHint(SEED, 'replication')}`, () => {
  for (const journalMode of JOURNAL_MODES) {
    test(`of a random workload in ${journalMode} mode`, async (t) => {
      const cluster = await startCluster(t);
      if (cluster === undefined) return;
      const client = await connect(t, cluster.primary.path('w.db'));
      await runWorkload(client, createWorkload({ seed: SEED, journalModes: [journalMode] }));
      await client.kill();
      await assertConverged(cluster.nodes);
    });
  }

  test('of workloads that change the journal mode as they go', async (t) => {
    const cluster = await startCluster(t, { timeoutMs: TIMEOUT_MS });
    if (cluster === undefined) return;
    for (let seed = SEED; seed < SEED + scaled(3, 30); seed += 1) {
      const client = await connect(t, cluster.primary.path(`w${seed}.db`));
      await runWorkload(client, createWorkload({ seed }));
      await client.kill();
    }
    await assertConverged(cluster.nodes);
  });

  test('of a database that is dropped and made again', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const path = cluster.primary.path('d.db');
    for (const value of [1, 2]) {
      const client = await connect(t, path);
      await client.exec('CREATE TABLE t (v)');
      await client.exec('INSERT INTO t VALUES (?)', [value]);
      await client.kill();
      await assertConverged(cluster.nodes);
      if (value === 2) break;
      rmSync(path);
      for (const node of cluster.nodes) {
        const isGone = async (): Promise<boolean> => !(await node.positions()).has('d.db');
        await waitUntil(`${node.name} has dropped it`, isGone, ARRIVAL_TIMEOUT_MS);
      }
    }
    const reader = await connect(t, cluster.replicas[0]!.path('d.db'));
    assert.deepEqual(await reader.exec('SELECT v FROM t'), [[2]]);
  });

  test('that came while a replica was away', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const client = await connect(t, cluster.primary.path('a.db'));
    await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)');
    await assertConverged(cluster.nodes);
    await cluster.node('node2').stop();
    await cluster.node('node3').kill();
    for (let i = 0; i < 200; i += 1) await client.exec('INSERT INTO t (v) VALUES (?)', [i]);
    await cluster.node('node2').start();
    await cluster.node('node3').start();
    await assertConverged(cluster.nodes);
  });

  test('and on a node that joins later, which nobody was told of', async (t) => {
    const cluster = await startCluster(t, { isIdle: true });
    if (cluster === undefined) return;
    const late = cluster.node('node3');
    const others = cluster.nodes.filter((node) => node !== late);
    for (const node of others) await node.start();
    const client = await connect(t, cluster.primary.path('a.db'));
    await runWorkload(client, createWorkload({ seed: SEED }));
    await client.kill();
    const before = others.map((node) => node.pid);
    await late.start();
    await assertConverged(cluster.nodes);
    assert.deepEqual(
      others.map((node) => node.pid),
      before,
    );
  });

  test(`of ${SMALL_DATABASE_COUNT} databases, and a large one meanwhile`, async (t) => {
    const cluster = await startCluster(t, { timeoutMs: TIMEOUT_MS });
    if (cluster === undefined) return;
    const large = await connect(t, cluster.primary.path('large.db'));
    await large.exec('CREATE TABLE t (v)');
    const small = await connect(t, cluster.primary.path('small-0.db'));
    const blobCount = LARGE_BYTES / BLOB_BYTES;
    for (let i = 0; i < Math.max(SMALL_DATABASE_COUNT, blobCount); i += 1) {
      if (i < blobCount) await large.exec(`INSERT INTO t VALUES (randomblob(${BLOB_BYTES}))`);
      if (i >= SMALL_DATABASE_COUNT) continue;
      await small.close();
      await small.open(cluster.primary.path(`small-${i}.db`));
      await small.exec('CREATE TABLE t (v)');
      await small.exec('INSERT INTO t VALUES (?)', [i]);
    }
    await Promise.all([large.kill(), small.kill()]);
    await assertConverged(cluster.nodes, TIMEOUT_MS);
  });
});
