// Together with the real LiteFS, in both directions: a LiteFS follows a Skein primary, a Skein
// follows a LiteFS primary, and then takes over, which is how one moves from one to the other.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import {
  apiUrl,
  type ClusterNode,
  freePorts,
  JOURNAL_MODES,
  onTestEnd,
  type SqliteProcess,
  tempDir,
  waitUntil,
} from '@skein/testkit';

import { type LitefsNode, requireLitefs, startLitefs } from '../lib/litefs-node.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const ARRIVAL_TIMEOUT_MS = 20_000;
const COMPAT = { compat: 'litefs', 'allow-from': ['127.0.0.1'] };

async function change(t: TestContext, path: string, journalMode: string): Promise<void> {
  const client = await connect(t, path);
  await client.exec(`PRAGMA journal_mode = ${journalMode}`);
  await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)');
  for (let i = 0; i < 50; i += 1) {
    await client.exec('INSERT INTO t (v) VALUES (randomblob(?))', [i * 100]);
  }
  await client.exec('DELETE FROM t WHERE id % 3 = 0');
  await client.exec('CREATE INDEX i ON t (v)');
  await client.kill();
}

async function contentOf(client: SqliteProcess): Promise<unknown> {
  return client.exec('SELECT id, hex(v) FROM t ORDER BY id');
}

/** Equal positions, whose checksums are of all pages, and equal rows. */
async function assertSame(
  t: TestContext,
  skein: ClusterNode,
  litefs: LitefsNode,
  name: string,
): Promise<void> {
  const isSame = async (): Promise<boolean> => {
    const position = (await skein.positions()).get(name);
    return position !== undefined && position === litefs.position(name);
  };
  await waitUntil(`both have the same ${name}`, isSame, ARRIVAL_TIMEOUT_MS);
  const [own, other] = await Promise.all([
    connect(t, skein.path(name)),
    connect(t, join(litefs.mountpoint, name)),
  ]);
  assert.deepEqual(await contentOf(own), await contentOf(other));
  await Promise.all([own.kill(), other.kill()]);
}

suite('LiteFS', () => {
  test('follows a Skein primary', async (t) => {
    const program = requireLitefs(t);
    if (program === undefined) return;
    const cluster = await startCluster(t, { names: ['node1'], isIdle: true });
    if (cluster === undefined) return;
    const { cluster: own } = cluster.configOf('node1', 'node1');
    await cluster.primary.start({ cluster: { ...own, ...COMPAT } });
    const [port] = await freePorts(1);
    const litefs = await startLitefs(t, program, {
      folder: tempDir(t),
      port: port!,
      primaryUrl: apiUrl(cluster.place('node1')),
    });
    for (const journalMode of JOURNAL_MODES) {
      const name = `${journalMode}.db`;
      await change(t, cluster.primary.path(name), journalMode);
      await assertSame(t, cluster.primary, litefs, name);
    }
  });

  test('leads a Skein replica, which then takes over', async (t) => {
    const program = requireLitefs(t);
    if (program === undefined) return;
    const [port] = await freePorts(1);
    const hostname = 'litefs1';
    const litefs = await startLitefs(t, program, { folder: tempDir(t), port: port!, hostname });
    const cluster = await startCluster(t, { names: ['node1'], isIdle: true });
    if (cluster === undefined) return;
    const node = cluster.primary;
    onTestEnd(t, () => node.stop());
    const { cluster: own } = cluster.configOf('node1', 'node1');
    const url = `http://127.0.0.1:${port}`;
    const followed = { ...own, ...COMPAT, primary: hostname, 'primary-url': url };
    await node.start({ cluster: followed });
    for (const journalMode of ['wal', 'delete']) {
      const name = `${journalMode}.db`;
      await change(t, join(litefs.mountpoint, name), journalMode);
      await assertSame(t, node, litefs, name);
    }
    const before = await node.positions();
    await litefs.stop();
    await node.stop();
    await cluster.start();
    assert.deepEqual(await node.positions(), before);
    const client = await connect(t, node.path('wal.db'));
    await client.exec('INSERT INTO t (v) VALUES (1)');
    assert.equal(Number(await client.value('SELECT count(*) FROM t WHERE v = 1')), 1);
  });
});
