// The thread of the proxy as the daemon sees it: what it is told, what it asks, how it ends.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import type { StreamServer } from '@skein/cluster';
import { type Position, toChecksum, toTxid } from '@skein/ltx';
import type { NodeChange } from '@skein/proxy';
import { onTestEnd, RecordingLog } from '@skein/testkit';

import { finishProxy } from '../../config/cluster-draft.ts';
import type { MountConfig } from '../../config/mount-config.ts';
import { type ProxyFeed, ProxyThread } from './proxy-thread.ts';

const CHECKSUM = toChecksum(0x8000000000000001n);

/** A node of which the test says what it is. */
class FakeNode implements ProxyFeed {
  readonly nodeName = 'node1';
  readonly byDatabase = new Map<string, Position>();
  readonly epoch = 3;
  streams: StreamServer | undefined;
  change: Omit<NodeChange, 'positions'> = { role: 'primary', lagMs: 0 };
  /** What a question for the newest brings. */
  onRefresh: () => void = () => {};
  tell: () => void = () => {};

  describe(): Omit<NodeChange, 'positions'> {
    return this.change;
  }

  positions(): ReadonlyMap<string, Position> {
    return this.byDatabase;
  }

  refresh(): Promise<void> {
    this.onRefresh();
    return Promise.resolve();
  }

  onChange(listener: () => void): void {
    this.tell = listener;
  }

  commit(database: string, txid: number): void {
    this.byDatabase.set(database, { txid: toTxid(txid), checksum: CHECKSUM });
  }
}

async function startApp(t: TestContext): Promise<number> {
  const app = createServer((_request, response) => response.end('the app'));
  await new Promise<void>((resolve) => {
    app.listen(0, '127.0.0.1', resolve);
  });
  onTestEnd(t, () => {
    app.closeAllConnections();
    app.close();
  });
  return (app.address() as AddressInfo).port;
}

interface ThreadOptions {
  readonly port?: number;
  readonly gate?: number;
}

async function startThread(
  t: TestContext,
  node: FakeNode,
  { port = 0, gate = 0 }: ThreadOptions = {},
): Promise<ProxyThread> {
  const target = { host: '127.0.0.1', port: await startApp(t) };
  const draft = { address: { host: '127.0.0.1', port }, target, primaryWaitMs: 100, gate };
  const { config: proxy } = finishProxy(draft, undefined);
  const log = { format: 'text', level: 'error' } as const;
  const config = { proxy, cluster: undefined, log } as unknown as MountConfig;
  const thread = new ProxyThread(config, node, new RecordingLog());
  onTestEnd(t, () => thread.close());
  return thread;
}

async function write(thread: ProxyThread): Promise<Response> {
  const { address } = await thread.listening;
  return fetch(`http://127.0.0.1:${address.port}/`, { method: 'POST', body: 'x' });
}

describe('The thread of the proxy', () => {
  test('asks where the databases stand before a client is told', async (t) => {
    const node = new FakeNode();
    node.commit('app.db', 4);
    const thread = await startThread(t, node);
    // Committed while the request was under way; nobody has told of it.
    node.onRefresh = () => node.commit('app.db', 5);
    const response = await write(thread);
    assert.equal(await response.text(), 'the app');
    assert.equal(response.headers.get('skein-position'), '1&3:5:app.db');
  });

  test('is told what becomes of the node', async (t) => {
    const node = new FakeNode();
    node.change = { role: 'no-primary', lagMs: 0 };
    const thread = await startThread(t, node);
    const refused = await write(thread);
    assert.deepEqual([refused.status, refused.headers.get('skein-outcome')], [503, 'not-executed']);
    node.change = { role: 'primary', lagMs: 0 };
    node.tell();
    assert.equal((await write(thread)).status, 200);
  });

  test('is told of a database that is gone', async (t) => {
    const node = new FakeNode();
    node.commit('app.db', 4);
    const thread = await startThread(t, node);
    await thread.listening;
    node.byDatabase.delete('app.db');
    node.tell();
    const { address } = await thread.listening;
    const response = await fetch(`http://127.0.0.1:${address.port}/`, {
      headers: { 'Skein-Position': '1&3:4:app.db' },
    });
    // The primary puts right what a client carries of a database that is no more.
    assert.match(response.headers.get('set-cookie') ?? '', /^__skein_pos=; .*Max-Age=0/);
  });

  test('holds an answer until so many replicas have what it tells of', async (t) => {
    const node = new FakeNode();
    const asked: unknown[] = [];
    const waitForReplicas: StreamServer['waitForReplicas'] = (target) => {
      asked.push(target);
      return Promise.resolve(asked.length === 1);
    };
    node.streams = { waitForReplicas } as StreamServer;
    let txid = 4;
    node.onRefresh = () => node.commit('app.db', (txid += 1));
    const thread = await startThread(t, node, { gate: 2 });
    assert.equal((await write(thread)).status, 200);
    const txids = new Map([['app.db', toTxid(txid)]]);
    assert.deepEqual(asked, [{ txids, level: 'durable', count: 2 }]);
    const unknown = await write(thread);
    assert.deepEqual([unknown.status, unknown.headers.get('skein-outcome')], [502, 'unknown']);
  });

  test('says by a code why it cannot start', async (t) => {
    const thread = await startThread(t, new FakeNode(), { port: await startApp(t) });
    await assert.rejects(thread.listening, { name: 'ProxyThreadError', code: 'PROXY_LISTEN' });
  });

  test('says that it has ended by itself, and can be closed all the same', async (t) => {
    const node = new FakeNode();
    const thread = await startThread(t, node);
    await thread.listening;
    // A replica without a primary is a bug of whoever tells it.
    node.change = { role: 'replica', lagMs: 0 };
    node.tell();
    await assert.rejects(thread.failed, { name: 'ProxyThreadError', code: 'PROXY_FAILED' });
    await thread.close();
  });
});
