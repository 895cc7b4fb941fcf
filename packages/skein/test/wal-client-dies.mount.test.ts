// With a second connection open, a WAL client is killed, or its transaction meets a disk error or a
// full disk, at every step of the way. The next client commits; then the log, replayed, equals what
// SELECT shows on the mount.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { requirePart, type SqliteProcess } from '@skein/testkit';

import { connect, numbers, rowsOf, rowsOfFile } from './clients.ts';
import { type FaultOrder, Faults } from './faults.ts';
import { replayInto } from './replay-log.ts';
import { startNode, type TestNode } from './test-node.ts';

const NAME = 'app.db';

const TRANSACTIONS: Readonly<Record<string, readonly string[]>> = {
  'a small transaction': ["UPDATE t SET body = body || '!' WHERE id IN (1, 40)"],
  // The frames that were spilled get new checksums after the commit frame.
  'a transaction that is spilled': [
    'PRAGMA cache_size = 5',
    'BEGIN',
    "UPDATE t SET body = body || '!'",
    "INSERT INTO t VALUES (1000, '')",
    "UPDATE t SET body = body || '!' WHERE id < 20",
    'COMMIT',
  ],
  'the first transaction after a restart of the WAL': [
    'PRAGMA wal_checkpoint(RESTART)',
    "UPDATE t SET body = body || '!' WHERE id < 10",
  ],
};

/** The log is copied and replayed after every step. */
const SEGMENT_BYTES = 256 * 1024;

/** How the wal-index of a dead client is completed depends on the passthrough. */
const CASES = [
  ['kill-client', 'auto'],
  ['kill-client', 'off'],
  ['EIO', 'auto'],
  ['ENOSPC', 'off'],
] as const;

/** A database with a connection that is open all the time. */
interface Scene {
  readonly t: TestContext;
  readonly node: TestNode;
  readonly faults: Faults;
  readonly statements: readonly string[];
  second: SqliteProcess;
  /** What every connection has to see. */
  rows: unknown[];
}

/** Strikes once while `statements` run; returns what was struck, if it came to that. */
async function strike(
  scene: Scene,
  makeOrder: (pid: number) => FaultOrder,
): Promise<string | undefined> {
  const { t, node, faults, rows } = scene;
  const victim = await connect(t, node.path(NAME), { synchronous: 'FULL' });
  assert.deepEqual(await rowsOf(victim), rows, 'Two clients see different things');
  faults.order(makeOrder(victim.pid));
  const isAcknowledged = await tryAll(victim, scene.statements);
  // Else it would hold its locks; it may be dead.
  if (!isAcknowledged) await tryAll(victim, ['ROLLBACK']);
  const { struck } = faults;
  if (struck === undefined) {
    faults.disarm();
    return undefined;
  }
  if (struck.endsWith('log.sync')) await restart(scene, victim);
  const { second } = scene;
  const seen = await rowsOf(second);
  const isThere = JSON.stringify(seen) !== JSON.stringify(rows);
  if (isAcknowledged) assert.ok(isThere, `An acknowledged transaction is lost: ${struck}`);
  await second.exec('INSERT INTO t (body) VALUES (?)', [struck]);
  scene.rows = await rowsOf(second);
  assert.deepEqual(scene.rows.slice(0, -1), seen, `The next commit changes the past: ${struck}`);
  assert.deepEqual(await second.exec('PRAGMA integrity_check'), [['ok']]);
  const replayed = rowsOfFile(join(replayInto(t, node.dataFolder), NAME));
  assert.deepEqual(replayed, scene.rows, `The log differs from the mount: ${struck}`);
  await victim.kill();
  return struck;
}

/** False when the client fails, or dies. */
async function tryAll(client: SqliteProcess, statements: readonly string[]): Promise<boolean> {
  try {
    for (const statement of statements) await client.exec(statement);
    return true;
  } catch {
    return false;
  }
}

/** A failed sync is final: nothing is accepted any more, and readers read on. */
async function restart(scene: Scene, victim: SqliteProcess): Promise<void> {
  const { t, node, second } = scene;
  await assert.rejects(second.exec('DELETE FROM t'));
  await rowsOf(second);
  for (const client of [victim, second]) await client.kill();
  await node.stop();
  await node.start();
  scene.second = await connect(t, node.path(NAME), { busyTimeoutMs: 10_000 });
}

describe('A WAL client that is stopped in a transaction', () => {
  for (const [title, statements] of Object.entries(TRANSACTIONS)) {
    for (const [action, passthrough] of CASES) {
      // For the node it is the same error; clients go different ways when they have spilled.
      if (action === 'ENOSPC' && title !== 'a transaction that is spilled') continue;
      test(`${title}: ${action} at every step, passthrough ${passthrough}`, async (t) => {
        if (!requirePart(t, 'fuse', 'root', 'python3')) return;
        const faults = new Faults(t);
        const config = { segmentBytes: SEGMENT_BYTES, passthrough };
        const node = await startNode(t, { preload: faults.preload, timeoutMs: 600_000, config });
        const second = await connect(t, node.path(NAME), { journalMode: 'wal' });
        await second.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
        await second.exec(`INSERT INTO t SELECT i, printf('%0200d', i) FROM (${numbers(100)})`);
        const rows = await rowsOf(second);
        const scene: Scene = { t, node, faults, statements, second, rows };
        const makeOrder = (pid: number, skip: number): FaultOrder =>
          action === 'kill-client'
            ? { on: 'request', pid, skip, action }
            : { on: 'disk', skip, action };
        let skip = 0;
        while ((await strike(scene, (pid) => makeOrder(pid, skip))) !== undefined) skip++;
        assert.ok(skip > 2, `Only ${skip} steps`);
      });
    }
  }
});
