// A client on a replica that holds SHARED in a database which has a rollback mode on the primary.
// There a reader keeps every writer out. On a replica it holds up nobody: the database is shown in
// WAL mode, and who applies is one more writer of the WAL.

import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { assertConverged, type Cluster, type SqliteProcess, waitUntil } from '@skein/testkit';

import { scaled } from '../lib/scale.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const HOLD_MS = scaled(5000, 60_000);
const TIMEOUT_MS = 180_000;
const ARRIVAL_TIMEOUT_MS = 20_000;
/** A shutdown ends within 10 s, also with clients connected. */
const STOP_MAX_MS = 15_000;

interface Held {
  readonly cluster: Cluster;
  readonly writer: SqliteProcess;
  /** Another database of the same node. */
  readonly otherWriter: SqliteProcess;
  /** Reads an old state on node2. */
  readonly holder: SqliteProcess;
}

/** A reader holds SHARED on a replica, and the primary has written since. */
async function holdShared(t: TestContext): Promise<Held | undefined> {
  const cluster = await startCluster(t, { timeoutMs: TIMEOUT_MS });
  if (cluster === undefined) return undefined;
  const [writer, otherWriter] = await Promise.all(
    ['held.db', 'other.db'].map(async (name) => {
      const client = await connect(t, cluster.primary.path(name));
      await client.exec('PRAGMA journal_mode = delete');
      await client.exec('CREATE TABLE t (v)');
      return client;
    }),
  );
  await assertConverged(cluster.nodes);
  const holder = await connect(t, cluster.node('node2').path('held.db'));
  await holder.exec('BEGIN');
  assert.equal(Number(await holder.value('SELECT count(*) FROM t')), 0);
  for (let i = 0; i < 20; i += 1) await writer!.exec('INSERT INTO t VALUES (1)');
  return { cluster, writer: writer!, otherWriter: otherWriter!, holder };
}

async function waitForRows(
  t: TestContext,
  cluster: Cluster,
  name: string,
  count: number,
): Promise<void> {
  const reader = await connect(t, cluster.node('node2').path(name));
  const isThere = async (): Promise<boolean> =>
    Number(await reader.value('SELECT count(*) FROM t')) === count;
  await waitUntil(`${count} rows in ${name} on node2`, isThere, ARRIVAL_TIMEOUT_MS);
  await reader.kill();
}

suite('A reader in a rollback mode on a replica', () => {
  test(`keeps its state for ${HOLD_MS} ms; other databases and nodes go on`, async (t) => {
    const held = await holdShared(t);
    if (held === undefined) return;
    const { cluster, otherWriter, holder } = held;
    await otherWriter.exec('INSERT INTO t VALUES (1)');
    await waitForRows(t, cluster, 'other.db', 1);
    await assertConverged([cluster.node('node1'), cluster.node('node3')]);
    await sleep(HOLD_MS);
    assert.equal(Number(await holder.value('SELECT count(*) FROM t')), 0);
    await holder.exec('COMMIT');
    await waitForRows(t, cluster, 'held.db', 20);
    await assertConverged(cluster.nodes);
  });

  test('is not waited for: who reads there after it sees what is new', async (t) => {
    const held = await holdShared(t);
    if (held === undefined) return;
    const { cluster, holder } = held;
    await waitForRows(t, cluster, 'held.db', 20);
    assert.equal(Number(await holder.value('SELECT count(*) FROM t')), 0);
  });

  test('leaves nothing behind when it is killed', async (t) => {
    const held = await holdShared(t);
    if (held === undefined) return;
    await held.holder.kill();
    await waitForRows(t, held.cluster, 'held.db', 20);
    await assertConverged(held.cluster.nodes);
  });

  test('does not keep its node from ending, and nothing is lost by that', async (t) => {
    const held = await holdShared(t);
    if (held === undefined) return;
    const { cluster } = held;
    const startMs = performance.now();
    await cluster.node('node2').stop();
    const tookMs = performance.now() - startMs;
    assert(tookMs < STOP_MAX_MS, `${tookMs} ms`);
    await cluster.node('node2').start();
    await waitForRows(t, cluster, 'held.db', 20);
    await assertConverged(cluster.nodes);
  });
});
