import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { suite, test, type TestContext } from 'node:test';

import { onTestEnd } from '../test-cleanup.ts';
import {
  createNetwork,
  requireNetwork,
  type VirtualHost,
  type VirtualNetwork,
} from './virtual-network.ts';

const PORT = 4711;

/** Answers each connection with the bytes that it gets. */
const ECHO = `
  const server = require('node:net').createServer((socket) => socket.pipe(socket));
  server.listen(${PORT}, () => console.log('ready'));`;

/** Prints how many milliseconds it took to have so many bytes back. */
const CLIENT = `
  const [host, count] = process.argv.slice(1);
  const socket = require('node:net').connect(${PORT}, host);
  const start = performance.now();
  let left = Number(count);
  socket.on('data', (bytes) => {
    left -= bytes.length;
    if (left > 0) return;
    console.log(performance.now() - start);
    socket.destroy();
  });
  socket.end(Buffer.alloc(Number(count)));`;

async function startEcho(t: TestContext, { prefix }: VirtualHost): Promise<ChildProcess> {
  const [program, ...args] = [...prefix, process.execPath, '--eval', ECHO];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestEnd(t, () => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** Undefined when nothing came back in time. */
function echoMs(from: VirtualHost, to: VirtualHost, byteCount: number): number | undefined {
  const script = [process.execPath, '--eval', CLIENT, to.address, String(byteCount)];
  const [program, ...args] = [...from.prefix, ...script];
  const { status, stdout } = spawnSync(program, args, {
    timeout: 60_000,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? Number(stdout) : undefined;
}

async function twoHosts(t: TestContext): Promise<VirtualNetwork & { readonly pair: Pair }> {
  const network = await createNetwork(t, { hosts: ['node1', 'node2'] });
  const pair = { node1: network.host('node1'), node2: network.host('node2') };
  await startEcho(t, pair.node1);
  return { ...network, pair };
}

interface Pair {
  readonly node1: VirtualHost;
  readonly node2: VirtualHost;
}

suite('createNetwork()', () => {
  test('connects hosts that have addresses of their own', async (t) => {
    if (!requireNetwork(t)) return;
    const { pair } = await twoHosts(t);
    assert.notEqual(pair.node1.address, pair.node2.address);
    assert.notEqual(echoMs(pair.node2, pair.node1, 1_000_000), undefined);
  });

  test('cuts a host off and heals it', async (t) => {
    if (!requireNetwork(t)) return;
    const { pair, ...network } = await twoHosts(t);
    network.set('node1', { isCut: true });
    // ARP gets no answer: "no route to host", after three seconds.
    assert.equal(echoMs(pair.node2, pair.node1, 1), undefined);
    network.heal();
    assert.notEqual(echoMs(pair.node2, pair.node1, 1), undefined);
  });

  test('delays what a host sends and receives', async (t) => {
    if (!requireNetwork(t)) return;
    const { pair, ...network } = await twoHosts(t);
    network.set('node2', { delayMs: 100 });
    const ms = echoMs(pair.node2, pair.node1, 1)!;
    // Two round trips: to connect, then the byte.
    assert(ms >= 400, `${ms} ms`);
  });

  test('loses frames, and TCP gets through', async (t) => {
    if (!requireNetwork(t)) return;
    const { pair, ...network } = await twoHosts(t);
    network.set('node2', { lossPerMille: 50 });
    assert.notEqual(echoMs(pair.node2, pair.node1, 500_000), undefined);
  });

  test('leaves nothing behind, and takes away what a dead process left', async (t) => {
    if (!requireNetwork(t)) return;
    const list = (): string => spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
    const dead = spawnSync('true').pid;
    spawnSync('ip', ['netns', 'add', `skein-test-${dead}-node1`]);
    await t.test('meanwhile', async (inner) => {
      await createNetwork(inner, { hosts: ['node1'] });
      assert.doesNotMatch(list(), new RegExp(`skein-test-${dead}-`));
      assert.match(list(), new RegExp(`skein-test-${process.pid}-node1`));
    });
    assert.doesNotMatch(list(), new RegExp(`skein-test-${process.pid}-node1`));
  });
});
