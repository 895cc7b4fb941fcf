// SQL over HTTP on the nodes of a cluster, with the stock client: wherever it is asked, reads are
// of that node and have what their client has seen, writes are the primary's.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { type Client, createClient, type LibsqlError } from '@libsql/client';
import { type Cluster, CLUSTER_SECRET, onTestEnd, sqlUrl, waitUntil } from '@skein/testkit';

import { startCluster } from '../lib/test-cluster.ts';

const WAIT_MS = 60_000;

/** The API of a node, which tells that it has started, comes before its SQL. */
async function connect(t: TestContext, cluster: Cluster, name: string): Promise<Client> {
  const url = sqlUrl(cluster.place(name));
  const isServed = async (): Promise<boolean> => (await fetch(`${url}/health`)).ok;
  await waitUntil(`${name} serves SQL`, isServed, WAIT_MS);
  const client = createClient({ url, authToken: CLUSTER_SECRET });
  onTestEnd(t, () => client.close());
  return client;
}

async function isGone(cluster: Cluster, name: string): Promise<boolean> {
  const asked = fetch(`${sqlUrl(cluster.place(name))}/health`);
  return asked.then(
    () => false,
    () => true,
  );
}

async function countAt(client: Client): Promise<number> {
  const { rows } = await client.execute('SELECT count(*) AS n FROM notes');
  return Number(rows[0]!['n']);
}

/** The processes whose parent is `pid`. */
function childrenOf(pid: number, command: string): number[] {
  const { readdirSync, readFileSync } = process.getBuiltinModule('node:fs');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const parent = Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]);
        const line = readFileSync(`/proc/${name}/cmdline`, 'latin1');
        return parent === pid && line.includes(command);
      } catch {
        return false;
      }
    })
    .map(Number);
}

test('clients of any node write at the primary and read what they wrote', async (t) => {
  const options = { names: ['node1', 'node2'], sqlDatabase: 'app.db' };
  const cluster = await startCluster(t, options);
  if (cluster === undefined) return;
  const primary = await connect(t, cluster, 'node1');
  const replica = await connect(t, cluster, 'node2');

  // The database is made by the first write, which came to the replica.
  await replica.execute('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)');
  for (let i = 1; i <= 20; i += 1) {
    await replica.execute({ sql: 'INSERT INTO notes (text) VALUES (?)', args: [`note ${i}`] });
    assert.equal(await countAt(replica), i);
  }
  assert.equal(await countAt(primary), 20);

  await t.test('an interactive transaction is the primary’s from its beginning', async () => {
    const transaction = await replica.transaction('write');
    await transaction.execute("INSERT INTO notes (text) VALUES ('inside')");
    const inside = await transaction.execute('SELECT count(*) AS n FROM notes');
    assert.equal(inside.rows[0]!['n'], 21);
    assert.equal(await countAt(replica), 20);
    await transaction.commit();
    assert.equal(await countAt(replica), 21);
    const undone = await replica.transaction('write');
    await undone.execute('DELETE FROM notes');
    await undone.rollback();
    const results = await replica.batch(["INSERT INTO notes (text) VALUES ('b')"], 'write');
    assert.equal(results[0]!.lastInsertRowid, 22n);
    assert.equal(await countAt(replica), 22);
  });

  await t.test('a position is told, and waited for at another node', async () => {
    const body = (sql: string): string =>
      JSON.stringify({ requests: [{ type: 'execute', stmt: { sql } }, { type: 'close' }] });
    const ask = (name: string, sql: string, position?: string): Promise<Response> =>
      fetch(new URL('/v2/pipeline', sqlUrl(cluster.place(name))), {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${CLUSTER_SECRET}`,
          ...(position !== undefined && { 'Skein-Position': position }),
        },
        body: body(sql),
      });
    for (let i = 1; i <= 20; i += 1) {
      const written = await ask('node1', "INSERT INTO notes (text) VALUES ('p')");
      await written.text();
      const position = written.headers.get('skein-position');
      assert.match(position!, /^1&\d+:[0-9a-f]+:app\.db$/);
      const read = await ask('node2', 'SELECT count(*) FROM notes', position!);
      assert.match(await read.text(), new RegExp(`"value":"${22 + i}"`));
      assert.equal(read.headers.get('skein-position'), null);
    }
  });

  await t.test('reads go on without a primary, writes are refused and not executed', async () => {
    const count = await countAt(replica);
    await cluster.node('node1').kill();
    // Its SQL server ends by itself, a moment later; what comes until then is unknown.
    await waitUntil('nobody serves SQL there', () => isGone(cluster, 'node1'), WAIT_MS);
    assert.equal(await countAt(replica), count);
    await assert.rejects(
      replica.execute("INSERT INTO notes (text) VALUES ('lost')"),
      (error: LibsqlError) => error.code === 'NO_PRIMARY',
    );
  });

  await t.test('its process is started again when it dies, and the daemon goes on', async () => {
    const node = cluster.node('node2');
    const [pid, ...others] = childrenOf(node.pid, 'sql-server-process');
    assert(pid !== undefined && others.length === 0);
    const workers = childrenOf(pid, 'worker/main');
    assert(workers.length > 0);
    process.kill(pid, 'SIGKILL');
    await waitUntil(
      'another process serves SQL',
      async () => (await countAt(replica)) > 0 && childrenOf(node.pid, 'sql-server').length === 1,
      WAIT_MS,
    );
    await waitUntil(
      'the workers of the old one are gone',
      () => workers.every((worker) => !isAlive(worker)),
      WAIT_MS,
    );
    assert.equal(node.log.match(/SQL server has ended and is started again/g)?.length, 1);
    assert.equal((await node.status()).databases.length, 1);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
