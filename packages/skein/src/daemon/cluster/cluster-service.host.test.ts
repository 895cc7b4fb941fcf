// What the engine is told by the part of the node that belongs to the cluster, and when.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseHello, type PeerHello, type ReplicaTarget } from '@skein/cluster';
import { type Position, toChecksum, toTxid } from '@skein/ltx';
import { onTestEnd, RecordingLog, tempDir } from '@skein/testkit';

import { finishCluster } from '../../config/cluster-draft.ts';
import type { EngineLogSource } from '../../replication/log-source.ts';
import type { MountThreadClient } from '../mount-thread/mount-thread-client.ts';
import { ClusterService } from './cluster-service.ts';

const TIMEOUT_MS = 60_000;

/** The engine of a node: what it was told, and what it has. */
class FakeEngine {
  readonly calls: (readonly [name: string, ...args: unknown[]])[] = [];
  readonly durable = new Map<string, Position>();

  get thread(): MountThreadClient {
    const call = async (name: string, args: readonly unknown[]): Promise<unknown> => {
      await sleep(1);
      if (name === 'followed-states') {
        return [...this.durable].map(([database, position]) => [database, { position }]);
      }
      this.calls.push([name, ...args]);
      return undefined;
    };
    return { call } as unknown as MountThreadClient;
  }

  get source(): EngineLogSource {
    // It has not looked yet.
    return { positions: () => new Map() } as unknown as EngineLogSource;
  }

  /** The roles that it was told, with the reasons. */
  get roles(): readonly string[] {
    return this.calls.flatMap(([name, role]) => (name === 'set-role' ? [String(role)] : []));
  }
}

async function start(t: TestContext, engine: FakeEngine): Promise<ClusterService> {
  const { config } = finishCluster(
    { primary: 'node1', address: { host: '127.0.0.1', port: 0 } },
    { cwd: '/', hostname: 'node1' },
  );
  const service = await ClusterService.start({
    config: config!,
    proxy: undefined,
    sql: undefined,
    dataFolder: tempDir(t),
    nodeId: 0xa1n,
    epoch: 0x1_0000,
    thread: engine.thread,
    source: engine.source,
    handle: (_request, response) => response.end(),
    log: new RecordingLog(),
  });
  onTestEnd(t, () => service.stop());
  return service;
}

function peer(fields: Partial<PeerHello>): PeerHello {
  const own = {
    name: 'node2',
    nodeId: '00000000000000B2',
    url: 'http://127.0.0.1:9/',
    primary: 'node1',
    role: 'replica',
    epoch: 0,
    peers: [],
    isEnding: false,
  };
  return parseHello(JSON.stringify({ ...own, ...fields }));
}

async function until(isSo: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (!isSo()) {
    assert.ok(performance.now() < deadlineMs, String(isSo));
    await sleep(5);
  }
}

describe('A node that is configured to lead', () => {
  test('lets the engine write only after its epoch is stored', async (t) => {
    const engine = new FakeEngine();
    const service = await start(t, engine);
    await service.decided();
    const [raised, told] = engine.calls;
    assert.equal(raised?.[0], 'raise-epoch');
    assert.deepEqual(told, ['set-role', 'primary', '']);
    assert.equal(service.hello.epoch, raised[1]);
    assert.ok(service.hello.epoch > 0x1_0000);
  });

  test('has the engine refuse while a peer is configured for another primary', async (t) => {
    const engine = new FakeEngine();
    const service = await start(t, engine);
    await service.decided();
    service.node.meet(peer({ primary: 'node2' }));
    await until(() => engine.roles.length === 2);
    const [, , reason] = engine.calls.at(-1)!;
    assert.equal(engine.roles[1], 'suspended');
    assert.match(String(reason), /node1 is configured for .* node1, node node2 for .* node2/);
    service.node.meet(peer({ primary: 'node1' }));
    await until(() => engine.roles.length === 3);
    assert.equal(engine.roles[2], 'primary');
  });

  test('stops the engine before it notes the higher epoch of a peer, for good', async (t) => {
    const engine = new FakeEngine();
    const service = await start(t, engine);
    await service.decided();
    service.node.meet(peer({ epoch: 0x9_0000 }));
    await until(() => engine.calls.length === 4);
    assert.deepEqual(
      engine.calls.slice(2).map(([name]) => name),
      ['set-role', 'raise-epoch'],
    );
    service.node.meet(peer({ epoch: 0 }));
    await sleep(50);
    assert.deepEqual(engine.roles, ['primary', 'suspended']);
  });

  test('waits at its end for all that was committed, and accepts nothing more', async (t) => {
    const engine = new FakeEngine();
    const service = await start(t, engine);
    await service.decided();
    const waited: ReplicaTarget[] = [];
    const drained = Promise.withResolvers<boolean>();
    service.streams.waitForReplicas = (target) => {
      waited.push(target);
      return drained.promise;
    };
    const txid = toTxid(7);
    engine.durable.set('app.db', { txid, checksum: toChecksum(0x8000000000000001n) });
    const draining = service.drain();
    await until(() => waited.length === 1);
    assert.deepEqual(waited[0]!.txids, new Map([['app.db', txid]]));
    // Anything that happens to the cluster now.
    service.node.meet(peer({}));
    await sleep(50);
    drained.resolve(true);
    await draining;
    assert.deepEqual(engine.roles, ['primary', 'suspended']);
  });

  test('closes its port when it stops', async (t) => {
    const service = await start(t, new FakeEngine());
    await service.stop();
    const socket = connect(service.address.port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });
});
