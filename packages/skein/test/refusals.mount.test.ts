// Wrong input: each gets a clear answer, the node's log says more, and nothing that was committed
// is lost.

import assert from 'node:assert/strict';
import { readdirSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { requirePart, SeededRandom, tempDir } from '@skein/testkit';

import { connect, numbers, rowsOf } from './clients.ts';
import { run, runBadly, runWell } from './programs.ts';
import { shareNode } from './shared-node.ts';

describe('The mount', () => {
  const shared = shareNode();
  const parts = ['fuse', 'root', 'python3', 'sqlite3'] as const;

  test('refuses names that no database can have', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    // 243 bytes leave room for the names of its companions.
    const longest = 'ä'.repeat(121) + 'x';
    const client = await connect(t, node.path(longest), { journalMode: 'wal' });
    await client.exec('CREATE TABLE t (a)');
    await client.close();
    for (const name of [`${longest}y`, 'x'.repeat(256), 'new\nline', 'tab\there', 'a-pos']) {
      assert.notEqual(run('cp', ['/bin/true', node.path(name)]).code, 0, name);
      const failing = await connect(t, node.path(name))
        .then((opened) => opened.exec('CREATE TABLE t (a)'))
        .then(
          () => 'opened',
          (error: { code: string }) => error.code,
        );
      assert.equal(failing, 'SQLITE_CANTOPEN', name);
    }
    assert.ok(readdirSync(node.mountpoint).includes(longest));
    const odd = 'with blank, "quotes", ünïcödé and 100% {more}?.db';
    const oddClient = await connect(t, node.path(odd));
    await oddClient.exec('CREATE TABLE t (a)');
    assert.equal(node.txid(odd), 1);
  });

  for (const journalMode of ['MEMORY', 'OFF']) {
    test(`refuses writes with journal_mode ${journalMode}, and says what to do`, async (t) => {
      if (!requirePart(t, ...parts)) return;
      const node = shared();
      const name = `mode-${journalMode}.db`;
      const client = await connect(t, node.path(name));
      await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
      await client.exec(`INSERT INTO t SELECT i, 'row' FROM (${numbers(200)})`);
      const before = node.position(name);
      await client.exec(`PRAGMA journal_mode = ${journalMode}`);
      assert.equal(await client.value('SELECT count(*) FROM t'), 200);
      await assert.rejects(client.exec('DELETE FROM t'), { code: 'SQLITE_IOERR' });
      await client.kill();
      assert.equal(node.position(name), before);
      assert.match(node.log, /without a journal.*DELETE, TRUNCATE, PERSIST or WAL/);
      const next = await connect(t, node.path(name));
      assert.equal(await next.value('SELECT count(*) FROM t'), 200);
      await next.exec('DELETE FROM t WHERE id = 1');
      assert.deepEqual(await next.exec('PRAGMA integrity_check'), [['ok']]);
    });
  }

  for (const journalMode of ['delete', 'truncate', 'persist'] as const) {
    test(`refuses another page size (${journalMode}), and nothing changes`, async (t) => {
      if (!requirePart(t, ...parts)) return;
      const node = shared();
      const name = `page-${journalMode}.db`;
      const client = await connect(t, node.path(name), { journalMode, pageSize: 4096 });
      await client.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
      await client.exec(`INSERT INTO t SELECT i, printf('%0500d', i) FROM (${numbers(300)})`);
      const before = { rows: await rowsOf(client), position: node.position(name) };
      await client.exec('PRAGMA page_size = 1024');
      await assert.rejects(client.exec('VACUUM'));
      assert.equal(node.position(name), before.position);
      const other = await connect(t, node.path(name));
      assert.deepEqual(await rowsOf(other), before.rows);
      assert.deepEqual(await other.exec('PRAGMA integrity_check'), [['ok']]);
      assert.match(node.log, /Cannot change the page size/);
      await other.exec('DELETE FROM t WHERE id = 1');
      await client.close();
    });
  }

  test('refuses an encrypted database, copied or written page by page', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const path = join(tempDir(t), 'encrypted.db');
    writeFileSync(path, new SeededRandom(1).bytes(8 * 4096));
    assert.match(runBadly('cp', [path, node.path('encrypted.db')]), /Invalid argument/);
    const pages =
      'import sys; data = open(sys.argv[1], "rb").read(); ' +
      'out = open(sys.argv[2], "w+b", 0); out.write(data[:4096])';
    assert.match(runBadly('python3', ['-c', pages, path, node.path('encrypted.db')]), /Invalid/);
  });

  test('is one flat folder of files', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const client = await connect(t, node.path('flat.db'));
    await client.exec('CREATE TABLE t (a)');
    const path = node.path('flat.db');
    for (const [program, ...args] of [
      ['mkdir', node.path('folder')],
      ['ln', '-s', path, node.path('symbolic')],
      ['ln', path, node.path('hard')],
      ['mkfifo', node.path('fifo')],
      ['mv', path, node.path('renamed.db')],
      ['rm', `${path}-pos`],
    ] as const) {
      assert.match(runBadly(program, args), /not permitted/, program);
    }
    assert.match(runBadly('sh', ['-c', `echo x > "${path}-pos"`]), /denied/i);
    assert.deepEqual(
      readdirSync(node.mountpoint).filter((name) => name.startsWith('flat') || name === 'folder'),
      ['flat.db', 'flat.db-pos'],
    );
    assert.equal(await client.value('SELECT count(*) FROM t'), 0);
  });

  test('shows files as a file system does', async (t) => {
    if (!requirePart(t, ...parts)) return;
    const node = shared();
    const path = node.path('shown.db');
    const client = await connect(t, path, { pageSize: 4096 });
    await client.exec('CREATE TABLE t (a)');
    await client.exec('INSERT INTO t VALUES (zeroblob(100000))');
    const pages = Number(await client.value('PRAGMA page_count'));
    assert.equal(statSync(path).size, pages * 4096);
    assert.ok(Math.abs(statSync(path).mtimeMs - Date.now()) < 60_000);
    assert.match(runWell('ls', ['-la', node.mountpoint]), /shown\.db\n/);
    runWell('chmod', ['640', path]);
    runWell('chown', ['65534:65534', path]);
    const { mode, uid, gid } = statSync(path);
    assert.deepEqual([mode & 0o777, uid, gid], [0o640, 65_534, 65_534]);
    runWell('touch', ['-d', '2020-01-02T03:04:05Z', path]);
    assert.equal(statSync(path).mtimeMs, Date.parse('2020-01-02T03:04:05Z'));
    const { blocks, bavail, bsize } = statfsSync(node.mountpoint);
    const below = statfsSync(node.dataFolder);
    assert.equal(blocks * bsize, below.blocks * below.bsize);
    assert.ok(Math.abs(bavail * bsize - below.bavail * below.bsize) < 2 ** 30);
    assert.match(runWell('df', [node.mountpoint]), /skein/);
    // Owner and mode outlive the daemon.
    await client.close();
    await node.stop();
    await node.start();
    const later = statSync(path);
    assert.deepEqual([later.mode & 0o777, later.uid, later.gid], [0o640, 65_534, 65_534]);
  });
});
