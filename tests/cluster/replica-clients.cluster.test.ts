// Clients on a replica: they cannot write, however they try, and nothing they do while they read
// holds up replication or is disturbed by it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  assertConverged,
  type Cluster,
  requireDriver,
  residentBytes,
  SQLITE_DRIVERS,
  SqliteError,
  type SqliteProcess,
  startSqlite,
  waitUntil,
} from '@skein/testkit';

import { scaled } from '../lib/scale.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const HOLD_MS = scaled(8000, 60_000);
const LOOP_MS = scaled(8000, 60_000);
const TIMEOUT_MS = 180_000;
const ARRIVAL_TIMEOUT_MS = 10_000;
/** What a replica may take for a reader that stays; the rest waits on the disk. */
const MEMORY_GROWTH_MAX = 100_000_000;
/** Frames have headers, and a transaction of one row changes several pages. */
const WAL_BYTES_PER_ROW_MAX = 8 * 4120;

async function createTable(client: SqliteProcess, journalMode: string): Promise<void> {
  await client.exec(`PRAGMA journal_mode = ${journalMode}`);
  await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)');
}

/** Adds rows until the time is over; returns how many. */
async function writeFor(client: SqliteProcess, durationMs: number): Promise<number> {
  const endMs = performance.now() + durationMs;
  let count = 0;
  for (; performance.now() < endMs; count += 1) {
    await client.exec('INSERT INTO t (v) VALUES (randomblob(100))');
  }
  return count;
}

async function waitForRows(cluster: Cluster, reader: SqliteProcess, count: number): Promise<void> {
  const isThere = async (): Promise<boolean> =>
    Number(await reader.value('SELECT count(*) FROM t')) === count;
  await waitUntil(`${count} rows on ${cluster.replicas[0]!.name}`, isThere, ARRIVAL_TIMEOUT_MS);
}

suite('Clients on a replica', () => {
  for (const driver of SQLITE_DRIVERS) {
    test(`cannot write with ${driver}`, async (t) => {
      if (!requireDriver(t, driver)) return;
      const cluster = await startCluster(t);
      if (cluster === undefined) return;
      for (const journalMode of ['wal', 'delete']) {
        const writer = await connect(t, cluster.primary.path(`${journalMode}.db`));
        await createTable(writer, journalMode);
        await assertConverged(cluster.nodes);
        const replica = cluster.replicas[0]!;
        const client = await connect(t, replica.path(`${journalMode}.db`), { driver });
        const refused = async (sql: string): Promise<void> => {
          await assert.rejects(client.exec(sql), (error) => {
            assert(error instanceof SqliteError, String(error));
            assert.equal(error.code, 'SQLITE_READONLY', `${sql}: ${error.message}`);
            return true;
          });
        };
        await refused('INSERT INTO t (v) VALUES (1)');
        await refused('DROP TABLE t');
        // Of a file that it could open for reading alone SQLite begins a read transaction.
        await client.exec('BEGIN IMMEDIATE');
        await refused('INSERT INTO t (v) VALUES (1)');
        await client.exec('ROLLBACK');
        assert.match(replica.log, /node1/, 'A log line names the primary');
        await writer.exec('INSERT INTO t (v) VALUES (2)');
        await waitForRows(cluster, client, 1);
      }
    });
  }

  test('cannot switch the journal mode, or make and remove databases', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const writer = await connect(t, cluster.primary.path('a.db'));
    await createTable(writer, 'wal');
    await assertConverged(cluster.nodes);
    const replica = cluster.replicas[0]!;
    const client = await connect(t, replica.path('a.db'));
    const mode = await client.value('PRAGMA journal_mode = delete').catch(() => 'refused');
    assert.notEqual(mode, 'delete');
    const other = startSqlite(t);
    await assert.rejects(async () => {
      await other.open(replica.path('new.db'));
      await other.exec('CREATE TABLE t (v)');
    });
    await writer.exec('INSERT INTO t (v) VALUES (1)');
    await waitForRows(cluster, client, 1);
    await assertConverged(cluster.nodes);
  });

  test(`keep a snapshot for ${HOLD_MS} ms while thousands of transactions arrive`, async (t) => {
    const cluster = await startCluster(t, { timeoutMs: TIMEOUT_MS });
    if (cluster === undefined) return;
    const writer = await connect(t, cluster.primary.path('a.db'));
    await createTable(writer, 'wal');
    await writer.exec('INSERT INTO t (v) VALUES (0)');
    await assertConverged(cluster.nodes);
    const replica = cluster.replicas[0]!;
    const holder = await connect(t, replica.path('a.db'));
    await holder.exec('BEGIN');
    assert.equal(Number(await holder.value('SELECT count(*) FROM t')), 1);
    const memoryBefore = residentBytes(replica.pid);
    const count = await writeFor(writer, HOLD_MS);
    const other = await connect(t, replica.path('a.db'));
    await waitForRows(cluster, other, count + 1);
    assert.equal(
      Number(await holder.value('SELECT count(*) FROM t')),
      1,
      'It has left its snapshot',
    );
    const grownBytes = residentBytes(replica.pid) - memoryBefore;
    assert(grownBytes < MEMORY_GROWTH_MAX, `${grownBytes} bytes more`);
    const walBytes = statSync(replica.path('a.db-wal')).size;
    assert(walBytes < (count + 10) * WAL_BYTES_PER_ROW_MAX, `A WAL of ${walBytes} bytes`);
    await holder.exec('COMMIT');
    assert.equal(Number(await holder.value('SELECT count(*) FROM t')), count + 1);
    await assertConverged(cluster.nodes);
  });

  test('open, checkpoint and close in loops, and get no error', async (t) => {
    const cluster = await startCluster(t, { timeoutMs: TIMEOUT_MS });
    if (cluster === undefined) return;
    const writer = await connect(t, cluster.primary.path('a.db'));
    await createTable(writer, 'wal');
    await assertConverged(cluster.nodes);
    const path = cluster.replicas[0]!.path('a.db');
    const endMs = performance.now() + LOOP_MS;
    const loop = async (statements: readonly string[]): Promise<void> => {
      const client = startSqlite(t);
      while (performance.now() < endMs) {
        await client.open(path);
        for (const sql of statements) await client.exec(sql);
        // For a checkpoint it would have to write.
        await assert.rejects(client.exec('PRAGMA wal_checkpoint(TRUNCATE)'), /readonly database/);
        await client.close();
      }
    };
    await Promise.all([
      writeFor(writer, LOOP_MS),
      loop(['SELECT count(*) FROM t']),
      loop(['SELECT max(id) FROM t', 'SELECT count(*) FROM t']),
      loop(['BEGIN', 'SELECT count(*) FROM t', 'SELECT sum(length(v)) FROM t', 'COMMIT']),
    ]);
    await assertConverged(cluster.nodes);
  });

  test('find out from the mount who leads and how far the replica is', async (t) => {
    const cluster = await startCluster(t);
    if (cluster === undefined) return;
    const writer = await connect(t, cluster.primary.path('a.db'));
    await createTable(writer, 'wal');
    await assertConverged(cluster.nodes);
    assert(!existsSync(cluster.primary.path('.primary')));
    const position = readFileSync(cluster.primary.path('a.db-pos'), 'utf8');
    for (const replica of cluster.replicas) {
      assert.equal(readFileSync(replica.path('.primary'), 'utf8'), 'node1\n');
      assert.equal(readFileSync(replica.path('a.db-pos'), 'utf8'), position);
      assert.match(readFileSync(replica.path('.lag'), 'utf8'), /^[+-]\d{9}\n$/);
      const status = readFileSync(join(replica.mountpoint, '.skein', 'status.json'), 'utf8');
      assert.equal(typeof JSON.parse(status), 'object');
    }
    await cluster.primary.stop();
    for (const replica of cluster.replicas) {
      const isGone = (): boolean => !existsSync(replica.path('.primary'));
      await waitUntil(`${replica.name} knows no primary`, isGone, ARRIVAL_TIMEOUT_MS);
    }
    const reader = await connect(t, cluster.replicas[0]!.path('a.db'));
    await sleep(100);
    assert.equal(Number(await reader.value('SELECT count(*) FROM t')), 0);
  });
});
