// What SQLite can do with a database, in every journal mode on the mount.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import {
  JOURNAL_MODES,
  type JournalMode,
  requirePart,
  type SqliteProcess,
  tempDir,
} from '@skein/testkit';

import { connect, numbers } from './clients.ts';
import { run, runWell } from './programs.ts';
import { replayLog } from './replay-log.ts';
import { shareNode } from './shared-node.ts';
import type { TestNode } from './test-node.ts';

interface Place {
  readonly t: TestContext;
  readonly node: TestNode;
  readonly path: string;
  readonly journalMode: JournalMode;
  /** Has created the database, and the table t with 1000 rows of some size. */
  readonly client: SqliteProcess;
  /** Another connection. */
  readonly other: SqliteProcess;
}

const ROWS = 1000;
const FILL = `INSERT INTO t SELECT i, printf('%0500d', i) FROM (${numbers(ROWS)})`;

type Feature = (place: Place) => Promise<void>;

const FEATURES: Readonly<Record<string, Feature>> = {
  'VACUUM, and other connections go on': async ({ client, other }) => {
    await client.exec('DELETE FROM t WHERE id > 100');
    const pages = Number(await other.value('PRAGMA page_count'));
    await client.exec('VACUUM');
    assert.ok(Number(await other.value('PRAGMA page_count')) < pages / 5);
    assert.equal(await other.value('SELECT sum(id) FROM t'), 5050);
    await other.exec('INSERT INTO t VALUES (101, NULL)');
    assert.equal(await client.value('SELECT sum(id) FROM t'), 5151);
  },

  'VACUUM INTO another name on the mount': async ({ t, client, node, path }) => {
    await client.exec(`VACUUM INTO '${path}-copy.db'`);
    const copy = await connect(t, `${path}-copy.db`);
    assert.equal(await copy.value('SELECT sum(id) FROM t'), 500_500);
    assert.ok(node.txid(`${path.slice(node.mountpoint.length + 1)}-copy.db`) > 0);
  },

  'auto_vacuum full and incremental': async ({ client, other, path }) => {
    for (const [mode, name] of ['full', 'incremental'].entries()) {
      await client.exec(`PRAGMA auto_vacuum = ${name}`);
      await client.exec('VACUUM');
      assert.equal(await client.value('PRAGMA auto_vacuum'), mode + 1);
      await client.exec('DELETE FROM t');
      if (name === 'incremental') {
        assert.ok(Number(await other.value('PRAGMA freelist_count')) > 20);
        runWell('sqlite3', [path, 'PRAGMA incremental_vacuum']);
      }
      assert.equal(await other.value('PRAGMA freelist_count'), 0);
      assert.ok(Number(await other.value('PRAGMA page_count')) < 10);
      await client.exec(FILL);
    }
  },

  'full-text search': async ({ client, other }) => {
    await client.exec('CREATE VIRTUAL TABLE search USING fts5 (body)');
    await client.exec("INSERT INTO search SELECT 'goose number ' || id FROM t");
    await client.exec('DELETE FROM search WHERE rowid = 500');
    await client.exec("INSERT INTO search (search) VALUES ('optimize')");
    assert.equal(await other.value("SELECT count(*) FROM search ('goose')"), ROWS - 1);
    assert.equal(await other.value("SELECT count(*) FROM search ('500')"), 0);
  },

  'savepoints, with more than the page cache holds': async ({ client, other }) => {
    await client.exec('PRAGMA cache_size = 10');
    await client.exec('BEGIN');
    await client.exec("UPDATE t SET body = 'first' || body");
    await client.exec('SAVEPOINT inner');
    await client.exec("UPDATE t SET body = 'second' || body");
    await client.exec('DELETE FROM t WHERE id % 2 = 0');
    await client.exec('ROLLBACK TO inner');
    await client.exec('UPDATE t SET body = NULL WHERE id = 1');
    await client.exec('RELEASE inner');
    await client.exec('COMMIT');
    assert.equal(await other.value("SELECT count(*) FROM t WHERE body LIKE 'first0%'"), ROWS - 1);
  },

  'ROLLBACK of what was spilled leaves no transaction': async ({ client, other, node, path }) => {
    const name = path.slice(node.mountpoint.length + 1);
    const before = node.position(name);
    await client.exec('PRAGMA cache_size = 10');
    await client.exec('BEGIN');
    await client.exec("UPDATE t SET body = printf('%0800d', id)");
    await client.exec('CREATE TABLE u (a)');
    await client.exec('ROLLBACK');
    assert.equal(node.position(name), before);
    assert.equal(
      await other.value("SELECT count(*) FROM t WHERE body = printf('%0500d', id)"),
      ROWS,
    );
    await other.exec('DELETE FROM t WHERE id = 1');
    assert.equal(node.txid(name), Number.parseInt(before.slice(0, 16), 16) + 1);
  },

  'checkpoints of all four kinds, with a reader': async ({ client, other, journalMode }) => {
    for (const kind of ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']) {
      await client.exec('UPDATE t SET body = ? || substr(body, 2) WHERE id % 7 = 0', [kind[0]!]);
      const [[isBusy, frames, copied]] = (await other.exec(`PRAGMA wal_checkpoint(${kind})`)) as [
        [number, number, number],
      ];
      assert.equal(isBusy, 0);
      assert.equal(frames, copied);
      if (journalMode !== 'wal') assert.equal(frames, -1);
      const count = await other.value("SELECT count(*) FROM t WHERE body LIKE ? || '%'", [
        kind[0]!,
      ]);
      assert.equal(count, Math.floor(ROWS / 7));
    }
  },

  'memory-mapped reading': async ({ client, other }) => {
    await other.exec('PRAGMA mmap_size = 268435456');
    for (let round = 0; round < 10; round++) {
      assert.equal(await other.value('SELECT sum(length(body)) FROM t'), (ROWS - round * 50) * 500);
      await client.exec(`DELETE FROM t WHERE id > ${ROWS - (round + 1) * 50}`);
      if (round % 3 === 2) await client.exec('VACUUM');
    }
    await client.exec("UPDATE t SET body = 'new'");
    assert.equal(await other.value("SELECT count(*) FROM t WHERE body = 'new'"), ROWS - 500);
  },

  'locking_mode=EXCLUSIVE in rollback modes': async ({
    client,
    other,
    node,
    path,
    journalMode,
  }) => {
    if (journalMode === 'wal') return;
    const name = path.slice(node.mountpoint.length + 1);
    await client.exec('PRAGMA locking_mode = EXCLUSIVE');
    const before = node.txid(name);
    for (let id = 1; id <= 5; id++) await client.exec('DELETE FROM t WHERE id = ?', [id]);
    assert.equal(node.txid(name), before + 5);
    await assert.rejects(other.exec('SELECT count(*) FROM t'), { code: 'SQLITE_BUSY' });
    await client.exec('PRAGMA locking_mode = NORMAL');
    await client.exec('DELETE FROM t WHERE id = 6');
    assert.equal(await other.value('SELECT count(*) FROM t'), ROWS - 6);
  },

  'online backup out of the mount and into it': async ({ t, client, path }) => {
    const outside = join(tempDir(t), 'copy.db');
    const backup =
      'import sqlite3, sys; a, b = map(sqlite3.connect, sys.argv[1:]); a.backup(b, pages=50)';
    runWell('python3', ['-c', backup, path, outside]);
    const copy = await connect(t, outside);
    assert.equal(await copy.value('SELECT sum(id) FROM t'), 500_500);
    await copy.exec('DELETE FROM t WHERE id > 10');
    await copy.exec('VACUUM');
    await copy.close();
    runWell('python3', ['-c', backup, outside, path]);
    assert.equal(await client.value('SELECT sum(id) FROM t'), 55);
    runWell('python3', ['-c', backup, outside, `${path}-new.db`]);
    const created = await connect(t, `${path}-new.db`);
    assert.equal(await created.value('SELECT sum(id) FROM t'), 55);
  },

  'the shell recovers as much as from a plain file': async ({ t, client, path }) => {
    const plain = join(tempDir(t), 'plain.db');
    await client.exec(`VACUUM INTO '${plain}'`);
    await client.exec('VACUUM');
    // Debian's shell of SQLite 3.40 cannot do it at all, and says so.
    const expected = run('sqlite3', [plain, '.recover']);
    assert.deepEqual(run('sqlite3', [path, '.recover']), expected);
  },

  'one transaction over two databases': async ({ t, client, other, path, journalMode }) => {
    const second = `${path}-second.db`;
    const owner = await connect(t, second, { journalMode });
    await owner.exec('CREATE TABLE u (a)');
    await client.exec(`ATTACH '${second}' AS second`);
    for (const end of ['ROLLBACK', 'COMMIT']) {
      await client.exec('BEGIN');
      await client.exec('DELETE FROM t WHERE id <= 10');
      await client.exec('INSERT INTO second.u SELECT id FROM t WHERE id <= 20');
      await client.exec(end);
    }
    assert.equal(await other.value('SELECT count(*) FROM t'), ROWS - 10);
    assert.equal(await owner.value('SELECT count(*) FROM u'), 10);
    assert.deepEqual(await owner.exec('PRAGMA integrity_check'), [['ok']]);
    await client.exec('DETACH second');
    await owner.close();
  },

  'more in one transaction than the node keeps in memory': async ({ client, other }) => {
    await client.exec('BEGIN');
    for (let round = 0; round < 4; round++) {
      await client.exec('INSERT INTO t SELECT NULL, randomblob(4000) FROM t LIMIT 1000');
    }
    await client.exec('UPDATE t SET body = substr(body, 1, 2000)');
    await client.exec('COMMIT');
    const sizes = 'SELECT count(*), sum(length(body)) FROM t';
    assert.deepEqual(await other.exec(sizes), [[ROWS + 4000, ROWS * 500 + 4000 * 2000]]);
  },
};

describe('On the mount', () => {
  const shared = shareNode({ timeoutMs: 600_000, config: { overlayBytes: 1024 * 1024 } });

  for (const [title, feature] of Object.entries(FEATURES)) {
    for (const journalMode of JOURNAL_MODES) {
      test(`${title} (${journalMode})`, async (t) => {
        if (!requirePart(t, 'fuse', 'root', 'python3', 'sqlite3')) return;
        const node = shared();
        const path = node.path(`${journalMode}-${title.replaceAll(/\W/g, '')}`);
        const client = await connect(t, path, { journalMode });
        await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
        await client.exec(FILL);
        const other = await connect(t, path);
        await feature({ t, node, path, journalMode, client, other });
        assert.deepEqual(await other.exec('PRAGMA integrity_check'), [['ok']]);
        assert.deepEqual(await client.exec('PRAGMA integrity_check'), [['ok']]);
        await other.close();
        await client.close();
      });
    }
  }

  test('the log has all of it', (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3', 'sqlite3')) return;
    const node = shared();
    for (const [name, bytes] of replayLog(t, node.dataFolder)) {
      assert.ok(bytes.equals(readFileSync(node.path(name))), `${name} differs in the log`);
    }
  });
});
