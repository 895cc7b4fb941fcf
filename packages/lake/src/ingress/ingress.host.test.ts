import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePorts, onTestEnd, RecordingLog, waitUntil } from '@skein/testkit';

import type { IngressOptions, LakeRole } from './options.ts';
import { startIngress } from './start-ingress.ts';

const WAIT_MS = 30_000;
const LIMITS = { probeEveryMs: 20, probeMs: WAIT_MS, patienceMs: WAIT_MS };

/** A node of a lake as an ingress sees it. */
class FakeNode {
  readonly seen: string[] = [];
  role: LakeRole | undefined;
  isReady = true;
  /** Has everything up to here. */
  position = 0;
  /** To say that it is ready, whatever it has. */
  delayMs = 0;
  onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly #server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) =>
    this.#answer(request, response),
  );
  url = '';

  constructor(role: LakeRole | undefined, name: string) {
    this.role = role;
    this.onRequest = (request, response) => {
      void buffer(request).then((body) => response.end(`${name} ${request.url} ${body.length}`));
    };
  }

  async start(t: TestContext, port: number): Promise<this> {
    await this.listen(port);
    onTestEnd(t, () => this.stop());
    return this;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url !== '/readyz') {
      this.seen.push(`${request.method} ${request.url}`);
      this.onRequest(request, response);
      return;
    }
    if (this.role !== undefined) response.setHeader('X-Skein-Role', this.role);
    response.setHeader('X-Skein-Node', 'machine-1');
    const wanted = Number(request.headers['x-skein-position'] ?? 0);
    const timeoutMs = Number(request.headers['x-skein-timeout']);
    const end = (isThere: boolean): void => {
      response.writeHead(isThere && this.isReady ? 200 : 503).end();
    };
    if (wanted === 0 && this.delayMs > 0) {
      setTimeout(() => end(true), this.delayMs);
      return;
    }
    if (this.position >= wanted) return end(true);
    setTimeout(() => end(this.position >= wanted), Math.min(timeoutMs, 100));
  }
}

async function node(
  t: TestContext,
  role: LakeRole | undefined,
  name: string,
  port = 0,
): Promise<FakeNode> {
  return new FakeNode(role, name).start(t, port);
}

async function ingress(
  t: TestContext,
  options: Partial<IngressOptions> & Pick<IngressOptions, 'writers' | 'readers'>,
): Promise<string> {
  const log = new RecordingLog();
  const limits = { ...LIMITS, ...options.limits };
  const started = await startIngress({
    host: '127.0.0.1',
    port: 0,
    log,
    ...options,
    limits,
  });
  onTestEnd(t, () => started.close());
  return `http://127.0.0.1:${started.address.port}`;
}

async function text(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  return `${response.status} ${await response.text()}`;
}

test('Paths under /w/ go to the writer, all else to the readers in turn', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const [one, two] = [await node(t, 'reader', 'one'), await node(t, 'reader', 'two')];
  const url = await ingress(t, { writers: [writer.url], readers: [one.url, two.url] });
  assert.equal(
    await text(`${url}/w/q/?a=b`, { method: 'POST', body: 'x' }),
    '200 writer /q/?a=b 1',
  );
  assert.equal(
    await text(`${url}/w/upload/public/t`, { method: 'POST' }),
    '200 writer /upload/public/t 0',
  );
  const answers = new Set<string>();
  for (let i = 0; i < 4; i += 1) answers.add(await text(`${url}/q/SELECT%201.csv`));
  assert.deepEqual([...answers].sort(), [
    '200 one /q/SELECT%201.csv 0',
    '200 two /q/SELECT%201.csv 0',
  ]);
  assert.match(await text(`${url}/w`), / \/w 0$/);
  assert.equal(writer.seen.length, 2);
});

test('The reader with the fewest requests under way gets the next', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const [busy, idle] = [await node(t, 'reader', 'busy'), await node(t, 'reader', 'idle')];
  const url = await ingress(t, { writers: [writer.url], readers: [busy.url, idle.url] });
  const held: ServerResponse[] = [];
  busy.onRequest = (_, response) => void held.push(response);
  const first = [text(`${url}/q/1`), text(`${url}/q/2`)];
  await waitUntil('the busy one has a request', () => held.length === 1, WAIT_MS);
  assert.match(await Promise.race(first), /idle/);
  for (let i = 0; i < 5; i += 1) assert.match(await text(`${url}/q/3`), /idle/);
  held[0]!.end();
  await Promise.all(first);
});

test('A change of roles needs no restart', async (t) => {
  const one = await node(t, 'writer', 'one');
  const two = await node(t, 'reader', 'two');
  const url = await ingress(t, { writers: [one.url], readers: [two.url] });
  assert.match(await text(`${url}/w/q`, { method: 'POST' }), /one/);
  one.role = 'reader';
  two.role = 'writer';
  const isChanged = async (): Promise<boolean> =>
    (await text(`${url}/w/q`, { method: 'POST' })).includes('two');
  await waitUntil('writes go to the other', isChanged, WAIT_MS);
  assert.match(await text(`${url}/q`), /one/);
});

test('A node that says no role has the one that it is configured with', async (t) => {
  const [one, two] = [await node(t, undefined, 'one'), await node(t, undefined, 'two')];
  const url = await ingress(t, { writers: [one.url], readers: [two.url] });
  assert.match(await text(`${url}/w/q`, { method: 'POST' }), /one/);
  assert.match(await text(`${url}/q`), /two/);
});

test('Without any reader configured, the writer is asked', async (t) => {
  const one = await node(t, 'writer', 'one');
  const url = await ingress(t, { writers: [one.url], readers: [] });
  assert.match(await text(`${url}/q`), /one/);
});

test('A reader that ends is left out, and comes back', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const [port] = await freePorts(1);
  const [one, two] = [await node(t, 'reader', 'one', port), await node(t, 'reader', 'two')];
  const nodes = { writers: [writer.url], readers: [one.url, two.url] };
  const url = await ingress(t, { ...nodes, limits: { patienceMs: 300 } });
  one.stop();
  for (let i = 0; i < 6; i += 1) {
    const method = i % 2 === 0 ? 'GET' : 'POST';
    assert.equal(await text(`${url}/q`, { method }), '200 two /q 0');
  }
  await one.listen(port!);
  const isBack = async (): Promise<boolean> => (await text(`${url}/q`)).includes('one');
  await waitUntil('the reader has come back', isBack, WAIT_MS);
  one.isReady = false;
  two.isReady = false;
  const isRefused = async (): Promise<boolean> => (await text(`${url}/q`)).startsWith('503');
  await waitUntil('nobody takes reads', isRefused, WAIT_MS);
  const refused = await fetch(`${url}/q`);
  assert.equal(refused.headers.get('skein-outcome'), 'not-executed');
});

test('A read that is lost is asked again, what may be a write is not', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const [one, two] = [await node(t, 'reader', 'one'), await node(t, 'reader', 'two')];
  const url = await ingress(t, { writers: [writer.url], readers: [one.url, two.url] });
  for (const each of [one, writer]) each.onRequest = (request) => void request.socket.destroy();
  for (let i = 0; i < 4; i += 1) assert.equal(await text(`${url}/q`), '200 two /q 0');
  const lost = await fetch(`${url}/w/q`, { method: 'POST', body: 'INSERT' });
  assert.equal(lost.status, 502);
  assert.equal(lost.headers.get('skein-outcome'), 'unknown');
  assert.equal(writer.seen.length, 1);
});

test('The answer to a write is held until the readers have it', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const [one, two] = [await node(t, 'reader', 'one'), await node(t, 'reader', 'two')];
  const holdMs = 10_000;
  const url = await ingress(t, { writers: [writer.url], readers: [one.url, two.url], holdMs });
  writer.onRequest = (_, response) => {
    response.setHeader('X-Skein-Position', '7');
    response.end('written');
  };
  one.position = 7;
  setTimeout(() => (two.position = 7), 50);
  const answer = await fetch(`${url}/w/q`, { method: 'POST', body: '{}' });
  assert.equal(two.position, 7);
  assert.equal(answer.headers.get('x-skein-readers'), '2/2');
  assert.equal(await answer.text(), 'written');
});

test('A reader that does not get it in time reads last until it has it', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const [fresh, stale] = [await node(t, 'reader', 'fresh'), await node(t, 'reader', 'stale')];
  const options = { writers: [writer.url], readers: [fresh.url, stale.url], holdMs: WAIT_MS };
  const url = await ingress(t, options);
  fresh.position = 9;
  writer.onRequest = (_, response) => response.setHeader('X-Skein-Position', '9').end();
  const answer = await fetch(`${url}/w/q`, { method: 'POST' });
  assert.equal(answer.headers.get('x-skein-readers'), '1/2');
  for (let i = 0; i < 6; i += 1) assert.match(await text(`${url}/q`), /fresh/);
  stale.position = 9;
  const isBack = async (): Promise<boolean> => (await text(`${url}/q`)).includes('stale');
  await waitUntil('the stale one is asked again', isBack, WAIT_MS);
});

test('A reader is still behind when it answers what it was asked before', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const [fresh, stale] = [await node(t, 'reader', 'fresh'), await node(t, 'reader', 'stale')];
  const options = { writers: [writer.url], readers: [fresh.url, stale.url], holdMs: WAIT_MS };
  const url = await ingress(t, options);
  const isUp = async (): Promise<boolean> => (await text(`${url}/q`)).includes('stale');
  await waitUntil('both are asked', isUp, WAIT_MS);
  // Longer than it takes it to say that it does not have the position.
  stale.delayMs = 300;
  fresh.position = 9;
  await sleep(400);
  writer.onRequest = (_, response) => response.setHeader('X-Skein-Position', '9').end();
  await fetch(`${url}/w/q`, { method: 'POST' });
  const untilMs = performance.now() + 600;
  while (performance.now() < untilMs) assert.match(await text(`${url}/q`), /fresh/);
});

test('Large uploads stream through, in both directions', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const url = await ingress(t, { writers: [writer.url], readers: [] });
  writer.onRequest = (request, response) => void request.pipe(response);
  const bytes = Buffer.alloc(32 * 1024 * 1024, 'a line of a file\n');
  let sent = 0;
  const sending = httpRequest(`${url}/w/upload/public/t`, { method: 'POST' });
  sending.write(bytes.subarray(0, 1000));
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  // It comes back before it has been sent: nothing is collected on the way.
  const [first] = (await once(answer, 'data')) as [Buffer];
  sent = first.length;
  assert(sent <= 1000);
  sending.end(bytes.subarray(1000));
  assert.equal(sent + (await buffer(answer)).length, bytes.length);
});

test('A client that goes away ends its request at the node', async (t) => {
  const reader = await node(t, 'reader', 'reader');
  const url = await ingress(t, { writers: [], readers: [reader.url] });
  let isGone = false;
  reader.onRequest = (request) => void request.socket.once('close', () => (isGone = true));
  const controller = new AbortController();
  const asked = assert.rejects(fetch(`${url}/q`, { signal: controller.signal }));
  await waitUntil('the node has the request', () => reader.seen.length === 1, WAIT_MS);
  controller.abort();
  await asked;
  await waitUntil('the node has lost its client', () => isGone, WAIT_MS);
});

test('An answer that breaks off does not look whole', async (t) => {
  const reader = await node(t, 'reader', 'reader');
  const url = await ingress(t, { writers: [], readers: [reader.url] });
  reader.onRequest = (_, response) => {
    response.write('half');
    setTimeout(() => response.destroy(), 20);
  };
  // As it comes: with the end behind it, or in its place.
  await assert.rejects(text(`${url}/q`), /terminated|fetch failed/);
});

test('Headers of one connection stay there, and the client is named', async (t) => {
  const reader = await node(t, 'reader', 'reader');
  const url = await ingress(t, { writers: [], readers: [reader.url] });
  let seen: IncomingMessage['headers'] = {};
  reader.onRequest = (request, response) => {
    seen = request.headers;
    response
      .setHeader('Connection', 'X-Own')
      .setHeader('X-Own', '1')
      .setHeader('X-Kept', '2')
      .end();
  };
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    'GET /q HTTP/1.1\r\nHost: lake.example\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\n' +
      'X-Forwarded-For: 1.2.3.4\r\nAuthorization: Bearer x\r\n\r\n',
  );
  const answer = (await buffer(socket)).toString();
  assert.equal(seen['x-mine'], undefined);
  assert.equal(seen.host, 'lake.example');
  assert.equal(seen.authorization, 'Bearer x');
  assert.equal(seen['x-forwarded-for'], '1.2.3.4, 127.0.0.1');
  assert.match(answer, /X-Kept: 2/);
  assert.doesNotMatch(answer, /X-Own: 1/);
});

test('A loop of ingresses ends', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const url = await ingress(t, { writers: [writer.url], readers: [] });
  let status = 0;
  writer.onRequest = (request, response) => {
    void fetch(`${url}${request.url}`, { headers: { Via: request.headers.via ?? '' } })
      .then((again) => response.writeHead((status = again.status)).end())
      .catch(() => response.destroy());
  };
  assert.match(await text(`${url}/q`), /^508/);
  assert.equal(status, 508);
  assert(writer.seen.length <= 4);
});

test('With Fly-Replay a writer elsewhere is named, one here is asked', async (t) => {
  const writer = await node(t, 'writer', 'writer');
  const options = { writers: [writer.url], readers: [], flyReplay: true };
  const url = await ingress(t, options);
  assert.match(await text(`${url}/w/q`, { method: 'POST' }), /writer/);
});

test('startIngress() refuses what is no address, and a port that is taken', async (t) => {
  const taken = await node(t, 'reader', 'taken');
  const log = new RecordingLog();
  const usual = { host: '127.0.0.1', port: 0, readers: [], log };
  for (const writer of ['https://a', 'http://a/b', 'a:8080', 'http://u@a']) {
    const options = { ...usual, writers: [writer] };
    await assert.rejects(startIngress(options), { code: 'LAKE_STORE_CONFIG' }, writer);
  }
  const port = Number(new URL(taken.url).port);
  await assert.rejects(startIngress({ ...usual, writers: [], port }), { code: 'LAKE_STORE_START' });
});

test('A client cannot have the length of its body left behind', async (t) => {
  const only = await node(t, 'writer', 'w');
  const url = await ingress(t, { writers: [only.url], readers: [] });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  // A body without a length would be taken for a request of its own.
  const hidden = 'POST /hidden HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
  socket.write(
    'GET /q/shown HTTP/1.1\r\nHost: x\r\nConnection: close, content-length\r\n' +
      `Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  );
  assert.match((await buffer(socket)).toString(), new RegExp(`w /q/shown ${hidden.length}`));
  assert.deepEqual(only.seen, ['GET /q/shown']);
});

test('A query in a header may be as long as a node takes it', async (t) => {
  const only = await node(t, 'writer', 'w');
  const url = await ingress(t, { writers: [only.url], readers: [] });
  const query = `SELECT '${'x'.repeat(30_000)}'`;
  only.onRequest = ({ headers }, response) => {
    response.end(String(headers['x-seafowl-query'] === query));
  };
  const answer = await fetch(`${url}/q/hash`, { headers: { 'X-Seafowl-Query': query } });
  assert.deepEqual([answer.status, await answer.text()], [200, 'true']);
});
