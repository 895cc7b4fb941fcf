// An application on a replica that writes: openForwarding() of the client, over the SQL of the
// primary that its node tells it of.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { connectNode, type NodeView, outcomeOf, type SkeinError } from '@skein/client';
import { type ForwardingDatabase, openForwarding } from '@skein/client/hrana';
import { type Cluster, CLUSTER_SECRET, onTestEnd, sqlUrl, waitUntil } from '@skein/testkit';

import { startCluster } from '../lib/test-cluster.ts';

const WAIT_MS = 60_000;

interface App {
  readonly node: NodeView;
  readonly db: ForwardingDatabase;
}

async function startApp(t: TestContext, cluster: Cluster, name: string): Promise<App> {
  const { mountpoint: mountPath, dataFolder: dataPath } = cluster.node(name);
  const node = await connectNode({ mountPath, dataPath, enabled: true });
  onTestEnd(t, () => node.close());
  const db = openForwarding(node, { database: 'app.db', token: CLUSTER_SECRET });
  onTestEnd(t, () => db.close());
  return { node, db };
}

async function isGone(cluster: Cluster, name: string): Promise<boolean> {
  const asked = fetch(`${sqlUrl(cluster.place(name))}/health`);
  return asked.then(
    () => false,
    () => true,
  );
}

const isCode = (code: string) => (error: unknown) => (error as SkeinError).code === code;

test('an application writes wherever it runs, and reads what it wrote', async (t) => {
  const cluster = await startCluster(t, { names: ['node1', 'node2'], sqlDatabase: 'app.db' });
  if (cluster === undefined) return;
  const { db: primary } = await startApp(t, cluster, 'node1');
  const { db: replica, node } = await startApp(t, cluster, 'node2');
  const isTold = (): boolean => node.state.primary?.sqlUrl !== undefined;
  await waitUntil('the node tells where SQL is', isTold, WAIT_MS);
  const create = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE)';
  // The SQL server of the primary may still be starting.
  await waitUntil(
    'the primary executes SQL',
    async () => {
      await replica.execute(create);
      return true;
    },
    WAIT_MS,
  );

  for (const [name, db] of Object.entries({ primary, replica })) {
    await t.test(`on the ${name}: what is written is read`, async () => {
      const insert = 'INSERT INTO notes (text) VALUES (:text)';
      for (let i = 0; i < 20; i += 1) {
        const text = `${name} ${i}`;
        const { changes, lastInsertRowid } = await db.execute(insert, { text });
        assert.equal(changes, 1);
        const found = await db.execute('SELECT * FROM notes WHERE text = ?', [text]);
        assert.deepEqual(found.rows, [{ id: lastInsertRowid, text }]);
      }
      await assert.rejects(db.execute(insert, { text: `${name} 0` }), (error: SkeinError) => {
        assert.match(error.message, /^UNIQUE constraint failed: notes\.text$/);
        assert.equal(error.code, 'SQLITE_CONSTRAINT_UNIQUE');
        assert.equal(outcomeOf(error), 'failed');
        return true;
      });
    });

    await t.test(`on the ${name}: transactions are whole`, async () => {
      const count = async (): Promise<unknown> =>
        (await db.execute('SELECT count(*) AS n FROM notes')).rows[0]!['n'];
      const before = Number(await count());
      const many = Array.from({ length: 8 }, (_, i) =>
        db.transaction(async (tx) => {
          await tx.execute('INSERT INTO notes (text) VALUES (?)', [`${name} tx ${i}`]);
          const { rows } = await tx.execute('SELECT count(*) AS n FROM notes');
          return Number(rows[0]!['n']);
        }),
      );
      const seen = await Promise.all(many);
      assert.deepEqual(
        seen.toSorted((a, b) => a - b),
        Array.from({ length: 8 }, (_, i) => before + 1 + i),
      );
      const undone = db.transaction(async (tx) => {
        await tx.execute('DELETE FROM notes');
        throw new Error('undo');
      });
      await assert.rejects(undone, /undo/);
      const failing = db.batch([
        { sql: "INSERT INTO notes (text) VALUES ('once')" },
        { sql: "INSERT INTO notes (text) VALUES ('once')" },
      ]);
      await assert.rejects(failing, isCode('SQLITE_CONSTRAINT_UNIQUE'));
      assert.equal(await count(), before + 8);
      const [, counted] = await db.batch([
        { sql: 'DELETE FROM notes WHERE text = ?', args: [`${name} tx 0`] },
        { sql: 'SELECT count(*) AS n FROM notes' },
      ]);
      assert.deepEqual(counted!.rows, [{ n: before + 7 }]);
      assert.equal(await count(), before + 7);
    });
  }

  await t.test('without a primary a write is not executed, and a read is answered', async () => {
    await cluster.node('node1').kill();
    // Its SQL server ends by itself, a moment later; what comes until then is unknown.
    await waitUntil('nobody serves SQL there', () => isGone(cluster, 'node1'), WAIT_MS);
    const write = replica.execute("INSERT INTO notes (text) VALUES ('late')");
    await assert.rejects(write, (error: SkeinError) => {
      assert.ok(['NODE_UNREACHABLE', 'NO_PRIMARY'].includes(error.code), error.code);
      assert.equal(outcomeOf(error), 'not-executed');
      return true;
    });
    const { rows } = await replica.execute("SELECT 1 AS one FROM notes WHERE text = 'late'");
    assert.deepEqual(rows, []);
  });
});
