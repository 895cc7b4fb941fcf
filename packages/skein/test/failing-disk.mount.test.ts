// The disk is full, a sync fails, the node takes no writes any more: with a journal that is hot,
// the moment at which SQLite would make every reader roll back, readers keep reading.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import {
  JOURNAL_MODES,
  type JournalMode,
  onTestEnd,
  requirePart,
  type SqliteProcess,
  tempDir,
} from '@skein/testkit';

import { connect, numbers, rowsOf, rowsOfFile } from './clients.ts';
import { eventually } from './eventually.ts';
import { Faults } from './faults.ts';
import { runWell } from './programs.ts';
import { replayInto } from './replay-log.ts';
import { startNode, type TestNode } from './test-node.ts';

const MiB = 2 ** 20;
const DISK_BYTES = 48 * MiB;

/** A data folder on a disk of its own that is small. */
async function startOnSmallDisk(t: TestContext): Promise<TestNode> {
  const folder = tempDir(t);
  const data = join(folder, 'data');
  mkdirSync(data);
  runWell('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'small', data]);
  onTestEnd(t, () => void runWell('umount', [data]));
  const config = { segmentBytes: 2 * MiB, overlayBytes: MiB };
  return await startNode(t, { folder, config });
}

/** Leaves `freeBytes` on the disk of a folder. */
async function fill(folder: string, freeBytes: number): Promise<void> {
  await eventually('the disk is filled', () => {
    const { bavail, bsize } = statfsSync(folder);
    const bytes = bavail * bsize - freeBytes;
    assert.ok(bytes > 0, `There are only ${bavail * bsize} bytes free`);
    try {
      writeFileSync(join(folder, 'ballast'), new Uint8Array(bytes));
      return true;
    } catch {
      // The node has taken some of it meanwhile, for the next segment of its log.
      rmSync(join(folder, 'ballast'));
      return false;
    }
  });
}

async function create(
  t: TestContext,
  node: TestNode,
  name: string,
  journalMode: JournalMode,
): Promise<SqliteProcess> {
  const client = await connect(t, node.path(name), { journalMode, synchronous: 'FULL' });
  await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
  await client.exec(`INSERT INTO t SELECT i, printf('%0500d', i) FROM (${numbers(500)})`);
  return client;
}

/** Connections, old and new, see these rows. */
async function assertReadable(
  t: TestContext,
  node: TestNode,
  name: string,
  rows: unknown,
): Promise<void> {
  const reader = await connect(t, node.path(name));
  assert.deepEqual(await rowsOf(reader), rows);
  assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']]);
  await reader.close();
}

describe('When the disk is full', () => {
  for (const journalMode of JOURNAL_MODES) {
    test(`${journalMode}: the transaction fails, readers go on`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3', 'mount')) return;
      const node = await startOnSmallDisk(t);
      const writer = await create(t, node, 'app.db', journalMode);
      const reader = await connect(t, node.path('app.db'));
      const rows = await rowsOf(reader);
      const position = node.position('app.db');
      for (const freeBytes of [0, 100_000, 3 * MiB]) {
        await fill(node.dataFolder, freeBytes);
        await writer.exec('PRAGMA cache_size = 10');
        await writer.exec('BEGIN');
        const large = `INSERT INTO t (body) SELECT randomblob(4000) FROM (${numbers(3000)})`;
        const failing = writer.exec(large).then(() => writer.exec('COMMIT'));
        await assert.rejects(failing, { code: /SQLITE_(FULL|IOERR)/ });
        await assertReadable(t, node, 'app.db', rows);
        assert.deepEqual(await rowsOf(reader), rows);
        await writer.exec('ROLLBACK').catch(() => {});
        assert.equal(node.position('app.db'), position, `${freeBytes} bytes free`);
        rmSync(join(node.dataFolder, 'ballast'));
      }
      await writer.exec("INSERT INTO t (body) VALUES ('there is room')");
      await assertReadable(t, node, 'app.db', await rowsOf(writer));
      await writer.close();
      await reader.close();
      const replayed = rowsOfFile(join(replayInto(t, node.dataFolder), 'app.db'));
      assert.equal(replayed.length, rows.length + 1);
    });
  }
});

describe('When a sync of the log fails', () => {
  for (const journalMode of JOURNAL_MODES) {
    test(`${journalMode}: nothing is accepted any more, readers go on`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3')) return;
      const faults = new Faults(t);
      const node = await startNode(t, { preload: faults.preload });
      const writer = await create(t, node, 'app.db', journalMode);
      const other = await create(t, node, 'other.db', journalMode);
      const reader = await connect(t, node.path('app.db'));
      const rows = await rowsOf(reader);
      const otherRows = await rowsOf(other);
      // The other one has a journal that is hot as soon as its client is not there any more.
      await other.exec('PRAGMA cache_size = 5');
      await other.exec('BEGIN');
      await other.exec("UPDATE t SET body = 'never'");

      faults.order({ on: 'disk', op: 'log.sync', skip: 0, action: 'EIO' });
      await assert.rejects(writer.exec("UPDATE t SET body = 'perhaps'"));
      assert.equal(faults.struck, 'sync log.sync');
      // In WAL mode the commit is in the log and in the WAL before its sync is asked for.
      const perhaps = rows.map((row) => [(row as unknown[])[0], 'perhaps']);
      const seen = await rowsOf(reader);
      const expected = journalMode === 'wal' ? [rows, perhaps] : [rows];
      assert.ok(expected.some((one) => JSON.stringify(one) === JSON.stringify(seen)));
      await assertReadable(t, node, 'app.db', seen);
      await assert.rejects(other.exec('COMMIT'));
      await assertReadable(t, node, 'other.db', otherRows);
      await other.kill();
      await assertReadable(t, node, 'other.db', otherRows);
      const late = await connect(t, node.path('app.db'));
      await assert.rejects(late.exec('DELETE FROM t'));
      assert.match(node.log, /The log failed: no writes until the node is restarted/);
      for (const client of [writer, reader, late]) await client.kill();

      await node.stop();
      await node.start();
      const after = await connect(t, node.path('app.db'));
      const kept = await rowsOf(after);
      assert.ok([rows, perhaps].some((one) => JSON.stringify(one) === JSON.stringify(kept)));
      await after.exec('DELETE FROM t WHERE id > 1');
      await assertReadable(t, node, 'other.db', otherRows);
    });
  }
});
