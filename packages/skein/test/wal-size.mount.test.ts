// Clients that ask for the size of a WAL all the time, as each does that opens the database, while
// others write to it: the kernel forgets nothing of what they write.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { onTestEnd, requirePart, type SqliteProcess } from '@skein/testkit';

import { connect } from './clients.ts';
import { startNode } from './test-node.ts';

const DURATION_MS = 3000;
const WRITER_COUNT = 3;
const BUSY_TIMEOUT_MS = 60_000;
const ASK = 'import os, sys\nwhile True: os.stat(sys.argv[1])';

test('Commits stay while the size of the WAL is asked for', async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'python3')) return;
  const node = await startNode(t);
  const path = node.path('asked.db');
  const first = await connect(t, path, { journalMode: 'wal' });
  await first.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, writer, n)');
  const asking = spawn('python3', ['-c', ASK, `${path}-wal`], { stdio: 'ignore' });
  onTestEnd(t, () => void asking.kill('SIGKILL'));

  const clients: SqliteProcess[] = [];
  for (let n = 0; n < WRITER_COUNT; n += 1) {
    clients.push(await connect(t, path, { busyTimeoutMs: BUSY_TIMEOUT_MS }));
  }
  const endMs = performance.now() + DURATION_MS;
  const write = async (client: SqliteProcess, writer: number): Promise<number> => {
    let count = 0;
    do {
      await client.exec('INSERT INTO t (writer, n) VALUES (?, ?)', [writer, count]);
      count += 1;
      await sleep(1);
    } while (performance.now() < endMs);
    return count;
  };
  const counts = await Promise.all(clients.map(write));
  assert.equal(asking.exitCode, null, 'Nobody has asked');

  const reader = await connect(t, path, { busyTimeoutMs: BUSY_TIMEOUT_MS });
  const found = await reader.exec('SELECT count(*), max(n) + 1 FROM t GROUP BY writer');
  assert.deepEqual(
    found,
    counts.map((count) => [count, count]),
  );
  assert.deepEqual(await reader.exec('PRAGMA integrity_check'), [['ok']]);
});
