// Databases that are large: past the page that SQLite leaves out for its locks, at 1 GiB, and
// larger than what the daemon may have in memory.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { requirePart } from '@skein/testkit';

import { connect, numbers } from './clients.ts';
import { eventually } from './eventually.ts';
import { startNode, type TestNode } from './test-node.ts';

const MiB = 2 ** 20;
const LOCK_BYTE = 2 ** 30;
/** With Node itself, which takes half of it. */
const RESIDENT_BYTES_MAX = 300 * MiB;

/** So much of the log may be since the last checkpoint; Node reads its programs. */
const START_READ_BYTES_MAX = 256 * MiB;

/** What a process has read so far, from the disk or not (proc_pid_io(5)). */
function readBytes(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
}

/** Starts anew to measure the most memory that a process has in RAM (proc_pid_clear_refs(5)). */
function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** The last transaction that a start would not read again. */
function txidOfCheckpoint(node: TestNode): number {
  const path = join(node.dataFolder, 'dbs', 'large.db', 'checkpoint.json');
  const txid = /"txid":"([0-9a-f]{16})"/.exec(readFileSync(path, 'utf8'))![1]!;
  return Number.parseInt(txid, 16);
}

describe('A large database', () => {
  test('goes past the page of the locks, in a rollback mode and in WAL mode', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const node = await startNode(t, {
      timeoutMs: 600_000,
      // The log need not be kept, the disk would have to hold everything twice.
      config: { retentionMs: 0, segmentBytes: 64 * MiB, checkpointBytes: 64 * MiB },
    });
    const path = node.path('large.db');
    const settings = { pageSize: 65_536, journalMode: 'truncate', synchronous: 'NORMAL' } as const;
    const client = await connect(t, path, settings);
    await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
    const fill = `INSERT INTO t (body) SELECT zeroblob(${4 * MiB}) FROM (${numbers(60)})`;
    for (let round = 0; round < 4; round++) await client.exec(fill);
    assert.ok(statSync(path).size < LOCK_BYTE);
    await client.exec(fill);
    const lastFill = node.txid('large.db');
    assert.ok(statSync(path).size > LOCK_BYTE + 64 * MiB);
    await client.exec("INSERT INTO t (body) VALUES ('behind the locks')");
    await client.exec('PRAGMA journal_mode = wal');
    await client.exec("INSERT INTO t (body) VALUES ('in WAL mode')");
    const other = await connect(t, path);
    assert.deepEqual(await other.exec('SELECT body FROM t WHERE id > 300 ORDER BY id'), [
      ['behind the locks'],
      ['in WAL mode'],
    ]);
    const position = node.position('large.db');
    await eventually('a checkpoint', () => txidOfCheckpoint(node) >= lastFill);
    for (const one of [client, other]) await one.kill();
    await node.kill();
    await node.start();
    const read = readBytes(node.pid);
    t.diagnostic(`Read ${Math.round(read / MiB)} MiB to start again`);
    assert.ok(read < START_READ_BYTES_MAX, `${read} bytes: the start reads more than it should`);
    assert.equal(node.position('large.db'), position);
    const last = await connect(t, path);
    assert.deepEqual(await last.exec('PRAGMA quick_check'), [['ok']]);
    assert.deepEqual(await last.exec('SELECT count(*), sum(length(body)) FROM t'), [
      [302, 300 * 4 * MiB + 16 + 11],
    ]);
  });

  test('VACUUM of more than fits: memory stays bounded', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const node = await startNode(t, { timeoutMs: 600_000, config: { retentionMs: 0 } });
    const client = await connect(t, node.path('app.db'), { journalMode: 'delete' });
    await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
    for (let round = 0; round < 3; round++) {
      await client.exec(
        `INSERT INTO t (body) SELECT zeroblob(9000 + i % 100) FROM (${numbers(12_000)})`,
      );
    }
    await client.exec('DELETE FROM t WHERE id % 10 = 0');
    assert.ok(statSync(node.path('app.db')).size > 300 * MiB);
    resetPeak(node.pid);
    await client.exec('VACUUM');
    const peak = peakBytes(node.pid);
    t.diagnostic(`${Math.round(peak / MiB)} MiB at most`);
    assert.ok(peak < RESIDENT_BYTES_MAX, `${Math.round(peak / MiB)} MiB`);
    assert.deepEqual(await client.exec('PRAGMA quick_check'), [['ok']]);
  });
});
