// How a node begins and ends: signals with clients connected, its command, an unmount by hand, a
// second daemon, users who are not root.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { findMount } from '@skein/fuse';
import {
  AS_NOBODY,
  canRunAsNobody,
  JOURNAL_MODES,
  NOBODY,
  requirePart,
  tempDir,
} from '@skein/testkit';

import { connect, rowsOf } from './clients.ts';
import { eventually } from './eventually.ts';
import { asNobodyWithFuse, besideAsNobody } from './nobody.ts';
import { run } from './programs.ts';
import { startNode, type TestNode } from './test-node.ts';

/** Ten seconds are promised, on a machine that does nothing else. */
const END_MS_MAX = 30_000;

/** No mount, no scratch file, no process: as if the node had never been. */
function assertNothingLeft(node: TestNode, pid: number): void {
  assert.equal(findMount(node.mountpoint), undefined);
  assert.deepEqual(readdirSync(node.mountpoint), []);
  assert.equal(spawnSync('pgrep', ['--parent', String(pid)]).status, 1, 'A child is left');
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  const left = readdirSync(node.dataFolder).filter((name) => !KEPT.has(name));
  assert.deepEqual(left, []);
}

const KEPT = new Set(['lock', 'node.json', 'log', 'dbs', 'bounds.json']);

async function fillWithClients(t: TestContext, node: TestNode): Promise<void> {
  for (const journalMode of ['delete', 'wal'] as const) {
    const path = node.path(`${journalMode}.db`);
    const client = await connect(t, path, { journalMode });
    await client.exec('CREATE TABLE t (a)');
    await client.exec('INSERT INTO t VALUES (1)');
    const reader = await connect(t, path);
    await reader.exec('BEGIN');
    await rowsOf(reader);
    await client.exec('BEGIN IMMEDIATE');
    await client.exec('INSERT INTO t VALUES (2)');
  }
}

describe('A node', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`ends at ${signal} with clients in transactions, and leaves nothing behind`, async (t) => {
      if (!requirePart(t, 'fuse', 'root', 'python3')) return;
      const node = await startNode(t);
      await fillWithClients(t, node);
      const { pid } = node;
      const { code, tookMs } = await node.stop(signal);
      assert.equal(code, 0, node.log);
      assert.ok(tookMs < END_MS_MAX, `${tookMs} ms`);
      assertNothingLeft(node, pid);
      await node.start();
      for (const name of ['delete.db', 'wal.db']) {
        const client = await connect(t, node.path(name));
        assert.deepEqual(await rowsOf(client), [[1]]);
      }
    });
  }

  test('ends when somebody unmounts it', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const node = await startNode(t);
    const { pid } = node;
    assert.equal(run('umount', [node.mountpoint]).code, 0);
    const { code, tookMs } = await node.ended();
    assert.equal(code, 0);
    assert.ok(tookMs < END_MS_MAX);
    assertNothingLeft(node, pid);
    assert.match(node.log, /taken down by somebody else/);
  });

  test('lives with its command: signals go to it, its exit code comes back', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const folder = tempDir(t);
    const script = `
      cd ${folder}
      trap 'echo got USR1 >> out; sqlite3 mnt/app.db "SELECT a FROM t" >> out; exit 7' USR1
      sqlite3 mnt/app.db 'CREATE TABLE t (a); INSERT INTO t VALUES (42)'
      echo started >> out
      while :; do sleep 0.05; done`;
    const config = { exec: [['true'], ['sh', '-c', script]] as const };
    const node = await startNode(t, { folder, config });
    const { pid } = node;
    const output = (): string => run('cat', [join(folder, 'out')]).stdout;
    await eventually('the command has started', () => output() === 'started\n');
    process.kill(pid, 'SIGUSR1');
    assert.equal((await node.ended()).code, 7);
    assert.equal(output(), 'started\ngot USR1\n42\n');
    assertNothingLeft(node, pid);
  });

  test('kills a command that does not end, in time', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    const armed = join(tempDir(t), 'armed');
    const script = `trap '' TERM INT; : > '${armed}'; while :; do sleep 0.1; done`;
    const node = await startNode(t, { config: { exec: [['sh', '-c', script]] } });
    const { pid } = node;
    await eventually('the command ignores signals', () => existsSync(armed));
    const { code, tookMs } = await node.stop('SIGTERM');
    assert.equal(code, 128 + 9);
    assert.ok(tookMs < END_MS_MAX, `${tookMs} ms`);
    assertNothingLeft(node, pid);
  });

  test('does not start on a data folder that another one uses', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const node = await startNode(t);
    const client = await connect(t, node.path('app.db'));
    await client.exec('CREATE TABLE t (a)');
    const second = startNode(t, { folder: tempDir(t), config: { dataFolder: node.dataFolder } });
    await assert.rejects(second, /DATA_DIRECTORY_IN_USE/);
    await client.exec('INSERT INTO t VALUES (1)');
    assert.deepEqual(await rowsOf(client), [[1]]);
  });

  test('takes the place of one that was killed, and its scratch files go', async (t) => {
    if (!requirePart(t, 'fuse', 'root', 'python3')) return;
    const node = await startNode(t);
    await fillWithClients(t, node);
    // The kernel remembers the folder, and goes on to show it.
    statSync(node.mountpoint);
    await node.kill();
    assert.ok(statSync(node.mountpoint).isDirectory());
    await node.start();
    const client = await connect(t, node.path('delete.db'));
    assert.deepEqual(await rowsOf(client), [[1]]);
    await client.close();
    const { pid } = node;
    await node.stop();
    assertNothingLeft(node, pid);
  });

  test('runs as a user who is not root', async (t) => {
    if (
      !requirePart(t, 'sqlite3') ||
      !canRunAsNobody(t, import.meta.filename) ||
      !requirePart(t, 'fusermount3')
    )
      return;
    const folder = tempDir(t);
    chmodSync(folder, 0o755);
    for (const name of ['mnt', 'data']) {
      mkdirSync(join(folder, name));
      chownSync(join(folder, name), NOBODY, NOBODY);
    }
    const prefix = asNobodyWithFuse(folder);
    const node = await startNode(t, { folder, config: { allowOther: false }, prefix });
    const { pid } = node;
    for (const journalMode of JOURNAL_MODES) {
      const path = node.path(`${journalMode}.db`);
      const own = { driver: 'shell', prefix: besideAsNobody(pid), journalMode } as const;
      const client = await connect(t, path, own);
      await client.exec('CREATE TABLE t (a)');
      await client.exec('INSERT INTO t VALUES (1)');
      const second = await connect(t, path, own);
      await second.exec('INSERT INTO t VALUES (2)');
      assert.deepEqual(await rowsOf(client), [[1], [2]]);
      await second.kill();
      await client.close();
    }
    // Without allow_other not even root gets in.
    const asRoot = besideAsNobody(pid).slice(0, -AS_NOBODY.length);
    assert.match(run(asRoot[0]!, [...asRoot.slice(1), 'ls', node.mountpoint]).stderr, /denied/);
    const { code, tookMs } = await node.stop();
    assert.equal(code, 0, node.log);
    assert.ok(tookMs < END_MS_MAX);
    assertNothingLeft(node, pid);
  });

  test('lets other users in as far as owner and mode say', async (t) => {
    if (!requirePart(t, 'sqlite3') || !canRunAsNobody(t, import.meta.filename)) return;
    const folder = tempDir(t);
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'mnt'), { mode: 0o755 });
    const node = await startNode(t, { folder });
    const owner = await connect(t, node.path('app.db'));
    await owner.exec('CREATE TABLE t (a)');
    await owner.exec('INSERT INTO t VALUES (1)');
    const nobody = { driver: 'shell', prefix: AS_NOBODY } as const;
    const other = await connect(t, node.path('app.db'), nobody);
    assert.deepEqual(await rowsOf(other), [[1]]);
    await assert.rejects(other.exec('DELETE FROM t'), { code: 'SQLITE_READONLY' });
    const creator = connect(t, node.path('new.db'), nobody);
    await assert.rejects(
      creator.then((client) => client.exec('CREATE TABLE t (a)')),
      {
        code: 'SQLITE_CANTOPEN',
      },
    );
    chmodSync(node.path('app.db'), 0o600);
    const refused = connect(t, node.path('app.db'), nobody);
    await assert.rejects(
      refused.then((client) => rowsOf(client)),
      { code: 'SQLITE_CANTOPEN' },
    );
    const [program, ...args] = [...AS_NOBODY, 'rm', '-f', node.path('app.db')];
    assert.match(run(program, args).stderr, /denied/);
    chownSync(node.mountpoint, NOBODY, NOBODY);
    const own = await connect(t, node.path('own.db'), { ...nobody, journalMode: 'wal' });
    await own.exec('CREATE TABLE t (a)');
    assert.match(run('stat', ['-c', '%u %a', node.path('own.db')]).stdout, /^65534 644/);
  });
});
