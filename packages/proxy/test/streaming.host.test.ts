// Bodies in both directions, and connections that become something else.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  type IncomingMessage,
  request as httpRequest,
  type RequestListener,
  type Server,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type TestScope } from '@skein/testkit';

import {
  ask,
  exchangeRaw,
  LOOPBACK,
  startApp,
  startEcho,
  startPair,
  startServer,
  startTestProxy,
  valuesOf,
} from './apps.ts';

const CHUNK = Buffer.alloc(65_536, 'skein');
const CHUNK_COUNT = 1024;
/** More than sockets and streams buffer on the way, far less than the body. */
const HELD_BYTES_MAX = 32 * 1024 * 1024;

/** One app for both nodes: a GET to the replica is read there, all else goes to the primary. */
async function startStreaming(t: TestScope, handle: RequestListener) {
  const app = await startApp(t, handle);
  return startPair(t, { primaryApp: app, replicaApp: app });
}

/** Reads and writes go to the app in different ways. */
const BOTH = ['GET', 'POST'] as const;

describe('A large body', () => {
  test('of a request goes through whole', async (t) => {
    const { replica } = await startStreaming(t, (request, response) => {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => void hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
    });
    const hash = createHash('sha256');
    const request = httpRequest({ host: LOOPBACK, port: replica.port, method: 'PUT' });
    for (let i = 0; i < CHUNK_COUNT; i += 1) {
      hash.update(CHUNK);
      if (!request.write(CHUNK)) await once(request, 'drain');
    }
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(await text(response), hash.digest('hex'));
  });

  for (const method of BOTH) {
    test(`${method}: of an answer waits for a client that does not read`, async (t) => {
      let sentBytes = 0;
      const { replica } = await startStreaming(t, (request, response) => {
        request.resume();
        const send = async (): Promise<void> => {
          for (let i = 0; i < CHUNK_COUNT; i += 1) {
            sentBytes += CHUNK.length;
            if (!response.write(CHUNK)) await once(response, 'drain');
          }
          response.end();
        };
        void send().catch(() => {});
      });
      const request = httpRequest({ host: LOOPBACK, port: replica.port, method });
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      let before = -1;
      while (before !== sentBytes) {
        before = sentBytes;
        await sleep(200);
      }
      assert.ok(sentBytes < HELD_BYTES_MAX, `${sentBytes} bytes were taken from the app`);
      let received = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) received += chunk.length;
      assert.equal(received, CHUNK.length * CHUNK_COUNT);
    });
  }

  test('of a request waits for an app that does not read', async (t) => {
    let sentBytes = 0;
    const arrived = Promise.withResolvers<IncomingMessage>();
    const { replica } = await startStreaming(t, (request, response) => {
      arrived.resolve(request);
      request.on('end', () => response.end('done'));
    });
    const request = httpRequest({ host: LOOPBACK, port: replica.port, method: 'POST' });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    const sending = (async () => {
      for (let i = 0; i < CHUNK_COUNT; i += 1) {
        sentBytes += CHUNK.length;
        if (!request.write(CHUNK)) await once(request, 'drain');
      }
      request.end();
    })();
    const atApp = await arrived.promise;
    let before = -1;
    while (before !== sentBytes) {
      before = sentBytes;
      await sleep(200);
    }
    assert.ok(sentBytes < HELD_BYTES_MAX, `${sentBytes} bytes were taken from the client`);
    atApp.resume();
    await sending;
    assert.equal(await text((await answered)[0]), 'done');
  });

  test('that the app does not want gets its answer all the same', async (t) => {
    const { replica } = await startStreaming(t, (_, response) => {
      response.writeHead(413, { Connection: 'close' });
      response.end('too large');
    });
    const headers = { 'Content-Length': String(CHUNK.length * 4) };
    const request = httpRequest({ host: LOOPBACK, port: replica.port, method: 'POST', headers });
    request.on('error', () => {});
    request.write(CHUNK);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 413);
    assert.equal(await text(response), 'too large');
    request.destroy();
  });
});

describe('An answer that takes its time', () => {
  test('comes piece by piece, as server-sent events do', async (t) => {
    const parts: { send?: (event: string) => void; end?: () => void } = {};
    const { replica } = await startPair(t, {
      replicaApp: await startApp(t, (_, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.flushHeaders();
        parts.send = (event) => void response.write(`data: ${event}\n\n`);
        parts.end = () => void response.end();
      }),
    });
    const request = httpRequest({ host: LOOPBACK, port: replica.port });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(response.headers['content-type'], 'text/event-stream');
    for (const event of ['one', 'two']) {
      parts.send!(event);
      const [chunk] = (await once(response, 'data')) as [Buffer];
      assert.equal(chunk.toString(), `data: ${event}\n\n`);
    }
    parts.end!();
    await once(response, 'end');
  });

  for (const method of BOTH) {
    test(`${method}: is given up when the client leaves`, async (t) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const { replica } = await startStreaming(t, (request, response) => {
        request.resume();
        response.write('begun');
        response.once('close', resolve);
      });
      const request = httpRequest({ host: LOOPBACK, port: replica.port, method });
      request.on('error', () => {});
      request.end();
      await once(request, 'response');
      request.destroy();
      await promise;
    });
  }

  for (const method of BOTH) {
    test(`${method}: is given up when the client leaves before it has begun`, async (t) => {
      const left = Promise.withResolvers<void>();
      const came = Promise.withResolvers<void>();
      const { replica } = await startStreaming(t, (request, response) => {
        request.resume();
        response.once('close', left.resolve);
        came.resolve();
      });
      const request = httpRequest({ host: LOOPBACK, port: replica.port, method });
      request.on('error', () => {});
      request.end();
      await came.promise;
      request.destroy();
      await left.promise;
    });
  }
});

describe('Trailers', () => {
  test('of an answer to a read go to the client', async (t) => {
    const { replica } = await startStreaming(t, (_, response) => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('body');
      response.addTrailers({ 'X-Sum': '1' });
      response.end();
    });
    const reply = await ask(replica);
    assert.deepEqual([reply.body, { ...reply.trailers }], ['body', { 'x-sum': '1' }]);
  });

  test('go both ways', async (t) => {
    const { replica } = await startStreaming(t, (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { Trailer: 'X-Sum' });
        response.write('body');
        response.addTrailers({ 'X-Sum': `${request.trailers['x-count']} back` });
        response.end();
      });
    });
    const headers = { Trailer: 'X-Count', TE: 'trailers' };
    const request = httpRequest({ host: LOOPBACK, port: replica.port, method: 'POST', headers });
    request.write('x');
    request.addTrailers({ 'X-Count': '1' });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.equal(await text(response), 'body');
    assert.deepEqual({ ...response.trailers }, { 'x-sum': '1 back' });
  });
});

describe('Expect: 100-continue', () => {
  function post(port: number) {
    const headers = { Expect: '100-continue', 'Content-Length': '4' };
    return httpRequest({ host: LOOPBACK, port, method: 'POST', headers });
  }

  test('the body is sent when the app wants it', async (t) => {
    const { replica } = await startPair(t);
    const request = post(replica.port);
    request.flushHeaders();
    await once(request, 'continue');
    request.end('body');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.match(await text(response), /"body":"body"/);
  });

  test('and not when it refuses', async (t) => {
    const primaryApp = await startServer(t, (server) => {
      server.on('checkContinue', (_, response) => {
        response.writeHead(401);
        response.end('no');
      });
    });
    const { replica } = await startPair(t, { primaryApp });
    const request = post(replica.port);
    request.on('continue', () => assert.fail('The body was asked for'));
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    assert.deepEqual([response.statusCode, await text(response)], [401, 'no']);
    request.destroy();
  });
});

describe('Upgrade', () => {
  /** Agrees to any protocol, says which, and sends back what it gets. */
  function agree(name: string): (server: Server) => void {
    return (server) => {
      server.on('upgrade', (request, socket, head) => {
        const protocol = request.headers.upgrade;
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n');
        socket.write(`Upgrade: ${protocol}\r\nX-App: ${name}\r\n\r\nhello ${protocol}`);
        if (head.length > 0) socket.write(head);
        socket.pipe(socket);
      });
    };
  }

  async function startUpgrading(t: TestScope, options: Parameters<typeof startPair>[1] = {}) {
    const primaryApp = await startServer(t, agree('primary'));
    const replicaApp = await startServer(t, agree('replica'));
    return startPair(t, { primaryApp, replicaApp, ...options });
  }

  async function upgrade(port: number, path = '/') {
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'x' };
    const request = httpRequest({ host: LOOPBACK, port, path, headers });
    request.end();
    const [response, socket, head] = (await once(request, 'upgrade')) as [
      IncomingMessage,
      Socket,
      Buffer,
    ];
    const received = [head.toString()];
    socket.on('data', (chunk: Buffer) => void received.push(chunk.toString()));
    const until = async (expected: string): Promise<void> => {
      while (received.join('') !== expected) await once(socket, 'data');
    };
    return { response, socket, until };
  }

  test('goes to the app on the node, and by pattern to that of the primary', async (t) => {
    const { replica } = await startUpgrading(t, { alwaysForward: ['/live'] });
    for (const [path, app] of [
      ['/', 'replica'],
      ['/live', 'primary'],
    ] as const) {
      const { response, socket, until } = await upgrade(replica.port, path);
      assert.equal(response.headers['x-app'], app);
      assert.equal(response.headers.upgrade, 'websocket');
      await until('hello websocket');
      socket.write(' echo');
      await until('hello websocket echo');
      assert.equal(replica.metric('skein_proxy_upgrades'), 1);
      socket.end();
      await once(socket, 'close');
      while (replica.metric('skein_proxy_upgrades') > 0) await sleep(5);
    }
  });

  test('loses nothing of what the client sends at once', async (t) => {
    const { replica } = await startUpgrading(t);
    const sent =
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly';
    const socket = connect(replica.port, LOOPBACK);
    const received: string[] = [];
    socket.on('data', (chunk: Buffer) => void received.push(chunk.toString()));
    socket.write(sent);
    while (!received.join('').endsWith('hello websocketearly')) await once(socket, 'data');
    socket.destroy();
  });

  test('that an app refuses gets the answer of the app', async (t) => {
    const target = await startApp(t, (_, response) => {
      response.writeHead(426, { 'X-Why': 'no' });
      response.end('not here');
    });
    const proxy = await startTestProxy(t, { target });
    const sent = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const received = await exchangeRaw(proxy, sent);
    assert.match(received, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
    assert.match(received, /X-Why: no\r\n/);
    assert.match(received, /not here/);
  });

  test('is refused without a primary, and beyond the limit', async (t) => {
    const limits = { upgrades: 1 };
    const { replica } = await startUpgrading(t, { limits, alwaysForward: ['/live'] });
    const { socket, until } = await upgrade(replica.port);
    await until('hello websocket');
    const sent = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    assert.match(await exchangeRaw(replica, sent), /^HTTP\/1\.1 503 .*Skein-Outcome: not-ex/s);
    socket.destroy();
  });

  test('ends on one side when it ends on the other', async (t) => {
    const app = Promise.withResolvers<Socket>();
    const target = await startServer(t, (server) => {
      server.on('upgrade', (_, socket) => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
        );
        socket.on('error', () => {});
        app.resolve(socket as Socket);
      });
    });
    const proxy = await startTestProxy(t, { target });
    const first = await upgrade(proxy.port);
    (await app.promise).destroy();
    await once(first.socket, 'close');
  });

  test('of a proxy that closes ends', async (t) => {
    const { replica } = await startUpgrading(t);
    const { socket, until } = await upgrade(replica.port);
    await until('hello websocket');
    const closed = once(socket, 'close');
    await replica.server.close();
    await closed;
  });
});

describe('Framing', () => {
  const ambiguous: readonly (readonly [name: string, lines: string, body?: string])[] = [
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n'],
    ['a length and chunks', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'],
    ['chunks, but not as the last coding', 'Transfer-Encoding: chunked, identity\r\n'],
    ['a coding that we do not read', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['a line that is folded', 'X-A: b\r\n c\r\nContent-Length: 0\r\n', ''],
    ['a space before the colon', 'Content-Length : 1\r\n'],
    ['two hosts', 'Host: other\r\nContent-Length: 0\r\n', ''],
  ];
  for (const [name, lines, body = '0\r\n\r\n'] of ambiguous) {
    test(`a request with ${name} reaches no app`, async (t) => {
      let count = 0;
      const target = await startApp(t, (_, response) => {
        count += 1;
        response.end();
      });
      const proxy = await startTestProxy(t, { target });
      proxy.view.update({ role: 'primary' });
      const sent = `POST / HTTP/1.1\r\nHost: x\r\n${lines}Connection: close\r\n\r\n${body}`;
      assert.match(await exchangeRaw(proxy, sent), /^HTTP\/1\.1 (?:400|501) /);
      assert.equal(count, 0);
    });
  }

  test('a target with a host is for that host', async (t) => {
    const proxy = await startTestProxy(t, { target: await startEcho(t, 'app') });
    const get = (url: string): Promise<string> =>
      exchangeRaw(proxy, `GET ${url} HTTP/1.1\r\nHost: x.org\r\nConnection: close\r\n\r\n`);
    assert.match(await get('http://x.org/a?b'), /"url":"\/a\?b"/);
    assert.match(await get('http://x.org'), /"url":"\/"/);
    assert.match(await get('http://other.org/a'), /^HTTP\/1\.1 400 /);
  });

  test('a client of HTTP/1.0 gets an answer that it can read', async (t) => {
    const target = await startApp(t, (_, response) => {
      response.write('a');
      response.end('b');
    });
    const proxy = await startTestProxy(t, { target });
    const received = await exchangeRaw(proxy, 'GET / HTTP/1.0\r\nHost: x\r\n\r\n');
    assert.match(received, /\r\n\r\nab$/);
    assert.doesNotMatch(received, /transfer-encoding/i);
  });

  test('answers without a body have none, and keep what they say of it', async (t) => {
    const target = await startApp(t, (request, response) => {
      const status = Number(request.url!.slice(1));
      if (status !== 204) response.setHeader('Content-Length', '5');
      response.writeHead(status, { ETag: '"x"' });
      response.end(request.method === 'HEAD' || status !== 200 ? undefined : 'hello');
    });
    const proxy = await startTestProxy(t, { target });
    const head = await ask(proxy, { method: 'HEAD', path: '/200' });
    assert.deepEqual([head.headers['content-length'], head.body], ['5', '']);
    for (const status of [204, 304]) {
      const reply = await ask(proxy, { path: `/${status}` });
      assert.deepEqual([reply.status, reply.headers['etag'], reply.body], [status, '"x"', '']);
      assert.deepEqual(valuesOf(reply.rawHeaders, 'transfer-encoding'), []);
    }
  });

  test('one connection serves request after request', async (t) => {
    const proxy = await startTestProxy(t, { target: await startEcho(t, 'app') });
    const socket = connect(proxy.port, LOOPBACK);
    let received = '';
    socket.on('data', (chunk: Buffer) => void (received += chunk.toString()));
    const get = (i: number): string => `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`;
    // Pipelined: the answers come in order.
    socket.write(get(1) + get(2) + get(3));
    while (!received.includes('"url":"/3"')) await once(socket, 'data');
    assert.ok(received.indexOf('"url":"/1"') < received.indexOf('"url":"/2"'));
    socket.destroy();
  });
});
