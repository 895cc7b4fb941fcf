// What a primary can do with a database, and what clients of a replica see of it: every journal
// mode and each switch between them, every page size, other sizes, a drop, a restart.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';

import {
  hasPart,
  JOURNAL_MODES,
  onTestEnd,
  requirePart,
  type SqliteProcess,
  tempDir,
  type TestScope,
} from '@skein/testkit';

import { connect, numbers, rowsOf } from './clients.ts';
import { eventually } from './eventually.ts';
import { type NodePair, startPair } from './node-pair.ts';
import { runWell } from './programs.ts';

const PARTS = ['fuse', 'root', 'python3'] as const;

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

/** What a database is, whatever its pages and its journal: the same bytes for the same content. */
function vacuumed(t: TestContext, path: string): string {
  const copy = join(tempDir(t), 'copy.db');
  const script =
    'import sqlite3, sys; sqlite3.connect("file:" + sys.argv[1], uri=True, timeout=10)' +
    '.execute("VACUUM INTO ?", (sys.argv[2],))';
  runWell('python3', ['-c', script, path, copy]);
  return runWell('sha256sum', [copy]).split(' ')[0]!;
}

for (const passthrough of ['auto', 'off'] as const) {
  describe(`A database on a replica (passthrough ${passthrough})`, () => {
    const scope: TestScope = { after };
    onTestEnd(scope, () => {});
    let pair: NodePair;
    before(async () => {
      if (!hasPart('fuse') || !hasPart('root') || !hasPart('python3')) return;
      pair = await startPair(scope, { config: { passthrough }, timeoutMs: 600_000 });
    });

    async function isSame(t: TestContext, name: string): Promise<void> {
      await pair.caughtUp(name);
      const [ours, theirs] = [pair.primary, pair.replica].map((one) => vacuumed(t, one.path(name)));
      assert.equal(theirs, ours, name);
    }

    test('is the same through every change of the journal mode', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const name = 'modes.db';
      const writer = await connect(t, pair.primary.path(name), { busyTimeoutMs: 5000 });
      await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
      await pair.caughtUp(name);
      const reader = await connect(t, pair.replica.path(name));
      for (const from of JOURNAL_MODES) {
        for (const to of JOURNAL_MODES) {
          for (const mode of [from, to]) {
            assert.equal(await writer.value(`PRAGMA journal_mode = ${mode}`), mode);
            await writer.exec('INSERT INTO t (body) VALUES (?)', ['x'.repeat(3000)]);
            await pair.caughtUp(name);
            assert.deepEqual(await rowsOf(reader), await rowsOf(writer), `${from} to ${to}`);
            assert.equal(await reader.value('PRAGMA journal_mode'), 'wal');
          }
        }
      }
      assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']]);
      await isSame(t, name);
    });

    for (const pageSize of PAGE_SIZES) {
      test(`is the same with pages of ${pageSize} bytes`, async (t) => {
        if (!requirePart(t, ...PARTS)) return;
        for (const journalMode of ['wal', 'delete'] as const) {
          const name = `pages-${pageSize}-${journalMode}.db`;
          const writer = await connect(t, pair.primary.path(name), { pageSize, journalMode });
          await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
          await pair.caughtUp(name);
          const reader = await connect(t, pair.replica.path(name));
          await reader.exec('BEGIN');
          assert.deepEqual(await rowsOf(reader), []);
          await writer.exec(`INSERT INTO t SELECT i, randomblob(700) FROM (${numbers(500)})`);
          await writer.exec('DELETE FROM t WHERE id % 3 = 0');
          await pair.caughtUp(name);
          assert.deepEqual(await rowsOf(reader), []);
          await reader.exec('COMMIT');
          assert.equal(await reader.value('PRAGMA page_size'), pageSize);
          assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']]);
          assert.deepEqual(await rowsOf(reader), await rowsOf(writer));
          await isSame(t, name);
          await writer.kill();
          await reader.kill();
        }
      });
    }

    test('shrinks, and grows, under its readers', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const name = 'sizes.db';
      const writer = await connect(t, pair.primary.path(name));
      await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
      await pair.caughtUp(name);
      const reader = await connect(t, pair.replica.path(name));
      for (let round = 0; round < 4; round++) {
        await writer.exec(`INSERT INTO t SELECT NULL, randomblob(3000) FROM (${numbers(700)})`);
        await pair.caughtUp(name);
        const old = await connect(t, pair.replica.path(name));
        await old.exec('PRAGMA cache_size = 0');
        await old.exec('BEGIN');
        const rows = await rowsOf(old);
        await writer.exec('DELETE FROM t WHERE id % 10 > 0');
        await writer.exec('VACUUM');
        await pair.caughtUp(name);
        assert.deepEqual(await rowsOf(reader), await rowsOf(writer));
        assert.deepEqual(await rowsOf(old), rows);
        await old.kill();
      }
      assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']]);
      await isSame(t, name);
    });

    test("goes with the primary's, but not from who has it open, and comes again", async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const name = 'dropped.db';
      for (let round = 0; round < 5; round++) {
        const writer = await connect(t, pair.primary.path(name), { journalMode: 'wal' });
        await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
        await writer.exec('INSERT INTO t (body) VALUES (?)', [`round ${round}`]);
        await pair.caughtUp(name);
        const reader = await connect(t, pair.replica.path(name));
        await reader.exec('BEGIN');
        assert.deepEqual(await rowsOf(reader), [[1, `round ${round}`]]);
        await writer.close();
        for (const suffix of ['', '-wal', '-shm']) {
          runWell('rm', ['-f', pair.primary.path(name + suffix)]);
        }
        await eventually('the name is gone', () => !existsSync(pair.replica.path(name)));
        assert.deepEqual(await rowsOf(reader), [[1, `round ${round}`]]);
        await reader.kill();
      }
    });

    test('takes a transaction that is too large for memory', async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const name = 'large.db';
      const writer = await connect(t, pair.primary.path(name));
      await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
      await pair.caughtUp(name);
      const reader = await connect(t, pair.replica.path(name));
      assert.deepEqual(await rowsOf(reader), []);
      await writer.exec(`INSERT INTO t SELECT i, randomblob(100000) FROM (${numbers(300)})`);
      await pair.caughtUp(name);
      assert.equal(await reader.value('SELECT count(*) FROM t'), 300);
      await isSame(t, name);
    });
  });
}

describe('A replica that is started again', () => {
  for (const passthrough of ['auto', 'off'] as const) {
    test(`goes on where it was (passthrough ${passthrough})`, async (t) => {
      if (!requirePart(t, ...PARTS)) return;
      const pair = await startPair(t, { config: { passthrough } });
      const opened = (path: string): Promise<SqliteProcess> => connect(t, path);
      const names = Array.from({ length: 5 }, (_, n) => `db-${n}.db`);
      for (const name of names) {
        const writer = await opened(pair.primary.path(name));
        await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
        await writer.kill();
      }
      for (let round = 0; round < 2; round++) {
        const reader = await opened(pair.replica.path(names[0]!)).catch(() => undefined);
        await reader?.exec('BEGIN').then(() => rowsOf(reader));
        if (round === 1) await pair.kill();
        else await pair.stop();
        await reader?.kill();
        await pair.start();
        for (const name of names) {
          const writer = await opened(pair.primary.path(name));
          await writer.exec('INSERT INTO t (body) VALUES (?)', [round]);
          await pair.caughtUp(name);
          const late = await opened(pair.replica.path(name));
          assert.deepEqual(await rowsOf(late), await rowsOf(writer), `${name}, round ${round}`);
          await late.kill();
          await writer.kill();
        }
      }
    });
  }
});
