// Writes over the SQL of a replica while the primary is killed and comes back, over and over: what
// was acknowledged is there once, what was not executed is not, what is unknown is there at most
// once.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Cluster, CLUSTER_SECRET, sqlUrl, waitUntil } from '@skein/testkit';

import { startCluster } from '../lib/test-cluster.ts';

const CLIENT_COUNT = 8;
const KILL_COUNT = 4;
const WRITES_BETWEEN = 60;
const WAIT_MS = 60_000;

type Outcome = 'written' | 'not-executed' | 'unknown';

/** One request, over a connection that may have been used before. */
async function execute(
  cluster: Cluster,
  name: string,
  requests: readonly unknown[],
): Promise<{ readonly outcome: Outcome; readonly text: string }> {
  const response = await fetch(new URL('/v2/pipeline', sqlUrl(cluster.place(name))), {
    method: 'POST',
    headers: { Authorization: `Bearer ${CLUSTER_SECRET}` },
    body: JSON.stringify({ requests: [...requests, { type: 'close' }] }),
  });
  const text = await response.text();
  if (response.status === 200) return { outcome: 'written', text };
  const told = response.headers.get('skein-outcome');
  assert.ok(told === 'not-executed' || told === 'unknown', `${response.status} ${text}`);
  return { outcome: told, text };
}

/** An error of SQLite, as while the primary ends, is that it was not written, or is unknown. */
function outcomeIn(text: string): Outcome {
  if (!text.includes('"type":"error"')) return 'written';
  return text.includes('"code":"OUTCOME_UNKNOWN"') ? 'unknown' : 'not-executed';
}

const statement = (sql: string, ...args: number[]): unknown => ({
  type: 'execute',
  stmt: { sql, args: args.map((value) => ({ type: 'integer', value: String(value) })) },
});

test('a write through a replica is executed once, or not, or nobody knows', async (t) => {
  const cluster = await startCluster(t, {
    names: ['node1', 'node2'],
    sqlDatabase: 'app.db',
    timeoutMs: 300_000,
  });
  if (cluster === undefined) return;
  const create = statement('CREATE TABLE IF NOT EXISTS rows (n INTEGER)');
  const isMade = async (): Promise<boolean> =>
    (await execute(cluster, 'node2', [create])).outcome === 'written';
  await waitUntil('the table is there', isMade, WAIT_MS);

  const outcomes = new Map<number, Outcome>();
  const count = (wanted: Outcome): number =>
    [...outcomes.values()].filter((outcome) => outcome === wanted).length;
  let next = 0;
  const stopping = new AbortController();
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const n = (next += 1);
      const sent = [statement('INSERT INTO rows VALUES (?)', n)];
      const { outcome, text } = await execute(cluster, 'node2', sent);
      outcomes.set(n, outcome === 'written' ? outcomeIn(text) : outcome);
    }
  };
  const clients = Array.from({ length: CLIENT_COUNT }, work);
  for (let kill = 0; kill < KILL_COUNT; kill += 1) {
    const before = count('written');
    const isBusy = (): boolean => count('written') >= before + WRITES_BETWEEN;
    await waitUntil('clients write', isBusy, WAIT_MS);
    await cluster.node('node1').kill();
    await cluster.node('node1').start();
  }
  stopping.abort();
  await Promise.all(clients);

  const isBack = async (): Promise<boolean> =>
    (await execute(cluster, 'node2', [create])).outcome === 'written';
  await waitUntil('the primary is back', isBack, WAIT_MS);
  const { text } = await execute(cluster, 'node1', [
    statement('SELECT json_group_array(n) AS all_rows FROM rows'),
  ]);
  const rows = JSON.parse(/"value":"(\[.*?\])"/.exec(text)![1]!) as number[];
  const found = new Map<number, number>();
  for (const n of rows) found.set(n, (found.get(n) ?? 0) + 1);
  for (const [n, outcome] of outcomes) {
    const times = found.get(n) ?? 0;
    if (outcome === 'written') assert.equal(times, 1, `${n} was acknowledged`);
    if (outcome === 'not-executed') assert.equal(times, 0, `${n} was not executed`);
    assert.ok(times <= 1, `${n} was executed ${times} times`);
  }
  t.diagnostic(`written ${count('written')}, unknown ${count('unknown')}`);
  assert.ok(count('written') > KILL_COUNT * WRITES_BETWEEN);
});
