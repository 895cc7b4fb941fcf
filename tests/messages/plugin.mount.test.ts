// Applications with the plugin and without proxies, on real nodes: a write at a replica's is
// executed by the primary's, and its client sees it at the replica at once.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { startAppProcess } from '../lib/app-process.ts';
import { startCluster } from '../lib/test-cluster.ts';

const DATABASE = 'app.db';
const ROUND_COUNT = 40;
const SCRIPT = join(import.meta.dirname, '..', 'lib', 'plugin-app.ts');

test('without a proxy a client sees what it wrote at the application of a replica', async (t) => {
  const cluster = await startCluster(t, { names: ['node1', 'node2'] });
  if (cluster === undefined) return;
  const urls = cluster.places.map(({ appPort }) => `http://127.0.0.1:${appPort}`);
  const [primary, replica] = [urls[0]!, urls[1]!];
  for (const { name, dataFolder } of cluster.nodes) {
    const args = ['--data', dataFolder, '--primary-app', primary];
    const options = { cluster, nodeName: name, script: SCRIPT, database: DATABASE, args };
    await startAppProcess(t, options);
  }
  let readAtReplica = 0;
  for (let round = 1; round <= ROUND_COUNT; round += 1) {
    const written = await fetch(`${replica}/t`, { method: 'POST' });
    assert.deepEqual(await written.json(), { id: round, by: 'node1' });
    const [cookie = ''] = written.headers.getSetCookie()[0]!.split(';');
    assert.match(cookie, /^__skein_pos=1&\d+:[0-9a-f]+:app\.db$/);
    const read = await fetch(`${replica}/t`, { headers: { cookie } });
    const { ids, by } = (await read.json()) as { ids: number[]; by: string };
    assert(ids.includes(round), `Round ${round}: ${by} shows ${ids.length} rows`);
    if (by === 'node2') readAtReplica += 1;
  }
  assert(readAtReplica > 0, 'The replica answers reads itself');
});
