import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';

import { assertHistory } from '../history/check-history.ts';
import { HistoryRecorder } from '../history/history-recorder.ts';
import { HISTORY_LIST, HISTORY_SCHEMA } from '../history/state.ts';
import { createNetwork, requireNetwork } from '../network/virtual-network.ts';
import { requirePart } from '../require-part.ts';
import { SeededRandom } from '../seeded-random.ts';
import { startSqlite } from '../sqlite/sqlite-process.ts';
import { tempDir } from '../temp-dir.ts';
import { onTestEnd } from '../test-cleanup.ts';
import { ClusterNode } from './cluster-node.ts';
import { assertConverged } from './convergence.ts';
import { HistoryReader, HistoryWriter } from './history-client.ts';
import { waitUntil } from './wait-until.ts';

const WAIT_MS = 120_000;
/** Of all clients together, from one fault to the next. */
const WRITES_EACH = 20;

/** Nodes that know nothing of each other. */
async function startNodes(t: TestContext, ...names: string[]): Promise<ClusterNode[]> {
  const folder = tempDir(t);
  const nodes = names.map((name) => {
    const node = new ClusterNode({ name, folder: join(folder, name), config: {} });
    onTestEnd(t, () => node.stop());
    return node;
  });
  await Promise.all(nodes.map((node) => node.start()));
  return nodes;
}

async function execute(t: TestContext, path: string, ...sqls: readonly string[]): Promise<void> {
  const client = startSqlite(t, { driver: 'node-sqlite' });
  await client.open(path);
  for (const sql of sqls) await client.exec(sql);
  await client.kill();
}

test('assertConverged() accepts nodes that have the same, not others', async (t) => {
  if (!requirePart(t, 'fuse', 'root')) return;
  const nodes = await startNodes(t, 'a', 'b');
  for (const node of nodes) {
    await execute(t, node.path('x.db'), 'CREATE TABLE t (v)', 'INSERT INTO t VALUES (1)');
  }
  await assertConverged(nodes);
  await execute(t, nodes[1]!.path('x.db'), 'INSERT INTO t VALUES (2)');
  await assert.rejects(
    assertConverged(nodes, 100),
    /a stands at\nx.db 0+2\/.*b stands at\nx.db 0+3\//s,
  );
});

test('Clients of a node that is killed and frozen leave a history to be judged', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'python3')) return;
  const [node] = await startNodes(t, 'a');
  await execute(t, node!.path('h.db'), 'PRAGMA journal_mode = WAL', ...HISTORY_SCHEMA);
  const recorder = new HistoryRecorder(() => performance.now());
  const common = { node: node!, isPrimary: true, database: 'h.db', recorder, pauseMaxMs: 5 };
  const clients = [1, 2].flatMap((seed) => [
    new HistoryWriter({ ...common, name: `w${seed}`, random: new SeededRandom(seed) }),
    new HistoryReader({ ...common, name: `r${seed}`, random: new SeededRandom(seed) }),
  ]);
  for (const client of clients) client.start();
  const goOn = async (): Promise<void> => {
    const count = (): number => recorder.operations.filter(({ kind }) => kind === 'write').length;
    const wanted = count() + WRITES_EACH;
    await waitUntil('clients go on', () => count() >= wanted, WAIT_MS);
  };
  await goOn();
  await node!.kill();
  await node!.start();
  await goOn();
  node!.pause();
  await sleep(500);
  node!.resume();
  await goOn();
  await Promise.all(clients.map((client) => client.stop()));
  assert.deepEqual(
    clients.flatMap(({ errors }) => errors),
    [],
  );
  const check = startSqlite(t, { driver: 'node-sqlite' });
  await check.open(node!.path('h.db'));
  const final = (await check.exec(HISTORY_LIST)).flat().map(Number);
  assert(final.length > WRITES_EACH, `Only ${final.length} writes`);
  assertHistory({ operations: recorder.operations, final });
});

test('A node serves on a host of its own', async (t) => {
  if (!requirePart(t, 'fuse', 'curl') || !requireNetwork(t)) return;
  const network = await createNetwork(t, { hosts: ['a'] });
  const folder = tempDir(t);
  const { address, prefix } = network.host('a');
  const config = { http: { address: `${address}:20202`, secret: 'sixteen-characters' } };
  const node = new ClusterNode({ name: 'a', folder: join(folder, 'a'), config, prefix });
  onTestEnd(t, () => node.stop());
  await node.start();
  await execute(t, node.path('x.db'), 'CREATE TABLE t (v)');
  assert.equal((await node.positions()).size, 1);
  const [program, ...args] = [...prefix, 'curl', '--silent', `http://${address}:20202/healthz`];
  assert.match(spawnSync(program, args).stdout.toString(), /ok/);
});
