// Clients that write and read one history while something happens to the cluster, and the judgement
// of what they saw.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  assertConverged,
  assertHistory,
  type Cluster,
  HISTORY_LIST,
  HISTORY_SCHEMA,
  HistoryReader,
  HistoryRecorder,
  HistoryWriter,
  type JournalMode,
  SeededRandom,
} from '@skein/testkit';

import { connect } from './test-cluster.ts';

export const HISTORY_DATABASE = 'history.db';

const WRITER_COUNT = 3;
const WRITE_PAUSE_MAX_MS = 10;
const READ_PAUSE_MAX_MS = 20;
/** "After every fault and a quiet second". */
const QUIET_MS = 1000;

export interface HistoryRunOptions {
  readonly cluster: Cluster;
  readonly seed: number;
  readonly journalMode: JournalMode;
  /** What happens meanwhile; what it returns is told when something is wrong. */
  readonly during: () => Promise<readonly string[]>;
  /** A run that wrote less has shown nothing. */
  readonly writeCountMin: number;
}

export async function runHistory(t: TestContext, options: HistoryRunOptions): Promise<void> {
  const { cluster } = options;
  try {
    await runAndJudge(t, options);
  } catch (error) {
    for (const node of cluster.nodes) t.diagnostic(`${node.name} at the end:\n${node.lastWords}`);
    throw error;
  }
}

async function runAndJudge(t: TestContext, options: HistoryRunOptions): Promise<void> {
  const { cluster, seed, journalMode, during, writeCountMin } = options;
  const setUp = await connect(t, cluster.primary.path(HISTORY_DATABASE));
  await setUp.exec(`PRAGMA journal_mode = ${journalMode}`);
  for (const sql of HISTORY_SCHEMA) await setUp.exec(sql);
  await setUp.kill();
  await assertConverged(cluster.nodes);

  const recorder = new HistoryRecorder(() => performance.now());
  const clients = createClients(cluster, recorder, new SeededRandom(seed));
  for (const client of clients) client.start();
  const events = await during();
  await Promise.all(clients.map((client) => client.stop()));
  for (const event of events) t.diagnostic(event);
  await sleep(QUIET_MS);
  await cluster.ready();
  await assertConverged(cluster.nodes);

  const final = await readFinal(t, cluster);
  assertHistory({ operations: recorder.operations, final });
  assert(final.length >= writeCountMin, `Only ${final.length} writes`);
  const errors = clients.flatMap((client) => client.errors.map(({ message }) => message));
  assert.deepEqual(errors, [], 'Clients got errors while their node was there');
}

function createClients(
  cluster: Cluster,
  recorder: HistoryRecorder,
  random: SeededRandom,
): (HistoryReader | HistoryWriter)[] {
  const common = { database: HISTORY_DATABASE, recorder };
  const writers = Array.from(
    { length: WRITER_COUNT },
    (_, index) =>
      new HistoryWriter({
        ...common,
        name: `writer ${index + 1}`,
        node: cluster.primary,
        isPrimary: true,
        random: random.fork(),
        pauseMaxMs: WRITE_PAUSE_MAX_MS,
      }),
  );
  const readers = cluster.nodes.map(
    (node) =>
      new HistoryReader({
        ...common,
        name: `reader on ${node.name}`,
        node,
        isPrimary: node === cluster.primary,
        random: random.fork(),
        pauseMaxMs: READ_PAUSE_MAX_MS,
      }),
  );
  return [...writers, ...readers];
}

async function readFinal(t: TestContext, cluster: Cluster): Promise<number[]> {
  const client = await connect(t, cluster.primary.path(HISTORY_DATABASE));
  const rows = await client.exec(HISTORY_LIST);
  await client.kill();
  return rows.flat().map(Number);
}
