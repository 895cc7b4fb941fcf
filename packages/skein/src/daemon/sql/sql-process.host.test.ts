// The process of SQL as the daemon sees it: how it begins, what it is told, how it ends, and that
// whatever it does is no matter of the daemon's.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import type { NodeChange } from '@skein/hrana';
import { type Position, toChecksum, toTxid } from '@skein/ltx';
import { onTestEnd, RecordingLog, tempDir, waitUntil } from '@skein/testkit';

import type { MountConfig } from '../../config/mount-config.ts';
import { finishSql } from '../../config/sql-config.ts';
import type { SqlFeed } from './sql-feed.ts';
import { SqlProcess } from './sql-process.ts';

const WAIT_MS = 60_000;
const CHECKSUM = toChecksum(0x8000000000000001n);

/** A node of which the test says what it is. */
class FakeNode implements SqlFeed {
  readonly nodeName = 'node1';
  readonly epoch = 3;
  readonly byDatabase = new Map<string, Position>();
  change: Omit<NodeChange, 'positions'> = { role: 'primary', epoch: 3 };
  tell: () => void = () => {};

  describe(): Omit<NodeChange, 'positions'> {
    return this.change;
  }

  positions(): ReadonlyMap<string, Position> {
    return this.byDatabase;
  }

  onChange(listener: () => void): void {
    this.tell = listener;
  }
}

interface Running {
  readonly node: FakeNode;
  readonly log: RecordingLog;
  readonly process: SqlProcess;
}

function startSql(t: TestContext, port = 0): Running {
  const { config: sql } = finishSql(
    { address: { host: '127.0.0.1', port }, database: 'app.db', waitMs: 50, primaryWaitMs: 50 },
    undefined,
  );
  const log = { format: 'text', level: 'error' } as const;
  const config = { sql, log, mountpoint: tempDir(t) } as unknown as MountConfig;
  const node = new FakeNode();
  const messages = new RecordingLog();
  const process = new SqlProcess(config, node, messages);
  onTestEnd(t, () => process.close());
  return { node, log: messages, process };
}

async function roleAt(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/health`);
  return ((await response.json()) as { readonly role: string }).role;
}

describe('The process of SQL', () => {
  test('knows what the node is, and learns what it becomes', async (t) => {
    const { node, process } = startSql(t);
    const { port } = await process.listening;
    await waitUntil('it was told', async () => (await roleAt(port)) === 'primary', WAIT_MS);
    node.change = { role: 'fenced', epoch: 3 };
    node.tell();
    await waitUntil('it was told', async () => (await roleAt(port)) === 'fenced', WAIT_MS);
    // A read that has seen more than is here is not answered until it is.
    const read = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/v2/pipeline`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'skein-position': '1&3:5:app.db' },
        body: '{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}',
      });
    assert.match(await (await read()).text(), /SQL_BEHIND/);
    node.byDatabase.set('app.db', { txid: toTxid(5), checksum: CHECKSUM });
    node.tell();
    // The database is not there, and so the primary is asked for it: it is not behind any more.
    const isTold = async (): Promise<boolean> =>
      (await (await read()).text()).includes('NO_PRIMARY');
    await waitUntil('it was told', isTold, WAIT_MS);
  });

  test('is started again at the same port when it ends, later each time', async (t) => {
    const { log, process } = startSql(t);
    const { port } = await process.listening;
    for (let round = 1; round <= 3; round += 1) {
      await waitUntil('it serves', async () => (await roleAt(port)) === 'primary', WAIT_MS);
      globalThis.process.kill(process.pid!, 'SIGKILL');
      const isNoted = (): boolean =>
        log.entries.filter(({ message }) => message.includes('started again')).length === round;
      await waitUntil('it is noted', isNoted, WAIT_MS);
    }
    await waitUntil('it serves', async () => (await roleAt(port)) === 'primary', WAIT_MS);
    const pauses = log.entries.map(({ fields }) => fields['afterMs']);
    assert.deepEqual(pauses, [100, 200, 400]);
  });

  test('says at its start that its port is taken', async (t) => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    onTestEnd(t, () => void taken.close());
    const { port } = taken.address() as { readonly port: number };
    const { process } = startSql(t, port);
    await assert.rejects(process.listening, {
      name: 'SqlProcessError',
      code: 'SQL_LISTEN',
      hint: 'Choose another port: sql.address',
    });
  });

  test('is killed when it does not end', async (t) => {
    const { process } = startSql(t);
    await process.listening;
    const pid = process.pid!;
    globalThis.process.kill(pid, 'SIGSTOP');
    await process.close();
    assert.throws(() => globalThis.process.kill(pid, 0), { code: 'ESRCH' });
  });
});
