// Streams between Skein and LiteFS. The LiteFS is a server or client of HTTP/2 that says what a
// captured one said; ones that run are in tests/cluster.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import {
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import {
  bytesSource,
  compact,
  inspectLtx,
  LtxReader,
  maybeParsePosition,
  type Position,
  type Txid,
} from '@skein/ltx';
import { onTestEnd, type TestScope } from '@skein/testkit';

import { AddressList } from '../src/auth/address-list.ts';
import { ReplicationError } from '../src/errors.ts';
import type { PositionMap, ReceivedTransaction } from '../src/ports.ts';
import { ClientDecoder } from '../src/wire/client-decoder.ts';
import { FrameWriter } from '../src/wire/frame-writer.ts';
import { eventually, SHORT_SILENCE, startPrimary, startReplica } from './fixture.ts';
import { MemoryDatabase } from './memory-database.ts';
import { MemoryLog } from './memory-log.ts';

const testdata = join(import.meta.dirname, '..', 'testdata', 'litefs');
const ltxTestdata = join(import.meta.dirname, '..', '..', 'ltx', 'testdata', 'litefs');

const LOCAL = new AddressList(['127.0.0.0/8']);

/** Finds that this transaction leads elsewhere, however often it comes; a snapshot does not. */
class RefusingLog extends MemoryLog {
  readonly #refused: bigint;

  constructor(refused: bigint) {
    super();
    this.#refused = refused;
  }

  override async receive(transactions: readonly ReceivedTransaction[]): Promise<void> {
    const isRefused = ({ bytes }: ReceivedTransaction): boolean =>
      inspectLtx(bytesSource(bytes)).header.minTxid === this.#refused;
    if (!transactions.some(isRefused)) return super.receive(transactions);
    throw new ReplicationError('POSITION_MISMATCH', 'It leads elsewhere');
  }
}

function compactAll(files: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const inputs = files.map((file) => new LtxReader(bytesSource(file)));
  compact(inputs, (bytes, start, end) => parts.push(bytes.slice(start, end)), { version: 1 });
  return Buffer.concat(parts);
}

interface FakeLitefs {
  readonly url: URL;
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[];
}

/** Answers every request with the stream, and then keeps it open. */
async function startLitefs(
  t: TestScope,
  answer: (stream: ServerHttp2Stream, positions: PositionMap) => void,
  headers: Readonly<Record<string, string>> = {},
): Promise<FakeLitefs> {
  const requests: FakeLitefs['requests'] = [];
  const server = createServer();
  server.on('stream', (stream, requestHeaders) => {
    const parts: Buffer[] = [];
    const decoder = new ClientDecoder('litefs');
    let isAnswered = false;
    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => {
      parts.push(bytes);
      decoder.push(bytes);
      if (isAnswered || decoder.positions === undefined) return;
      isAnswered = true;
      stream.respond({
        ':status': 200,
        'litefs-id': '7782CCEC41354DBD',
        'litefs-cluster-id': 'LFSCFEA20258C2962EA2',
        ...headers,
      });
      answer(stream, decoder.positions);
    });
    stream.on('end', () => requests.push({ headers: requestHeaders, body: Buffer.concat(parts) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(t, () => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}`), requests };
}

/** Until the stream is closed, or the caller of what is returned wants no more. */
function beat(stream: ServerHttp2Stream): () => void {
  const timer = setInterval(() => {
    const writer = new FrameWriter();
    writer.heartbeat(Date.now());
    if (!stream.destroyed) stream.write(writer.take());
  }, 100);
  const stop = (): void => clearInterval(timer);
  stream.on('close', stop);
  return stop;
}

for (const name of readdirSync(testdata)) {
  describe(`a replica of LiteFS, ${name}`, () => {
    const ltxNames = readdirSync(join(ltxTestdata, name, 'ltx')).sort();
    const readLtx = (index: number): Uint8Array =>
      new Uint8Array(readFileSync(join(ltxTestdata, name, 'ltx', ltxNames.at(index)!)));
    const readStream = (file: string): Buffer => readFileSync(join(testdata, name, file));
    const last = inspectLtx(bytesSource(readLtx(-1)));

    test('takes its snapshot', async (t) => {
      const litefs = await startLitefs(t, (stream) => {
        stream.write(readStream('stream-from-nothing.bin'));
        beat(stream);
      });
      const replica = startReplica(t, litefs.url, { litefs: LOCAL });
      await eventually(() => replica.client.status.state === 'ready');
      assert.equal(replica.log.fileOffsets.length, 1);
      const position = replica.log.positions().get('app.db');
      assert.equal(position?.txid, last.header.maxTxid);
      assert.equal(position.checksum, last.trailer.postApplyChecksum);
      assert.equal(replica.clusterId(), 'LFSCFEA20258C2962EA2');
    });

    test('takes its transactions, without compression, and says nothing but its map', async (t) => {
      const litefs = await startLitefs(t, (stream) => {
        stream.write(readStream('stream-from-3.bin'));
        beat(stream);
      });
      const memory = new MemoryLog();
      for (const index of [0, 1, 2]) memory.append('app.db', readLtx(index));
      const replica = startReplica(t, litefs.url, { litefs: LOCAL, memory });
      await eventually(() => replica.client.status.state === 'ready');
      assert.equal(replica.log.positions().get('app.db')?.txid, last.header.maxTxid);
      for (const { bytes } of replica.log.entries.slice(3)) {
        assert.equal(inspectLtx(bytesSource(bytes)).header.flags, 0);
      }
      await eventually(() => litefs.requests.length === 1);
      const [request] = litefs.requests;
      const { since_3: text } = JSON.parse(readStream('case.json').toString()) as {
        since_3: string;
      };
      const expected = new FrameWriter();
      expected.positionMap(new Map([['app.db', maybeParsePosition(text)!]]));
      assert.ok(request!.body.equals(expected.take()));
    });
  });
}

describe('a replica of LiteFS', () => {
  test('refuses one at an address that is not allowed', async (t) => {
    const litefs = await startLitefs(t, beat);
    for (const allowed of [undefined, new AddressList(['10.0.0.0/8'])]) {
      const replica = startReplica(t, litefs.url, { litefs: allowed });
      await eventually(() => replica.client.status.error?.code === 'PEER_NOT_ALLOWED');
      assert.equal(replica.clusterId(), undefined);
    }
  });

  test('refuses a damaged LTX file before the log sees it', async (t) => {
    const writer = new FrameWriter();
    const ltx = new MemoryDatabase().commit({ pgnos: [1], fill: 1 });
    writer.ltx('app.db');
    writer.chunk(ltx.with(300, 0xff));
    writer.chunksEnd();
    const bytes = writer.take();
    const litefs = await startLitefs(t, (stream) => stream.write(bytes));
    const replica = startReplica(t, litefs.url, { litefs: LOCAL });
    await eventually(() => replica.client.status.error?.code === 'STREAM_MALFORMED');
    assert.equal(replica.log.entries.length, 0);
  });

  test('leaves it at its end, and connects again', async (t) => {
    const writer = new FrameWriter();
    writer.ready();
    writer.handoff('a session of Consul');
    const bytes = writer.take();
    const litefs = await startLitefs(t, (stream) => stream.write(bytes));
    const replica = startReplica(t, litefs.url, { litefs: LOCAL });
    await eventually(() => litefs.requests.length > 2);
    assert.equal(replica.metrics.sum('skein_stream_errors_total'), 0);
  });

  test('asks for a snapshot when a transaction does not lead where it says', async (t) => {
    const database = new MemoryDatabase();
    const [first, second] = [1, 2].map((fill) => database.commit({ pgnos: [1], fill }));
    const memory = new RefusingLog(2n);
    memory.append('app.db', first!);
    const own = memory.positions().get('app.db')!;
    const told: (Position | undefined)[] = [];
    const litefs = await startLitefs(t, (stream, positions) => {
      const position = positions.get('app.db');
      told.push(position);
      const isKnown = position?.txid === own.txid && position.checksum === own.checksum;
      const ltx = isKnown ? second! : compactAll([first!, second!]);
      const writer = new FrameWriter();
      writer.ltx('app.db');
      writer.chunk(ltx);
      writer.chunksEnd();
      writer.ready();
      stream.write(writer.take());
      beat(stream);
    });
    const replica = startReplica(t, litefs.url, { litefs: LOCAL, memory });
    await eventually(() => replica.client.status.state === 'ready');
    assert.deepEqual(memory.positions().get('app.db'), database.position);
    assert.equal(memory.fileOffsets.length, 1);
    assert.deepEqual(told.slice(0, 2), [own, own]);
    assert.equal(told.length, 3);
  });

  test('gives a primary up that is silent, though not in the middle of a file', async (t) => {
    const ltx = new MemoryDatabase().commit({ pgnos: [1], fill: 1 });
    let stopBeating: (() => void) | undefined;
    const litefs = await startLitefs(t, (stream) => {
      const writer = new FrameWriter();
      writer.ready();
      writer.ltx('app.db');
      writer.chunk(ltx.subarray(0, 200));
      stream.write(writer.take());
      setTimeout(() => {
        writer.chunk(ltx.subarray(200));
        writer.chunksEnd();
        stream.write(writer.take());
        stopBeating = beat(stream);
      }, 700);
    });
    const replica = startReplica(t, litefs.url, { litefs: LOCAL, timing: SHORT_SILENCE });
    await eventually(() => replica.log.entries.length === 1);
    assert.equal(replica.metrics.sum('skein_stream_errors_total'), 0);
    stopBeating!();
    await eventually(() => replica.metrics.sum('skein_stream_errors_total', 'PEER_SILENT') > 0);
  });
});

describe('a primary with a replica of LiteFS', () => {
  test('knows how far that is by what it was sent', async (t) => {
    const memory = new MemoryLog();
    const database = new MemoryDatabase();
    memory.append('app.db', database.commit({ pgnos: [1], fill: 1 }));
    const { server, url, log } = await startPrimary(t, { memory, litefs: LOCAL });
    const session = connect(url.origin);
    onTestEnd(t, () => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': '/stream',
      'litefs-id': '00112233AABBCCDD',
    });
    const writer = new FrameWriter();
    writer.positionMap(new Map());
    stream.end(writer.take());
    stream.resume();
    const isThere = (): boolean =>
      server.replicas[0]?.positions.get('app.db')?.applied.txid === database.position.txid;
    await eventually(isThere);
    memory.append('app.db', database.commit({ pgnos: [1], fill: 2 }));
    await eventually(isThere);
    const { durable } = server.replicas[0]!.positions.get('app.db')!;
    assert.deepEqual(durable, database.position);
    // Who waits for replicas does not count on it, and the log is not told that it is safe there.
    const target = {
      txids: new Map([['app.db', 1n as Txid]]),
      level: 'durable',
      count: 1,
    } as const;
    assert.equal(await server.waitForReplicas(target, AbortSignal.timeout(50)), false);
    assert.equal(log.acknowledged.size, 0);
  });
});
