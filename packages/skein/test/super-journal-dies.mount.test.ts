// One transaction over two databases: the client is killed, the daemon is killed, an operation of
// the disk fails, at every step of the way. Both databases have it, or neither; in the mount and in
// the log.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';

import { type JournalMode, requirePart, type SqliteProcess } from '@skein/testkit';

import { connect, rowsOfFile } from './clients.ts';
import { type FaultOrder, Faults } from './faults.ts';
import { replayInto } from './replay-log.ts';
import { startNode, type TestNode } from './test-node.ts';

/** The log is copied and replayed after every step. */
const config = { segmentBytes: 256 * 1024 };

const NAMES = ['one.db', 'two.db'] as const;
const ROLLBACK_MODES: readonly JournalMode[] = ['delete', 'truncate', 'persist'];
const SEED = Number(process.env['SEED'] ?? 0);
const REPLAY = `replay with SEED=${SEED} node tools/run.mjs test mount super-journal`;
/** To the node a full disk is an error as any other; clients go another way. */
const ACTIONS = ['kill-client', 'kill-daemon', SEED % 2 === 0 ? 'ENOSPC' : 'EIO'] as const;

/**
 * After a failed sync nothing is accepted, after a failed write to a database file nothing for that
 * database: until the node is started again.
 */
const REFUSES_AFTERWARDS = /log\.sync|database\.(?:write|truncate)/;

interface Scene {
  readonly t: TestContext;
  readonly node: TestNode;
  readonly faults: Faults;
  readonly journalMode: JournalMode;
  /** The number that both databases have. */
  value: number;
}

/** Strikes while both are raised by one; returns what was struck, if it came to that. */
async function strike(
  scene: Scene,
  order: (pid: number) => FaultOrder,
): Promise<string | undefined> {
  const { t, node, faults, journalMode, value } = scene;
  const [one, two] = NAMES.map((name) => node.path(name));
  const victim = await connect(t, one!, { journalMode, synchronous: 'FULL' });
  await victim.exec(`ATTACH '${two}' AS two`);
  await victim.exec(`PRAGMA two.journal_mode = ${journalMode}`);
  faults.order(order(victim.pid));
  const isAcknowledged = await tryRaise(victim);
  const { struck } = faults;
  faults.disarm();
  await victim.kill();
  if (struck === undefined) {
    assert.ok(isAcknowledged);
    return undefined;
  }
  if (order(0).action === 'kill-daemon') {
    await node.ended();
    await node.start();
  } else if (REFUSES_AFTERWARDS.test(struck)) {
    await node.stop();
    await node.start();
  }
  scene.value = valueOf(scene, struck);
  const possible = isAcknowledged ? [value + 1] : [value, value + 1];
  assert.ok(possible.includes(scene.value), `${value} became ${scene.value}: ${struck}; ${REPLAY}`);
  const folder = replayInto(t, node.dataFolder);
  for (const name of NAMES) {
    assert.deepEqual(rowsOfFile(join(folder, name)), [[scene.value]], `${name}: ${struck}`);
  }
  return struck;
}

async function tryRaise(victim: SqliteProcess): Promise<boolean> {
  try {
    await victim.exec('BEGIN');
    for (const schema of ['main', 'two']) await victim.exec(`UPDATE ${schema}.t SET n = n + 1`);
    await victim.exec('COMMIT');
    return true;
  } catch {
    return false;
  }
}

/** What others see in both, which is the same. */
function valueOf({ node }: Scene, struck: string): number {
  const values = NAMES.map((name) => {
    // Rolls back what a dead client left: a connection that only reads may not.
    const database = new DatabaseSync(node.path(name), { timeout: 5000 });
    try {
      const [check] = database.prepare('PRAGMA integrity_check').all();
      assert.deepEqual({ ...check }, { integrity_check: 'ok' }, struck);
      return Number(database.prepare('SELECT n FROM t').get()!['n']);
    } finally {
      database.close();
    }
  });
  assert.equal(values[0], values[1], `One without the other: ${struck}; ${REPLAY}`);
  return values[0]!;
}

describe('A transaction over two databases that is stopped', () => {
  for (const [n, action] of ACTIONS.entries()) {
    // Over three seeds every mode meets every action.
    const journalMode = ROLLBACK_MODES[(n + SEED) % ROLLBACK_MODES.length]!;
    test(`${action} at every step, ${journalMode}`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3')) return;
      const faults = new Faults(t);
      const node = await startNode(t, { preload: faults.preload, timeoutMs: 600_000, config });
      for (const name of NAMES) {
        const client = await connect(t, node.path(name));
        await client.exec('CREATE TABLE t (n)');
        await client.exec('INSERT INTO t VALUES (0)');
        await client.close();
      }
      const scene: Scene = { t, node, faults, journalMode, value: 0 };
      let skip = 0;
      const order = (pid: number): FaultOrder =>
        action === 'kill-client'
          ? { on: 'request', pid, skip, action }
          : { on: 'disk', skip, action };
      while ((await strike(scene, order)) !== undefined) skip++;
      assert.ok(skip > 5, `Only ${skip} steps`);
    });
  }
});
