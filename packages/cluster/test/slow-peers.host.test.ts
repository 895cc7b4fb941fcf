// Replicas that are slow, stand still, or are gone: what they cost the primary, and each other.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { onTestEnd, type TestScope } from '@skein/testkit';

import {
  eventually,
  eventuallyEqual,
  hello,
  SHORT_SILENCE,
  startPrimary,
  startReplica,
} from './fixture.ts';
import { MemoryDatabase } from './memory-database.ts';
import { MemoryLog } from './memory-log.ts';
import { EMPTY_MAP, openRaw, skeinHeaders } from './peer.ts';

const MIB = 1024 * 1024;

// What nobody holds is not held, whenever V8 would find the time to see that.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** 16 pages of 64 KiB: 1 MiB a transaction. */
const PGNOS = Array.from({ length: 16 }, (_, index) => index + 1);

describe('a replica that does not read', () => {
  test('costs the primary a bounded amount of memory, and slows nobody', async (t) => {
    const primary = await startPrimary(t);
    const database = new MemoryDatabase(65_536);
    primary.log.append('app.db', database.commit({ pgnos: PGNOS, fill: 0 }));
    const stalled = openRaw(t, { url: primary.url, headers: skeinHeaders(hello('stalled')) });
    stalled.write(EMPTY_MAP);
    await once(stalled, 'response');
    stalled.pause();
    const alive = setInterval(() => stalled.write(heartbeat()), 100);
    onTestEnd(t, () => clearInterval(alive));

    const fast = startReplica(t, primary.url);
    await eventually(() => fast.client.status.state === 'ready');
    const before = heldBytes();
    const transactions = 60;
    for (let fill = 1; fill <= transactions; fill += 1) {
      primary.log.append('app.db', database.commit({ pgnos: PGNOS, fill }));
    }
    await eventuallyEqual(primary.log, fast.log);
    // The two logs of this test hold 60 MiB each; what the streams hold comes on top.
    const own = 2 * transactions * MIB;
    assert.ok(heldBytes() - before < own + 40 * MIB, `${(heldBytes() - before) / MIB} MiB`);
    assert.equal(primary.server.replicas.length, 2);
    stalled.resume();
    await eventually(() => primary.server.replicas.every(({ isCaughtUp }) => isCaughtUp));
  });

  test('does not hold up the end of the primary', async (t) => {
    const primary = await startPrimary(t);
    const database = new MemoryDatabase(65_536);
    primary.log.append('app.db', database.commit({ pgnos: PGNOS, fill: 0 }));
    const stalled = openRaw(t, { url: primary.url, headers: skeinHeaders(hello('stalled')) });
    stalled.write(EMPTY_MAP);
    await once(stalled, 'response');
    stalled.pause();
    await eventually(() => primary.server.replicas.length === 1);
    const startedMs = performance.now();
    await primary.server.close();
    // The silence of this replica would be borne for twice as long.
    assert.ok(performance.now() - startedMs < 30_000);
    await eventually(() => primary.log.openCursors === 0);
  });
});

describe('a replica whose disk is slow', () => {
  test('reads no more than it can keep in memory, and gets everything in the end', async (t) => {
    const timing = SHORT_SILENCE;
    const primary = await startPrimary(t, { timing });
    const database = new MemoryDatabase(65_536);
    primary.log.append('app.db', database.commit({ pgnos: PGNOS, fill: 0 }));
    const gate = Promise.withResolvers<void>();
    let isSlow = false;
    const memory = new MemoryLog({ sync: () => (isSlow ? gate.promise : Promise.resolve()) });
    const replica = startReplica(t, primary.url, { memory, timing });
    await eventually(() => replica.client.status.state === 'ready');
    isSlow = true;
    for (let fill = 1; fill <= 40; fill += 1) {
      primary.log.append('app.db', database.commit({ pgnos: PGNOS, fill }));
    }
    // Much longer than silence is borne: who does not read is not to blame the primary.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(replica.client.status.state, 'ready');
    const sent = primary.server.replicas[0]!.positions.get('app.db')!.received;
    assert.ok(sent < 16n, String(sent));
    gate.resolve();
    await eventuallyEqual(primary.log, replica.log);
  });
});

describe('a network that goes away', () => {
  test('is noticed on both sides, and the replica comes back when it does', async (t) => {
    const timing = SHORT_SILENCE;
    const primary = await startPrimary(t, { timing });
    const database = new MemoryDatabase();
    primary.log.append('app.db', database.commit({ pgnos: [1], fill: 0 }));
    const cable = await startCable(t, primary.port);
    const replica = startReplica(t, cable.url, { timing });
    await eventually(() => replica.client.status.state === 'ready');
    cable.cut();
    for (const { metrics } of [replica, primary]) {
      await eventually(() => metrics.sum('skein_stream_errors_total', 'PEER_SILENT') > 0);
    }
    assert.equal(primary.server.replicas.length, 0);
    primary.log.append('app.db', database.commit({ pgnos: [1], fill: 1 }));
    cable.mend();
    await eventuallyEqual(primary.log, replica.log);
    assert.equal(replica.log.fileOffsets.length, 1);
  });

  test('is noticed at once when it says so', async (t) => {
    const primary = await startPrimary(t);
    const cable = await startCable(t, primary.port);
    const raw = openRaw(t, { url: cable.url, headers: skeinHeaders(hello('node2')) });
    raw.write(EMPTY_MAP);
    await once(raw, 'response');
    await eventually(() => primary.server.replicas.length === 1);
    cable.unplug();
    await eventually(() => primary.server.replicas.length === 0);
  });

  test('is not confused with a primary that has nothing to send', async (t) => {
    const timing = SHORT_SILENCE;
    const primary = await startPrimary(t, { timing });
    const replica = startReplica(t, primary.url, { timing });
    await eventually(() => replica.client.status.state === 'ready');
    const readyMs = replica.client.status.primaryMs!;
    // Several times the silence that is borne, by the clock that heartbeats bring.
    await eventually(() => (replica.client.status.primaryMs ?? 0) > readyMs + 1200);
    assert.equal(replica.metrics.sum('skein_stream_connections_total'), 1);
    assert.equal(primary.server.replicas.length, 1);
  });
});

function heartbeat(): Uint8Array {
  return Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1);
}

function heldBytes(): number {
  collectGarbage();
  const { arrayBuffers, external } = process.memoryUsage();
  return Math.max(arrayBuffers, external);
}

interface Cable {
  readonly url: URL;
  /** Nothing passes any more; connections stay open. */
  cut(): void;
  mend(): void;
  /** Ends all connections. */
  unplug(): void;
}

async function startCable(t: TestScope, port: number): Promise<Cable> {
  const ends = new Set<Socket>();
  let isCut = false;
  const server = createServer((socket) => {
    const other = connectTcp(port, '127.0.0.1');
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      ends.add(from);
      from.on('error', () => undefined);
      from.on('data', (bytes) => {
        if (!isCut) to.write(bytes);
      });
      from.on('close', () => {
        if (!isCut) to.destroy();
      });
    }
  });
  const unplug = (): void => {
    for (const end of ends) end.destroy();
    ends.clear();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(t, () => {
    unplug();
    server.close();
  });
  const { port: own } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${own}`),
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
      unplug();
    },
    unplug,
  };
}
