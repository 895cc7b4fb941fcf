// The view of a node, as something tells it that speaks like a daemon.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { onTestEnd, tempDir, waitUntil } from '@skein/testkit';

import { connectNode } from '../src/connect-node.ts';
import type { NodeView } from '../src/node-view.ts';
import type { ToldState } from '../src/node/told-state.ts';

const TIMEOUT_MS = 30_000;

/** Tells whoever follows what the test says. */
class FakeDaemon {
  readonly #socketPath: string;
  readonly #followers = new Set<ServerResponse>();
  readonly #positions: Record<string, { epoch: number; txid: string } | null> = {};
  #told: Omit<ToldState, 'seq' | 'positions'> = {
    name: 'node1',
    role: 'primary',
    epoch: 1,
    lagMs: 0,
  };
  #seq = 0;
  #server: Server | undefined;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async start(): Promise<void> {
    this.#server = createServer(({ url }, response) => {
      if (url === '/v1/state/settled') {
        response.end(JSON.stringify({ seq: this.#seq }));
        return;
      }
      response.writeHead(200);
      this.#followers.add(response);
      response.on('close', () => this.#followers.delete(response));
      this.#write(response, this.#positions);
    });
    await new Promise<void>((resolve) => {
      this.#server!.listen(this.#socketPath, resolve);
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    server.closeAllConnections();
    await closed;
  }

  tell(change: Partial<ToldState>): void {
    const { positions = {}, ...rest } = change;
    this.#told = { ...this.#told, ...rest };
    Object.assign(this.#positions, positions);
    this.#seq += 1;
    for (const follower of this.#followers) this.#write(follower, positions);
  }

  garble(): void {
    for (const follower of this.#followers) follower.write('{"role":"emperor"}\n');
  }

  #write(response: ServerResponse, positions: ToldState['positions']): void {
    response.write(`${JSON.stringify({ seq: this.#seq, ...this.#told, positions })}\n`);
  }
}

interface Setup {
  readonly daemon: FakeDaemon;
  readonly node: NodeView;
}

async function start(t: TestContext, folder = tempDir(t)): Promise<Setup> {
  const daemon = new FakeDaemon(join(folder, 'app.sock'));
  await daemon.start();
  onTestEnd(t, () => daemon.stop());
  const settings = { mountPath: '/litefs', dataPath: folder, enabled: true };
  const node = await connectNode(settings, { timeoutMs: TIMEOUT_MS });
  onTestEnd(t, () => node.close());
  return { daemon, node };
}

function until(node: NodeView, isThere: (node: NodeView) => boolean): Promise<void> {
  return waitUntil('the node is told', () => Promise.resolve(isThere(node)), TIMEOUT_MS);
}

const at = (digits: string, epoch = 1) => ({ epoch, txid: digits.padStart(16, '0') });

describe('The view of a node', () => {
  test('is what its daemon tells, and tells of changes', async (t) => {
    const { daemon, node } = await start(t);
    const { name, role, epoch, lagMs, primary } = node.state;
    assert.deepEqual([name, role, epoch, lagMs, primary], ['node1', 'primary', 1, 0, undefined]);
    assert.equal(node.isPrimary, true);
    const events: string[] = [];
    const stops = (['role', 'position', 'state'] as const).map((event) =>
      node.on(event, (state) => events.push(`${event} ${state.role}`)),
    );
    const before = node.state;
    daemon.tell({ positions: { 'a.db': at('ff') } });
    await until(node, ({ state }) => state.position('a.db')?.txid === 255n);
    assert.equal(before.position('a.db'), undefined);
    const leader = { name: 'node2', url: 'http://node2:20202/', proxyUrl: 'http://node2:8000/' };
    daemon.tell({ role: 'replica', epoch: 2, lagMs: 7, primary: leader });
    await until(node, ({ state }) => state.role === 'replica');
    assert.deepEqual([node.state.primary, node.state.lagMs, node.isPrimary], [leader, 7, false]);
    assert.deepEqual(node.state.position('a.db'), { epoch: 1, txid: 255n });
    for (const stop of stops) stop();
    daemon.tell({ role: 'fenced', positions: { 'a.db': null } });
    await until(node, ({ state }) => state.role === 'fenced');
    assert.equal(node.state.position('a.db'), undefined);
    assert.deepEqual(events, [
      'position primary',
      'state primary',
      'role replica',
      'state replica',
    ]);
  });

  test('says no-primary while the daemon is gone, and goes on when it is back', async (t) => {
    const { daemon, node } = await start(t);
    daemon.tell({ positions: { 'a.db': at('5') } });
    await until(node, ({ state }) => state.position('a.db') !== undefined);
    const { generation } = node;
    await daemon.stop();
    await until(node, ({ state }) => state.role === 'no-primary');
    assert.deepEqual([node.isPrimary, node.state.name], [false, 'node1']);
    assert.equal(node.state.position('a.db')?.txid, 5n);
    await assert.rejects(node.refresh(), { code: 'NODE_UNREACHABLE' });
    await daemon.start();
    await until(node, ({ isPrimary }) => isPrimary);
    assert.equal(node.generation, generation + 1);
  });

  test('goes on when a listener throws, and hides no such error', async (t) => {
    const { daemon, node } = await start(t);
    const { generation } = node;
    const program = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown = once(process, 'uncaughtException');
    const error = new RangeError('of the application');
    const stop = node.on('role', () => {
      throw error;
    });
    daemon.tell({ role: 'fenced' });
    assert.deepEqual((await thrown)[0], error);
    for (const listener of program) process.on('uncaughtException', listener);
    stop();
    daemon.tell({ role: 'primary' });
    await until(node, ({ isPrimary }) => isPrimary);
    assert.equal(node.generation, generation);
  });

  test('does not take what no daemon says', async (t) => {
    const { daemon, node } = await start(t);
    const { generation } = node;
    daemon.garble();
    // It begins anew.
    await until(node, (view) => view.generation > generation);
    assert.equal(node.isPrimary, true);
  });

  test('waits for positions', async (t) => {
    const { daemon, node } = await start(t);
    daemon.tell({ positions: { 'a.db': at('5', 2) } });
    await until(node, ({ state }) => state.position('a.db') !== undefined);
    for (const there of [{ txid: 5n }, { epoch: 2, txid: 4n }, { epoch: 1, txid: 900n }]) {
      await node.waitForPosition('a.db', there);
    }
    await node.waitForPosition('none.db', { txid: 0n });
    const waiting = node.waitForPosition('a.db', { epoch: 2, txid: 6n }, { timeoutMs: TIMEOUT_MS });
    const later = node.waitForPosition('a.db', { epoch: 3, txid: 1n }, { timeoutMs: TIMEOUT_MS });
    daemon.tell({ positions: { 'a.db': at('6', 2) } });
    await waiting;
    daemon.tell({ positions: { 'a.db': at('1', 3) } });
    await later;
    const late = node.waitForPosition('a.db', { txid: 99n }, { timeoutMs: 1 });
    await assert.rejects(late, { code: 'POSITION_TIMEOUT' });
    const stopper = new AbortController();
    const stopped = node.waitForPosition('a.db', { txid: 99n }, { signal: stopper.signal });
    stopper.abort(new RangeError('enough'));
    await assert.rejects(stopped, RangeError);
    const { signal } = stopper;
    await assert.rejects(node.waitForPosition('a.db', { txid: 1n }, { signal }), RangeError);
    const closed = node.waitForPosition('a.db', { txid: 99n });
    await Promise.all([assert.rejects(closed, { code: 'NODE_CLOSED' }), node.close()]);
    await assert.rejects(node.waitForPosition('a.db', { txid: 1n }), { code: 'NODE_CLOSED' });
    await assert.rejects(node.refresh(), { code: 'NODE_CLOSED' });
  });

  test('is refreshed by the stream that it follows', async (t) => {
    const { daemon, node } = await start(t);
    for (let txid = 1; txid < 50; txid += 1) {
      daemon.tell({ positions: { 'a.db': at(txid.toString(16)) } });
      await node.refresh();
      assert.equal(node.state.position('a.db')?.txid, BigInt(txid));
    }
  });

  test('finds its daemon in folders with long names', async (t) => {
    const folder = join(tempDir(t), 'x'.repeat(120));
    mkdirSync(folder);
    const cwd = process.cwd();
    // A server cannot be bound to such a path but by a shorter one.
    process.chdir(folder);
    const daemon = new FakeDaemon('app.sock');
    await daemon.start();
    process.chdir(cwd);
    const settings = { mountPath: '/litefs', dataPath: folder, enabled: true };
    const node = await connectNode(settings, { timeoutMs: TIMEOUT_MS });
    assert.equal(node.isPrimary, true);
    await node.close();
    await daemon.stop();
  });

  test('is not there without a daemon, unless that is said on purpose', async (t) => {
    const folder = tempDir(t);
    const settings = { mountPath: folder, dataPath: folder, enabled: true };
    await assert.rejects(connectNode(settings, { timeoutMs: 1 }), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'NODE_UNREACHABLE');
      return /app\.sock/.test(error.message);
    });
    const late = await connectNode(settings, { timeoutMs: 0 });
    assert.equal(late.state.role, 'no-primary');
    await late.close();
    const plain = await connectNode({ ...settings, enabled: false });
    assert.deepEqual(
      [plain.isPrimary, plain.state.role, plain.mountPath],
      [true, 'primary', folder],
    );
    await plain.waitForPosition('a.db', { txid: 99n });
  });
});
