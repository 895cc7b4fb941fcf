// Connections that live through changes which others make: the journal mode, in both directions,
// and checkpoints behind the back of a reader of an old snapshot.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { JOURNAL_MODES, requirePart, tempDir } from '@skein/testkit';

import { connect, numbers, rowsOf, rowsOfFile } from './clients.ts';
import { runWell } from './programs.ts';
import { replayInto } from './replay-log.ts';
import { shareNode } from './shared-node.ts';

const DROP_CACHES =
  'import os, sys; fd = os.open(sys.argv[1], os.O_RDONLY); ' +
  'os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)';

describe('Connections that stay open', () => {
  const shared = shareNode({ config: { checkpointBytes: 256 * 1024, segmentBytes: 256 * 1024 } });

  test('while others switch the journal mode, from each to each', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const node = shared();
    const path = node.path('switch.db');
    const reader = await connect(t, path, { busyTimeoutMs: 5000 });
    const writer = await connect(t, path, { busyTimeoutMs: 5000 });
    await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
    let count = 0;
    const writeAndRead = async (): Promise<void> => {
      for (const client of [writer, reader]) {
        await client.exec('INSERT INTO t (body) VALUES (?)', ['x'.repeat(5000)]);
        count++;
        for (const one of [writer, reader]) {
          assert.equal(await one.value('SELECT count(*) FROM t'), count);
        }
      }
    };
    for (const from of JOURNAL_MODES) {
      for (const to of JOURNAL_MODES) {
        for (const mode of [from, to]) {
          // SQLite leaves WAL mode only when it has the database to itself.
          if ((await writer.value('PRAGMA journal_mode')) === 'wal' && mode !== 'wal') {
            await reader.close();
          }
          assert.equal(await writer.value(`PRAGMA journal_mode = ${mode}`), mode);
          await reader.close().catch(() => {});
          await reader.open(path, { busyTimeoutMs: 5000 });
          if (mode !== 'wal') await reader.exec(`PRAGMA journal_mode = ${mode}`);
          await writeAndRead();
        }
      }
    }
    assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']]);
    const replayed = rowsOfFile(join(replayInto(t, node.dataFolder), 'switch.db'));
    assert.deepEqual(replayed, await rowsOf(reader));
  });

  test('while a rollback mode becomes WAL mode under them', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const path = shared().path('to-wal.db');
    const clients = [];
    for (let n = 0; n < 3; n++) clients.push(await connect(t, path, { busyTimeoutMs: 5000 }));
    await clients[0]!.exec('CREATE TABLE t (a)');
    for (const client of clients) await rowsOf(client);
    assert.equal(await clients[1]!.value('PRAGMA journal_mode = wal'), 'wal');
    for (const [n, client] of clients.entries()) {
      await client.exec('INSERT INTO t VALUES (?)', [n]);
      for (const one of clients) assert.equal((await rowsOf(one)).length, n + 1);
    }
  });

  test('with a snapshot of before: each page is what it was', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const node = shared();
    const path = node.path('snapshot.db');
    const writer = await connect(t, path, { journalMode: 'wal', pageSize: 1024 });
    await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
    await writer.exec(`INSERT INTO t SELECT i, printf('%0900d', i) FROM (${numbers(800)})`);
    await writer.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    await writer.exec("UPDATE t SET body = 'a' || substr(body, 2) WHERE id % 3 = 0");
    const expected = await rowsOf(writer);

    const reader = await connect(t, path);
    await reader.exec('PRAGMA cache_size = 0');
    await reader.exec('BEGIN');
    assert.equal(await reader.value('SELECT count(*) FROM t WHERE id < 3'), 2);
    for (let round = 0; round < 6; round++) {
      await writer.exec('UPDATE t SET body = ? || substr(body, 2) WHERE id % 5 = ?', [
        String(round),
        round % 5,
      ]);
      await writer
        .exec(`PRAGMA wal_checkpoint(${round % 2 === 0 ? 'PASSIVE' : 'FULL'})`)
        .catch(() => {});
      runWell('python3', ['-c', DROP_CACHES, path]);
      runWell('python3', ['-c', DROP_CACHES, `${path}-wal`]);
      assert.deepEqual(await rowsOf(reader), expected, `Round ${round}`);
    }
    await reader.exec('COMMIT');
    const now = await rowsOf(writer);
    assert.deepEqual(await rowsOf(reader), now);

    // What the node exports and what its log says is the newest state, not the reader's.
    const replayed = rowsOfFile(join(replayInto(t, node.dataFolder), 'snapshot.db'));
    assert.deepEqual(replayed, now);
    await reader.close();
    await writer.close();
    const copy = join(tempDir(t), 'copy.db');
    runWell('cp', [path, copy]);
    assert.deepEqual(rowsOfFile(copy), now);
    assert.ok(readFileSync(copy).length > 800 * 900);
  });
});
