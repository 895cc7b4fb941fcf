// Peers that are no peers, lie, or break: each is refused with its reason, which is counted, and
// nothing of it stays.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { describe, test } from 'node:test';

import { systemRandom } from '@skein/host';
import { onTestEnd, SimClock, type TestScope } from '@skein/testkit';

import { AddressList } from '../src/auth/address-list.ts';
import { Authenticator } from '../src/auth/authenticator.ts';
import { ReplicationError } from '../src/errors.ts';
import type { LogItem, SentTransaction } from '../src/ports.ts';
import { answerHeaders, type NodeHello } from '../src/stream/hello.ts';
import { FrameWriter } from '../src/wire/frame-writer.ts';
import {
  authenticator,
  eventually,
  hello,
  type PrimaryOptions,
  SHORT_HANDSHAKE,
  SHORT_SILENCE,
  startPrimary,
  startReplica,
  type TestPrimary,
} from './fixture.ts';
import { MemoryDatabase } from './memory-database.ts';
import { MemoryLog } from './memory-log.ts';
import { answerOf, EMPTY_MAP, openRaw, skeinHeaders } from './peer.ts';

const CLUSTER = 'LFSC0000000000000001';

function logWithOne(): MemoryLog {
  const memory = new MemoryLog();
  memory.append('app.db', new MemoryDatabase().commit({ pgnos: [1], fill: 1 }));
  return memory;
}

/** The primary has counted this reason, holds nothing of the peer, and still serves others. */
async function expectRefused(primary: TestPrimary, code: string): Promise<void> {
  await eventually(() => primary.metrics.sum('skein_stream_errors_total', code) > 0);
  await eventually(() => primary.server.replicas.length === 0);
  await eventually(() => primary.log.openCursors === 0);
}

describe('a primary refuses a replica', () => {
  const refusals: readonly {
    readonly title: string;
    readonly primary?: PrimaryOptions;
    readonly replica?: Partial<NodeHello>;
    readonly secret?: string;
    readonly code: string;
    readonly status: number;
  }[] = [
    {
      title: 'of another cluster',
      replica: { clusterId: 'LFSC0000000000000002' },
      code: 'CLUSTER_ID_MISMATCH',
      status: 409,
    },
    {
      title: 'with another secret',
      primary: { authenticator: authenticator('right') },
      secret: 'wrong',
      code: 'PEER_AUTHENTICATION',
      status: 401,
    },
    {
      title: 'without the secret',
      primary: { authenticator: authenticator('right') },
      code: 'PEER_AUTHENTICATION',
      status: 401,
    },
    {
      title: 'that has seen a later epoch',
      replica: { epoch: 2 },
      code: 'STALE_EPOCH',
      status: 409,
    },
    {
      title: 'while it is not primary',
      primary: { isPrimary: () => false },
      code: 'NOT_PRIMARY',
      status: 503,
    },
    {
      title: 'for a reason of the node',
      primary: {
        admit: (peer) => {
          throw new ReplicationError('PRIMARY_CONFLICT', `${peer.name} wants ${peer.primary}`);
        },
      },
      replica: { primary: 'node9' },
      code: 'PRIMARY_CONFLICT',
      status: 409,
    },
  ];
  for (const { title, primary: options, replica, secret, code, status } of refusals) {
    test(title, async (t) => {
      const primary = await startPrimary(t, { memory: logWithOne(), ...options });
      const auth = secret === undefined ? undefined : authenticator(secret);
      const raw = openRaw(t, {
        url: primary.url,
        headers: skeinHeaders(hello('x', replica), auth),
      });
      raw.end(EMPTY_MAP);
      const answer = await answerOf(raw);
      assert.equal(answer.status, status);
      assert.equal(answer.headers['skein-error'], code);
      // Who does not know the secret learns nothing of the node.
      const isStranger = code === 'PEER_AUTHENTICATION';
      assert.equal(answer.headers['skein-node'], isStranger ? undefined : 'node1');
      await expectRefused(primary, code);

      const real = startReplica(t, primary.url, {
        hello: hello('x', replica),
        authenticator: auth,
      });
      await eventually(() => real.client.status.error?.code === code);
      assert.equal(real.log.entries.length, 0);
      assert.doesNotMatch(JSON.stringify(primary.messages.entries), /right|wrong/);
    });
  }

  test('that speaks another version of the protocol', async (t) => {
    const primary = await startPrimary(t);
    const headers = { ...skeinHeaders(hello('x')), 'skein-protocol': '2' };
    const answer = await answerOf(openRaw(t, { url: primary.url, headers }).end(EMPTY_MAP));
    assert.equal(answer.status, 400);
    assert.match(answer.text, /its protocol is "2", ours is 1/);
    await expectRefused(primary, 'PEER_PROTOCOL');
  });

  test('that is itself', async (t) => {
    const self = hello('node1');
    const primary = await startPrimary(t, { hello: self });
    const replica = startReplica(t, primary.url, { hello: self });
    await eventually(() => replica.client.status.error?.code === 'PEER_SELF');
  });

  test('that is a LiteFS, unless its address is allowed', async (t) => {
    for (const [addresses, status] of [
      [['10.0.0.0/8'], 403],
      [['127.0.0.1'], 200],
    ] as const) {
      const primary = await startPrimary(t, { litefs: new AddressList(addresses) });
      const raw = openRaw(t, { url: primary.url, headers: { 'litefs-id': '00112233AABBCCDD' } });
      raw.end(EMPTY_MAP);
      const [headers] = (await once(raw, 'response')) as [Record<string, unknown>];
      assert.equal(headers[':status'], status);
    }
    const primary = await startPrimary(t);
    const raw = openRaw(t, { url: primary.url, headers: { 'litefs-id': '00112233AABBCCDD' } });
    assert.equal((await answerOf(raw.end(EMPTY_MAP))).status, 403);
    await expectRefused(primary, 'PEER_NOT_ALLOWED');
  });

  test('whose request was sent before, or long ago, or was changed', async (t) => {
    const primary = await startPrimary(t, { authenticator: authenticator('secret') });
    const clock = new SimClock();
    clock.jumpWall(Date.now() - clock.wallMs() - 120_000);
    const late = new Authenticator({ secret: 'secret', clock, random: systemRandom });
    const first = skeinHeaders(hello('x'), authenticator('secret'));
    const attempts = [
      { headers: first, status: 200 },
      { headers: first, status: 401 },
      { headers: skeinHeaders(hello('x'), late), status: 401 },
      {
        headers: { ...skeinHeaders(hello('x'), authenticator('secret')), 'skein-epoch': '9' },
        status: 401,
      },
    ];
    for (const { headers, status } of attempts) {
      const raw = openRaw(t, { url: primary.url, headers });
      raw.end(EMPTY_MAP);
      assert.equal((await answerOf(raw)).status, status);
    }
    await expectRefused(primary, 'PEER_CLOCK');
  });

  test('whose headers are none', async (t) => {
    const primary = await startPrimary(t);
    const good = skeinHeaders(hello('x'));
    for (const bad of [
      { 'litefs-id': 'x' },
      { 'litefs-id': '' },
      { 'skein-epoch': '-1' },
      { 'skein-epoch': '9'.repeat(16) },
      { 'skein-node': '%' },
      { 'skein-url': 'a'.repeat(2000) },
      { 'skein-cluster-id': 'a b' },
      { 'skein-resume': '../.. x' },
    ]) {
      const raw = openRaw(t, { url: primary.url, headers: { ...good, ...bad } });
      const answer = await answerOf(raw.end(EMPTY_MAP));
      assert.equal(answer.status, 400, JSON.stringify(bad));
    }
    await expectRefused(primary, 'STREAM_MALFORMED');
  });

  test('whose position map is garbage, too large, or cut off', async (t) => {
    const primary = await startPrimary(t);
    const cases = [
      [Buffer.from('\0\0\0\x01\0\0\0\x02..'.padEnd(40, '\0')), 'STREAM_MALFORMED'],
      [Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'STREAM_LIMIT'],
      [Buffer.from([0, 0, 0, 1, 0, 0, 0, 2]), 'STREAM_TRUNCATED'],
    ] as const;
    for (const [body, code] of cases) {
      const raw = openRaw(t, { url: primary.url, headers: skeinHeaders(hello('x')) });
      const answer = await answerOf(raw.end(body));
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['skein-error'], code);
      await expectRefused(primary, code);
    }
  });

  test('that says nothing after it connected, or sends byte by byte', async (t) => {
    const primary = await startPrimary(t, { timing: SHORT_HANDSHAKE });
    const slow = openRaw(t, { url: primary.url, headers: skeinHeaders(hello('x')) });
    const drip = setInterval(() => {
      if (!slow.destroyed) slow.write(Buffer.alloc(1));
    }, 400);
    onTestEnd(t, () => clearInterval(drip));
    const silent = connectTcp(primary.port, '127.0.0.1');
    const half = connectTcp(primary.port, '127.0.0.1');
    half.write('PRI * HTTP/2.0\r\n\r\nSM');
    for (const each of [slow, silent, half]) each.resume();
    const startedMs = performance.now();
    await Promise.all([once(slow, 'close'), once(silent, 'close'), once(half, 'close')]);
    // Node itself would wait for twice as long for headers.
    assert.ok(performance.now() - startedMs < 30_000);
    await expectRefused(primary, 'PEER_SILENT');
    await eventually(() => openConnections(primary) === 0);
  });

  test('that sends garbage instead of acknowledgements', async (t) => {
    const primary = await startPrimary(t, { memory: logWithOne() });
    const garbage: readonly (readonly [Uint8Array, string])[] = [
      [Buffer.from('garbage!'), 'STREAM_MALFORMED'],
      [frame((writer) => writer.ready()), 'STREAM_MALFORMED'],
      [Buffer.from([0, 0, 1, 0x10, ...Array<number>(40).fill(0), 0xff, 0, 0, 0]), 'STREAM_LIMIT'],
    ];
    for (const [bytes, code] of garbage) {
      const raw = openRaw(t, { url: primary.url, headers: skeinHeaders(hello('x')) });
      raw.write(EMPTY_MAP);
      await once(raw, 'response');
      raw.resume();
      raw.write(bytes);
      await once(raw, 'close');
      await expectRefused(primary, code);
    }
  });

  test('that does not say anything any more', async (t) => {
    const primary = await startPrimary(t, { memory: logWithOne(), timing: SHORT_SILENCE });
    const raw = openRaw(t, { url: primary.url, headers: skeinHeaders(hello('x')) });
    const closed = once(raw, 'close');
    raw.write(EMPTY_MAP);
    raw.resume();
    await once(raw, 'response');
    await eventually(() => primary.server.replicas.length === 1);
    await closed;
    await expectRefused(primary, 'PEER_SILENT');
  });

  test('once a minute in the log, however often it comes', async (t) => {
    const primary = await startPrimary(t, { isPrimary: () => false });
    const replica = startReplica(t, primary.url);
    await eventually(() => primary.metrics.sum('skein_stream_errors_total') > 5);
    const { fields } = primary.messages.expectOne('warn', /refused or lost/);
    assert.equal(fields['code'], 'NOT_PRIMARY');
    replica.messages.expectOne('warn', /Cannot follow/);
    primary.messages.expectNone('error');
  });
});

function openConnections({ listener }: TestPrimary): number {
  let count = -1;
  // Calls back at once for a server of this process.
  listener.getConnections((_error, found) => {
    count = found;
  });
  return count === -1 ? 0 : count;
}

function frame(fill: (writer: FrameWriter) => void): Uint8Array {
  const writer = new FrameWriter();
  fill(writer);
  return writer.take();
}

/** A source whose cursor gives these items and then nothing. */
function scripted(items: readonly LogItem[]): MemoryLog {
  const memory = new MemoryLog();
  memory.follow = () => {
    const rest = [...items];
    return {
      next: (signal) =>
        rest.length > 0
          ? Promise.resolve(rest.shift()!)
          : new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason as Error));
            }),
      acknowledged: () => undefined,
      close: () => undefined,
    };
  };
  return memory;
}

function sent(bytes: Uint8Array, epoch = 1): SentTransaction {
  const txid = 1n as SentTransaction['minTxid'];
  return { database: 'app.db', minTxid: txid, maxTxid: txid, epoch, timestampMs: 1, bytes };
}

describe('a replica refuses a primary', () => {
  test('of another cluster, and of none', async (t) => {
    for (const clusterId of ['LFSC0000000000000002', undefined]) {
      const primary = await startPrimary(t, { hello: hello('node1', { clusterId }) });
      const memory = logWithOne();
      const replica = startReplica(t, primary.url, {
        memory,
        hello: hello('node2', { clusterId: CLUSTER }),
      });
      await eventually(() => replica.client.status.error?.code === 'CLUSTER_ID_MISMATCH');
      assert.equal(memory.entries.length, 1);
    }
  });

  test('of an earlier epoch than it has seen', async (t) => {
    const higher: NodeHello[] = [];
    const primary = await startPrimary(t, { onHigherEpoch: (peer) => higher.push(peer) });
    const replica = startReplica(t, primary.url, { hello: hello('node2', { epoch: 7 }) });
    await eventually(() => replica.client.status.error?.code === 'STALE_EPOCH');
    assert.equal(higher[0]?.epoch, 7);
    assert.equal(higher[0]?.name, 'node2');
  });

  test('that does not prove that it knows the secret', async (t) => {
    const primary = await startPrimary(t, { memory: logWithOne() });
    const replica = startReplica(t, primary.url, { authenticator: authenticator('secret') });
    await eventually(() => replica.client.status.error?.code === 'PEER_AUTHENTICATION');
    assert.equal(replica.log.entries.length, 0);
  });

  test('that is configured for another one, also when it refuses itself', async (t) => {
    const seen: string[] = [];
    const primary = await startPrimary(t, {
      hello: hello('node1', { primary: 'node3' }),
      isPrimary: () => false,
    });
    const replica = startReplica(t, primary.url, {
      admit: (peer) => {
        seen.push(peer.primary);
        throw new ReplicationError('PRIMARY_CONFLICT', 'The nodes do not agree');
      },
    });
    await eventually(() => replica.client.status.error?.code === 'PRIMARY_CONFLICT');
    assert.equal(seen[0], 'node3');
  });

  test('whose transactions do not fit, and tells it where it stands', async (t) => {
    const other = new MemoryDatabase();
    other.commit({ pgnos: [1], fill: 9 });
    const transaction = sent(other.commit({ pgnos: [1], fill: 8 }));
    const memory = scripted([{ kind: 'transactions', transactions: [transaction] }]);
    const primary = await startPrimary(t, { memory });
    const replica = startReplica(t, primary.url);
    await eventually(() => replica.client.status.error?.code === 'POSITION_MISMATCH');
    assert.equal(replica.log.entries.length, 0);
    await eventually(() => replica.metrics.sum('skein_stream_connections_total') > 1);
  });

  test('whose transactions are of a later epoch than its own, or too short', async (t) => {
    const bytes = new MemoryDatabase().commit({ pgnos: [1], fill: 1 });
    for (const transaction of [sent(bytes, 2), sent(bytes.subarray(0, 50))]) {
      const memory = scripted([{ kind: 'transactions', transactions: [transaction] }]);
      const primary = await startPrimary(t, { memory });
      const replica = startReplica(t, primary.url);
      await eventually(() => replica.client.status.error?.code === 'STREAM_MALFORMED');
      assert.equal(replica.log.entries.length, 0);
    }
  });

  test('whose frames are garbage, oversized, or cut off', async (t) => {
    const head = frame((writer) => writer.transactionHead('app.db', 1, 1000));
    const huge = head.slice();
    huge[12] = 0xff;
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [Buffer.from('HTTP/1.1 200 OK\r\n'), 'STREAM_MALFORMED'],
      [huge, 'STREAM_LIMIT'],
      [head, 'STREAM_TRUNCATED'],
    ];
    for (const [bytes, code] of cases) {
      const url = await startRawPrimary(t, bytes);
      const replica = startReplica(t, url);
      await eventually(() => replica.client.status.error?.code === code);
      assert.equal(replica.log.entries.length, 0);
    }
  });

  test('that is no primary at all', async (t) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('SSH-2.0-OpenSSH_9.6\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestEnd(t, () => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const replica = startReplica(t, new URL(`http://127.0.0.1:${port}`));
    await eventually(() => replica.client.status.error?.code === 'PEER_UNREACHABLE');
    const nobody = startReplica(t, new URL('http://127.0.0.1:1'));
    await eventually(() => nobody.client.status.error?.code === 'PEER_UNREACHABLE');
    assert.match(nobody.client.status.error!.message, /ECONNREFUSED/);
  });

  test('that accepts connections and says nothing', async (t) => {
    const server = createTcpServer((socket) => socket.on('error', () => undefined));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestEnd(t, () => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}`);
    const replica = startReplica(t, url, { timing: SHORT_HANDSHAKE });
    await eventually(() => replica.client.status.error?.code === 'PEER_UNREACHABLE');
    assert.match(replica.client.status.error!.message, /no answer/);
  });

  test('that goes silent in the middle, and keeps what came', async (t) => {
    const database = new MemoryDatabase();
    const transactions = [1, 2, 3].map((fill) => sent(database.commit({ pgnos: [1], fill })));
    const bytes = frame((writer) => {
      for (const each of transactions) writer.transaction('app.db', 1, each.bytes);
    });
    const url = await startRawPrimary(t, bytes, { isOpen: true });
    const replica = startReplica(t, url, { timing: SHORT_SILENCE });
    // Counted, as the next stream fails of something else: it sends the same once more.
    await eventually(() => replica.metrics.sum('skein_stream_errors_total', 'PEER_SILENT') > 0);
    assert.equal(replica.log.entries.length, 3);
  });
});

/** A node that answers as a primary does, then sends these bytes. */
async function startRawPrimary(
  t: TestScope,
  bytes: Uint8Array,
  { isOpen = false }: { readonly isOpen?: boolean } = {},
): Promise<URL> {
  const server = createServer();
  const self = hello('node1', { clusterId: CLUSTER });
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, ...answerHeaders(self, 'skein') });
    if (isOpen) stream.write(bytes);
    else stream.end(bytes);
    stream.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(t, () => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return new URL(`http://127.0.0.1:${port}`);
}

describe('a log that cannot be read', () => {
  test('ends the streams that need it, with the reason, and not the primary', async (t) => {
    for (const isAtOnce of [true, false]) {
      const memory = logWithOne();
      const follow = memory.follow.bind(memory);
      const full = new Error('disk on fire');
      memory.follow = (from, options) => {
        if (isAtOnce) throw full;
        return { ...follow(from, options), next: () => Promise.reject(full) };
      };
      const primary = await startPrimary(t, { memory });
      startReplica(t, primary.url);
      await eventually(() => primary.metrics.sum('skein_stream_errors_total', 'SEND_FAILED') > 1);
      const { fields } = primary.messages.expectOne('warn', /refused or lost/);
      assert.match(String(fields['reason']), /disk on fire/);
      await eventually(() => primary.server.replicas.length === 0);
    }
  });
});
