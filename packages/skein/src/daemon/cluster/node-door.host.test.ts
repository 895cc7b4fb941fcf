import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import { connect, createServer } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { StreamServer } from '@skein/cluster';
import { NodeMetrics, systemClock } from '@skein/host';
import { onTestEnd, RecordingLog } from '@skein/testkit';

import type { ClusterConfig, ListenConfig } from '../../config/cluster-config.ts';
import { finishCluster } from '../../config/cluster-draft.ts';
import { advertisedUrl, type NodeDoor, openNodeDoor } from './node-door.ts';

const CLUSTER = finishCluster({ primary: 'node1' }, { cwd: '/', hostname: 'node1' }).config!;

async function open(t: TestContext, listen: ListenConfig): Promise<NodeDoor> {
  const log = new RecordingLog();
  const streams = new StreamServer({
    source: { positions: () => new Map(), follow: () => assert.fail('Nobody follows') },
    self: () => assert.fail('Nobody asks'),
    isPrimary: () => false,
    clock: systemClock,
    metrics: new NodeMetrics(),
    log,
  });
  const door = await openNodeDoor({
    config: { ...CLUSTER, listen },
    streams,
    handle: (_request, response) => response.end('the API'),
    tls: undefined,
    log,
  });
  onTestEnd(t, () => door.close());
  return door;
}

describe('openNodeDoor()', () => {
  test('takes the next port that is free, as far as it may', async (t) => {
    const taken = createServer() as unknown as Server;
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    onTestEnd(t, () => void taken.close());
    const { port } = taken.address() as { port: number };
    const listen = { host: '127.0.0.1', port, portCount: 8 };
    const door = await open(t, listen);
    assert.ok(door.address.port > port && door.address.port < port + 8);
    const answer = await fetch(`http://127.0.0.1:${door.address.port}/`);
    assert.equal(await answer.text(), 'the API');
    await assert.rejects(open(t, { ...listen, portCount: 1 }), /EADDRINUSE/);
  });

  test('takes no more connections than there is memory for', async (t) => {
    const door = await open(t, { host: '127.0.0.1', port: 0, portCount: 1 });
    const sockets = Array.from({ length: 600 }, () => connect(door.address.port, '127.0.0.1'));
    onTestEnd(t, () => sockets.forEach((socket) => socket.destroy()));
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.resume();
    }
    const deadlineMs = performance.now() + 60_000;
    const lost = (): number => sockets.filter(({ closed }) => closed).length;
    while (lost() < 600 - 512 && performance.now() < deadlineMs) await sleep(20);
    assert.equal(lost(), 600 - 512);
  });
});

describe('advertisedUrl()', () => {
  const of = (host: string, tls?: ClusterConfig['tls']): string => {
    const listen = { host, port: 1, portCount: 1 };
    return advertisedUrl({ name: 'node1', listen, tls }, 20_203).href;
  };

  test('names the node where it listens on all interfaces, else its address', () => {
    assert.equal(of(''), 'http://node1:20203/');
    assert.equal(of('0.0.0.0'), 'http://node1:20203/');
    assert.equal(of('localhost'), 'http://127.0.0.1:20203/');
    assert.equal(of('10.0.0.7'), 'http://10.0.0.7:20203/');
    assert.equal(of('fd00::7'), 'http://[fd00::7]:20203/');
  });

  test('is https with TLS', () => {
    const tls = { certFile: '', keyFile: '', caFile: undefined, verifiesPeer: false };
    assert.equal(of('', tls), 'https://node1:20203/');
  });
});
