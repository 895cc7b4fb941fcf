// From LiteFS to Skein without a stop, step by step as docs/migrating-from-litefs.md has it.

import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';

import { apiUrl, assertConverged, freePorts, type LitefsNode, requireLitefs } from '@skein/testkit';

import {
  assertSame,
  compatibleConfig,
  createLitefsNode,
  litefsLeadsConfig,
  untilCaughtUp,
} from '../lib/litefs-pair.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const LITEFS_NAMES = ['litefs1', 'litefs2'];
const JOURNAL_MODES = ['wal', 'delete'];

suite('From LiteFS to Skein', () => {
  test('node by node, with all data and positions', async (t) => {
    const program = requireLitefs(t);
    if (program === undefined) return;
    const names = ['node1', 'node2'];
    const cluster = await startCluster(t, { names, isIdle: true, timeoutMs: 180_000 });
    if (cluster === undefined) return;
    const [node1, node2] = [cluster.node('node1'), cluster.node('node2')];
    const ports = await freePorts(LITEFS_NAMES.length);
    const [litefs1, litefs2] = LITEFS_NAMES.map((name, index) => {
      const folder = join(dirname(node1.folder), name);
      return createLitefsNode(t, { program, folder, port: ports[index]! });
    }) as [LitefsNode, LitefsNode];
    const insert = async (pathOf: (name: string) => string, value: number): Promise<void> => {
      for (const mode of JOURNAL_MODES) {
        const client = await connect(t, pathOf(`${mode}.db`));
        await client.exec(`PRAGMA journal_mode = ${mode}`);
        await client.exec('CREATE TABLE IF NOT EXISTS t (v)');
        await client.exec('INSERT INTO t VALUES (?)', [value]);
        await client.kill();
      }
    };

    // LiteFS alone.
    await litefs1.start({ leadsAs: 'litefs1' });
    await litefs2.start({ follows: litefs1.url });
    await insert((name) => litefs1.path(name), 1);

    // Replicas of Skein join it.
    for (const node of [node1, node2]) {
      await node.start(litefsLeadsConfig(cluster, node.name, litefs1));
      await untilCaughtUp(node);
    }
    await insert((name) => litefs1.path(name), 2);
    await assertSame(t, { skein: node1, litefs: litefs1 });
    await assertConverged([node1, node2]);

    // The primary changes.
    const before = await node1.positions();
    await litefs1.stop();
    await Promise.all([litefs2.stop(), node1.stop(), node2.stop()]);
    for (const node of [node1, node2]) {
      await node.start(compatibleConfig(cluster, node.name, 'node1'));
    }
    await cluster.ready();
    await litefs2.start({ follows: apiUrl(cluster.place('node1')) });
    assert.deepEqual(await node1.positions(), before);
    await insert((name) => node1.path(name), 3);
    await assertSame(t, { skein: node1, litefs: litefs2 });
    // It stood where its new primary did: transactions were enough.
    for (const mode of JOURNAL_MODES) {
      assert.deepEqual(litefs2.ltxFiles(`${mode}.db`).filter(isRange), []);
    }

    // LiteFS goes.
    await litefs2.stop();
    await cluster.stop();
    await cluster.start();
    await insert((name) => node1.path(name), 4);
    await assertConverged([node1, node2]);
    for (const mode of JOURNAL_MODES) {
      const reader = await connect(t, node2.path(`${mode}.db`));
      assert.deepEqual(await reader.exec('SELECT v FROM t'), [[1], [2], [3], [4]]);
    }
  });
});

/** Whether an LTX file has more than one transaction, as snapshots have. */
function isRange(name: string): boolean {
  const [first, last] = name.replace('.ltx', '').split('-');
  return first !== last;
}
