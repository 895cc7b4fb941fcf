// Every adapter over every driver, on the mounts of a primary and of a replica, in both kinds of
// journal; then again after the two nodes have changed places, with the same databases open.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import {
  type Cluster,
  createCluster,
  onTestEnd,
  requirePart,
  tempDir,
  watchMounts,
} from '@skein/testkit';

import { connectNode } from '../src/connect-node.ts';
import type { NodeView } from '../src/node-view.ts';
import { openDatabase } from '../src/open-database.ts';
import type { Session } from './adapters/subject.ts';
import { checkPrimary, checkReplica, DRIVERS, item, SUBJECTS } from './adapters/suite.ts';

const TIMEOUT_MS = 600_000;
/** Of waits for what comes in milliseconds on an idle machine. */
const WAIT = { timeoutMs: 60_000 };

/** An adapter with a database, as applications on both nodes have it open. */
interface Pair {
  readonly name: string;
  readonly database: string;
  readonly sessions: readonly [Session, Session];
}

test('Adapters work on the mounts of a primary and of a replica', async (t) => {
  if (!requirePart(t, 'fuse', 'root')) return;
  const folder = tempDir(t);
  watchMounts(t, folder, TIMEOUT_MS);
  const cluster = await createCluster(['node1', 'node2'], { folder });
  onTestEnd(t, () => cluster.stop());
  await cluster.start();
  const [one, two] = [await follow(t, cluster, 'node1'), await follow(t, cluster, 'node2')];
  assert.equal(one.isPrimary, true);
  assert.deepEqual([two.isPrimary, two.state.role], [false, 'replica']);

  let bothPrimaryCount = 0;
  for (const node of [one, two]) {
    node.on('state', () => {
      if (one.isPrimary && two.isPrimary) bothPrimaryCount += 1;
    });
  }

  const pairs = openPairs(t, [one, two]);
  for (const { name, database, sessions } of pairs) {
    await t.test(name, async () => {
      await checkPrimary(sessions[0]);
      await arrive(database, one, two);
      await checkReplica(sessions[1], { name: 'node1', url: apiUrlOf(cluster, 'node1') });
    });
  }

  const firstEpoch = one.state.epoch;
  await cluster.stop();
  await becomes(one, 'no-primary');
  cluster.nameNextPrimary('node2');
  await cluster.start();
  await becomes(two, 'primary');
  await becomes(one, 'replica');
  assert.ok(two.state.epoch > firstEpoch);
  assert.equal(bothPrimaryCount, 0, 'Applications were told of two primaries');
  for (const { name, database, sessions } of pairs) {
    await t.test(`${name}, after the primary was changed`, async () => {
      await sessions[1].insert(item('by the other node'));
      await arrive(database, two, one);
      await checkReplica(sessions[0], { name: 'node2', url: apiUrlOf(cluster, 'node2') });
      assert.equal((await sessions[0].list()).at(-1)?.text, 'by the other node');
    });
  }
});

function openPairs(t: TestContext, nodes: readonly [NodeView, NodeView]): Pair[] {
  return DRIVERS.flatMap((driver) =>
    SUBJECTS.map((subject, index): Pair => {
      const database = `${driver.replace(':', '-')}-${index}.db`;
      const open = (node: NodeView): Session => {
        const opened = openDatabase(node, { driver, database }).defaultSafeIntegers();
        // Half of them in WAL mode, the others in that in which SQLite begins.
        if (index % 2 === 0 && node.isPrimary) opened.pragma('journal_mode = WAL');
        const session = subject.open(opened);
        onTestEnd(t, () => session.close());
        return session;
      };
      const sessions = [open(nodes[0]), open(nodes[1])] as const;
      return { name: `${subject.name} over ${driver}`, database, sessions };
    }),
  );
}

async function follow(t: TestContext, cluster: Cluster, name: string): Promise<NodeView> {
  const { mountpoint: mountPath, dataFolder: dataPath } = cluster.node(name);
  const settings = { mountPath, dataPath, enabled: true };
  const node = await connectNode(settings, WAIT);
  onTestEnd(t, () => node.close());
  return node;
}

/** All that is committed on one node can be read on the other. */
async function arrive(database: string, from: NodeView, to: NodeView): Promise<void> {
  await from.refresh();
  await to.waitForPosition(database, from.state.position(database)!, WAIT);
}

async function becomes(node: NodeView, role: string): Promise<void> {
  while (node.state.role !== role) {
    await new Promise<void>((resolve) => {
      const stop = node.on('state', () => {
        stop();
        resolve();
      });
    });
  }
}

function apiUrlOf(cluster: Cluster, name: string): string {
  const { host, apiPort } = cluster.place(name);
  return `http://${host}:${apiPort}/`;
}
