// Databases that come and go as files: cp, mv, rsync, a shell's redirection, programs of all kinds,
// rm. Each has a stated outcome (docs/guarantees.md), and costs nothing that was committed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { JOURNAL_MODES, requirePart, tempDir } from '@skein/testkit';

import { connect, numbers } from './clients.ts';
import { eventually } from './eventually.ts';
import { runBadly, runWell } from './programs.ts';
import { replayLog } from './replay-log.ts';
import { shareNode } from './shared-node.ts';

const SKEIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

interface Source {
  readonly rows: number;
  readonly pageSize?: number;
  readonly journalMode?: string;
}

/** A database outside of the mount, with that many rows in table t. */
function makeFile(
  t: TestContext,
  { rows, pageSize = 4096, journalMode = 'delete' }: Source,
): string {
  const path = join(tempDir(t), 'source.db');
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = ${journalMode}`);
  database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
  database.exec(`INSERT INTO t SELECT i, printf('%0300d', i) FROM (${numbers(rows)})`);
  database.close();
  return path;
}

/** Ways to bring a file to the mount under a name that is new. */
const COPIES: Readonly<Record<string, (source: string, target: string) => void>> = {
  cp: (source, target) => void runWell('cp', [source, target]),
  mv: (source, target) => {
    copyFileSync(source, `${source}.moved`);
    runWell('mv', [`${source}.moved`, target]);
  },
  'a redirection': (source, target) =>
    void runWell('sh', ['-c', 'cat "$1" > "$2"', 'sh', source, target]),
  dd: (source, target) =>
    void runWell('dd', [`if=${source}`, `of=${target}`, 'bs=3000', 'status=none']),
  'shutil.copy': (source, target) =>
    void runWell('python3', [
      '-c',
      'import shutil, sys; shutil.copy(*sys.argv[1:])',
      source,
      target,
    ]),
  // Opens for reading and writing, in pieces that are no pages.
  'a program with r+w': (source, target) =>
    void runWell('python3', ['-c', READ_WRITE_COPY, source, target]),
  'the way of rsync': (source, target) => {
    const staging = join(target, '..', `.${target.split('/').at(-1)}.Xy12Zw`);
    runWell('cp', [source, staging]);
    runWell('mv', [staging, target]);
  },
};

const READ_WRITE_COPY = `
import sys
data = open(sys.argv[1], 'rb').read()
with open(sys.argv[2], 'w+b') as file:
    for at in range(0, len(data), 70000): file.write(data[at:at + 70000])
`;

describe('A file that is copied to the mount', () => {
  const shared = shareNode({
    timeoutMs: 600_000,
    config: { log: { format: 'text', level: 'info' } },
  });
  const parts = ['fuse', 'root', 'python3', 'sqlite3'] as const;

  for (const [way, copy] of Object.entries(COPIES)) {
    test(`${way}: is one transaction, and a database`, async (t) => {
      if (!requirePart(t, ...parts)) return;
      const node = shared();
      const name = `${way.replaceAll(' ', '-')}.db`;
      const source = makeFile(t, { rows: 2000 });
      copy(source, node.path(name));
      assert.equal(node.txid(name), 1);
      assert.ok(readFileSync(node.path(name)).equals(readFileSync(source)));
      const client = await connect(t, node.path(name));
      await client.exec('DELETE FROM t WHERE id > 1');
      assert.equal(node.txid(name), 2);
      assert.equal(await client.value('SELECT count(*) FROM t'), 1);
    });
  }

  test('rsync, when it is there', async (t) => {
    if (!requirePart(t, ...parts, 'rsync')) return;
    const node = shared();
    const source = makeFile(t, { rows: 500 });
    runWell('rsync', ['-a', source, node.path('rsync.db')]);
    assert.equal(node.txid('rsync.db'), 1);
    const client = await connect(t, node.path('rsync.db'));
    assert.equal(await client.value('SELECT count(*) FROM t'), 500);
    // While somebody has it open: refused, nothing changes.
    const other = makeFile(t, { rows: 5 });
    runBadly('rsync', ['-a', '-I', other, node.path('rsync.db')]);
    assert.equal(await client.value('SELECT count(*) FROM t'), 500);
  });

  test('with its WAL, copied first: the transactions in it are taken in', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const source = makeFile(t, { rows: 10, journalMode: 'wal' });
    const database = new DatabaseSync(source);
    database.exec('INSERT INTO t VALUES (11, NULL)');
    runWell('cp', [`${source}-wal`, node.path('with.db-wal')]);
    runWell('cp', [source, node.path('with.db')]);
    database.close();
    const client = await connect(t, node.path('with.db'));
    assert.equal(await client.value('SELECT count(*) FROM t'), 11);
    await client.close();
    assert.ok(node.txid('with.db') > 1);
  });

  for (const journalMode of JOURNAL_MODES) {
    test(`over a live database (${journalMode}): all connections see the new one`, async (t) => {
      if (!requirePart(t, ...parts)) return;
      const node = shared();
      const name = `over-${journalMode}.db`;
      const clients = [];
      for (const driver of ['python', 'shell', 'node-sqlite'] as const) {
        clients.push(
          await connect(t, node.path(name), { driver, journalMode, busyTimeoutMs: 9000 }),
        );
      }
      await clients[0]!.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
      await clients[1]!.exec('INSERT INTO t VALUES (1, NULL)');
      assert.equal(await clients[2]!.value('SELECT count(*) FROM t'), 1);
      const before = node.txid(name);
      runWell('cp', [makeFile(t, { rows: 700 }), node.path(name)]);
      assert.equal(node.txid(name), before + 1);
      for (const [n, client] of clients.entries()) {
        assert.equal(await client.value('SELECT count(*) FROM t'), 700 + n);
        await client.exec('INSERT INTO t (body) VALUES (NULL)');
      }
      // And by import, with a transaction open that has to end first.
      const [writer] = clients;
      await writer!.exec('BEGIN IMMEDIATE');
      await writer!.exec('DELETE FROM t');
      const args = ['--conditions=@skein/source', SKEIN, 'import', '--data', node.dataFolder];
      const file = makeFile(t, { rows: 300 });
      const importing = spawn(process.execPath, [...args, '--name', name, '--quiet', file], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await new Promise((resolve) => setTimeout(resolve, 800));
      await writer!.exec('COMMIT');
      assert.deepEqual(await once(importing, 'close'), [0, null]);
      for (const client of clients) {
        assert.equal(await client.value('SELECT count(*) FROM t'), 300);
        assert.deepEqual(await client.exec('PRAGMA integrity_check'), [['ok']]);
      }
      for (const client of clients) await client.close();
    });
  }

  test('over a database whose transaction does not end: fails, nothing changes', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const client = await connect(t, node.path('busy.db'));
    await client.exec('CREATE TABLE t (a)');
    const before = node.position('busy.db');
    await client.exec('BEGIN IMMEDIATE');
    assert.match(runBadly('cp', [makeFile(t, { rows: 3 }), node.path('busy.db')]), /busy/i);
    await client.exec('COMMIT');
    assert.equal(node.position('busy.db'), before);
    await client.exec('INSERT INTO t VALUES (1)');
  });

  test('interrupted: a new name is gone, an old database is as it was', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const source = makeFile(t, { rows: 5000 });
    const half = join(tempDir(t), 'half.db');
    copyFileSync(source, half);
    truncateSync(half, 100_000);
    runBadly('cp', [half, node.path('half.db')]);
    await eventually('the name is gone', () => !existsSync(node.path('half.db')));
    runWell('cp', [makeFile(t, { rows: 7 }), node.path('half.db')]);
    const client = await connect(t, node.path('half.db'));
    assert.equal(await client.value('SELECT count(*) FROM t'), 7);
    const before = node.position('half.db');
    runBadly('cp', [half, node.path('half.db')]);
    await killedCopy(source, node.path('half.db'));
    assert.equal(node.position('half.db'), before);
    assert.equal(await client.value('SELECT count(*) FROM t'), 7);
    await client.exec('INSERT INTO t (body) VALUES (NULL)');
    assert.match(node.log, /A copy was not a whole database/);
  });

  test('with another page size: over a database it is refused, after rm it is not', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const path = node.path('pages.db');
    runWell('cp', [makeFile(t, { rows: 20, pageSize: 4096 }), path]);
    const other = makeFile(t, { rows: 30, pageSize: 1024 });
    assert.match(runBadly('cp', [other, path]), /Invalid argument/);
    assert.equal(node.txid('pages.db'), 1);
    runWell('rm', [path]);
    runWell('cp', [other, path]);
    assert.equal(node.txid('pages.db'), 3, 'The removal is a transaction too');
    const client = await connect(t, path);
    assert.equal(await client.value('SELECT count(*) FROM t'), 30);
    assert.ok(replayLog(t, node.dataFolder).get('pages.db')!.equals(readFileSync(other)));
  });

  test('that is no database: refused, and the log says why', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const garbage = join(tempDir(t), 'garbage');
    const path = node.path('garbage.db');
    for (const content of ['no database at all', 'x'.repeat(10_000), 'SQLite format 3\0']) {
      writeFileSync(garbage, content);
      runBadly('cp', [garbage, path]);
      await eventually('the name is gone', () => !existsSync(path));
      runWell('cp', [garbage, node.path('.anything')]);
      assert.equal(readFileSync(node.path('.anything'), 'utf8'), content);
    }
    assert.match(node.log, /it is no SQLite database/);
  });

  test('rm drops the database, and the name can be used again', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const path = node.path('drop.db');
    for (const [n, journalMode] of JOURNAL_MODES.entries()) {
      const client = await connect(t, path, { journalMode, pageSize: 512 << n });
      await client.exec('CREATE TABLE t (a)');
      await client.exec('INSERT INTO t VALUES (?)', [n]);
      assert.deepEqual(await client.exec('SELECT * FROM t'), [[n]]);
      await client.close();
      const before = node.txid('drop.db');
      runWell('rm', [path]);
      assert.equal(existsSync(path), false);
      assert.equal(existsSync(`${path}-pos`), false);
      assert.equal(existsSync(`${path}-wal`), false);
      assert.equal(replayLog(t, node.dataFolder).has('drop.db'), false);
      assert.ok(before >= (n + 1) * 2 + n, `${before} transactions`);
    }
  });

  test('a program that writes over a database in place is refused', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const path = node.path('in-place.db');
    runWell('cp', [makeFile(t, { rows: 50 }), path]);
    const before = node.position('in-place.db');
    const overwrite =
      'import os, sys; f = os.open(sys.argv[1], os.O_RDWR); os.write(f, bytes(4096))';
    assert.match(runBadly('python3', ['-c', overwrite, path]), /Input\/output error/);
    const fd = openSync(path, 'r+');
    assert.throws(() => ftruncateSync(fd, 0), { code: 'EIO' });
    closeSync(fd);
    assert.equal(node.position('in-place.db'), before);
    const client = await connect(t, path);
    assert.equal(await client.value('SELECT count(*) FROM t'), 50);
    assert.deepEqual(await client.exec('PRAGMA integrity_check'), [['ok']]);
  });
});

/** cp is killed when it has written some of it. */
async function killedCopy(source: string, target: string): Promise<void> {
  const program = `
import os, signal, sys
data = open(sys.argv[1], 'rb').read()
file = os.open(sys.argv[2], os.O_WRONLY | os.O_TRUNC)
os.write(file, data[:len(data) // 2])
os.kill(os.getpid(), signal.SIGKILL)
`;
  const copy = spawn('python3', ['-c', program, source, target], { stdio: 'inherit' });
  assert.deepEqual(await once(copy, 'close'), [null, 'SIGKILL']);
}
