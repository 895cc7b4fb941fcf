// Nodes that introduce themselves over HTTP: who is let in, and that both sides know it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import {
  Authenticator,
  formatHello,
  parseHello,
  type PeerHello,
  ReplicationError,
} from '@skein/cluster';
import { systemClock, systemRandom } from '@skein/host';
import { onTestEnd, RecordingLog, tempDir } from '@skein/testkit';

import type { ClusterControl } from '../../api/cluster-control.ts';
import { HELLO_PATH, HELLO_WITH_POSITIONS, SIGNATURE_HEADER } from '../../api/cluster-routes.ts';
import { EventHub } from '../../api/events.ts';
import type { NodeControl } from '../../api/node-control.ts';
import { Api } from '../../api/server.ts';
import { helloParts, HttpProbe } from './http-probe.ts';

const SECRET = 'a-secret-that-is-long-enough';

function hello(name: string): PeerHello {
  return {
    name,
    nodeId: '00000000000000A1',
    url: `http://${name}:20202/`,
    proxyUrl: undefined,
    sqlUrl: undefined,
    primary: 'node1',
    role: 'replica',
    epoch: 1,
    isEnding: false,
    clusterId: undefined,
    peers: [],
    positions: undefined,
  };
}

function authenticatorOf(secret: string | undefined): Authenticator | undefined {
  if (secret === undefined) return undefined;
  return new Authenticator({ secret, clock: systemClock, random: systemRandom });
}

interface Served {
  readonly url: URL;
  /** Who has introduced himself, and whether he wanted to know positions. */
  readonly met: [name: string, wantsPositions: boolean][];
}

async function serve(t: TestContext, secret: string | undefined): Promise<Served> {
  const authenticator = authenticatorOf(secret);
  const met: Served['met'] = [];
  const cluster: ClusterControl = {
    events: new EventHub(),
    role: () => ({ isPrimary: true, role: 'primary', epoch: 1 }),
    status: () => undefined,
    unreadiness: () => 'There is no primary in sight',
    peers: {
      verify: (signature, { target, body }) =>
        authenticator?.verify(signature, helloParts(target, body)),
      exchange: (body, { wantsPositions }) => {
        met.push([parseHello(body).name, wantsPositions]);
        return formatHello(hello('node1'));
      },
      describe: () => formatHello(hello('node1')),
      signAnswer: (signature, body) =>
        signature === undefined
          ? undefined
          : authenticator?.signAnswer(signature, helloParts(HELLO_PATH, body)),
    },
  };
  const control = { newScratchPath: () => '' } as unknown as NodeControl;
  const api = new Api({
    control,
    cluster,
    dataFolder: tempDir(t),
    http: undefined,
    log: new RecordingLog(),
  });
  const server = createServer(api.handlerFor({ host: '127.0.0.1', port: 0 }, secret));
  return { url: await listen(t, server), met };
}

async function listen(t: TestContext, server: Server): Promise<URL> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function ask({ url }: Served, secret: string | undefined, wantsPositions = false) {
  const authenticator = authenticatorOf(secret);
  const probe = new HttpProbe({ authenticator, tls: undefined, mayMeetLitefs: false });
  return probe.ask(url, hello('node2'), { wantsPositions });
}

describe('POST /cluster/node', () => {
  test('tells each node of the other, with and without a secret', async (t) => {
    for (const secret of [undefined, SECRET]) {
      const served = await serve(t, secret);
      assert.deepEqual(await ask(served, secret), hello('node1'));
      await ask(served, secret, true);
      assert.deepEqual(served.met, [
        ['node2', false],
        ['node2', true],
      ]);
    }
  });

  test('lets in nobody who does not know the secret', async (t) => {
    const served = await serve(t, SECRET);
    for (const secret of [undefined, 'another-secret-of-that-length']) {
      await assert.rejects(ask(served, secret), /answers 401/);
    }
    assert.deepEqual(served.met, []);
  });

  test('believes no answer of a node that does not know the secret', async (t) => {
    const served = await serve(t, undefined);
    await assert.rejects(
      ask(served, SECRET),
      (error) => error instanceof ReplicationError && error.code === 'PEER_AUTHENTICATION',
    );
  });

  test('takes no signature for another question than it was made for', async (t) => {
    const served = await serve(t, SECRET);
    const body = formatHello(hello('node2'));
    const signature = authenticatorOf(SECRET)!.sign(helloParts(HELLO_WITH_POSITIONS, body));
    // On its way the question for positions was taken away.
    const response = await fetch(new URL(HELLO_PATH, served.url), {
      method: 'POST',
      body,
      headers: { [SIGNATURE_HEADER]: signature },
    });
    assert.equal(response.status, 401);
    assert.deepEqual(served.met, []);
  });

  test('takes no more, and waits no longer, than an introduction needs', async (t) => {
    const served = await serve(t, undefined);
    const response = await fetch(new URL(HELLO_PATH, served.url), {
      method: 'POST',
      body: 'x'.repeat(300_000),
    });
    assert.equal(response.status, 413);
    const socket = connect(Number(served.url.port), '127.0.0.1');
    onTestEnd(t, () => void socket.destroy());
    const startedMs = performance.now();
    socket.write(`POST ${HELLO_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx`);
    socket.resume();
    await once(socket, 'close');
    // Node itself waits for minutes.
    assert.ok(performance.now() - startedMs < 60_000, 'It was waited for');
  });

  test('tells a LiteFS, which does not know the question, from a node that refuses', async (t) => {
    const server = createServer((_request, response) => {
      response.writeHead(404, { 'Litefs-Id': '7FA9F867B735DFAF' }).end('404 page not found\n');
    });
    const url = await listen(t, server);
    const askAs = (mayMeetLitefs: boolean): Promise<PeerHello> => {
      const probe = new HttpProbe({ authenticator: undefined, tls: undefined, mayMeetLitefs });
      return probe.ask(url, hello('node2'), { wantsPositions: false });
    };
    await assert.rejects(
      askAs(false),
      (error) => error instanceof ReplicationError && error.code === 'PEER_NOT_ALLOWED',
    );
    // Nothing that anybody has to be told of.
    await assert.rejects(
      askAs(true),
      (error) => error instanceof Error && !(error instanceof ReplicationError),
    );
  });

  test('refuses what is no introduction, and what a web page sends', async (t) => {
    const { url, met } = await serve(t, undefined);
    const target = new URL('/cluster/node', url);
    const post = (init: RequestInit) => fetch(target, { method: 'POST', ...init });
    assert.equal((await post({ body: 'hello' })).status, 400);
    const headers = { Origin: 'http://evil.example' };
    assert.equal((await post({ body: formatHello(hello('x')), headers })).status, 403);
    assert.equal((await post({ body: ' '.repeat(5_000_000) })).status, 413);
    assert.deepEqual(met, []);
  });
});

describe('The API of a node with a secret', () => {
  test('tells everybody whether it is ready, and nothing else', async (t) => {
    const { url } = await serve(t, SECRET);
    const statusOf = async (path: string): Promise<number> =>
      (await fetch(new URL(path, url))).status;
    assert.equal(await statusOf('/readyz'), 503);
    for (const path of ['/cluster/node', '/events', '/status', '/metrics']) {
      assert.equal(await statusOf(path), 401, path);
    }
    const headers = { Authorization: `Bearer ${SECRET}` };
    const shown = await fetch(new URL('/cluster/node', url), { headers });
    assert.deepEqual(parseHello(await shown.text()), hello('node1'));
  });
});
