// What a proxy does not put up with, and how it ends.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { nullMetrics, RecordingLog } from '@skein/testkit';

import { PushedNodeView } from '../src/node-view.ts';
import { startProxy } from '../src/start-proxy.ts';
import {
  ask,
  exchangeRaw,
  freePort,
  LOOPBACK,
  startApp,
  startEcho,
  startPair,
  startServer,
  startTestProxy,
} from './apps.ts';

describe('Limits', () => {
  test('headers that are too large', async (t) => {
    const target = await startEcho(t, 'app');
    const proxy = await startTestProxy(t, { target, limits: { headerBytes: 2000 } });
    const reply = await ask(proxy, { headers: { 'X-Long': 'x'.repeat(3000) } });
    assert.equal(reply.status, 431);
  });

  test('headers that do not come to an end', async (t) => {
    const target = await startEcho(t, 'app');
    const proxy = await startTestProxy(t, { target, limits: { headersMs: 500 } });
    assert.match(await exchangeRaw(proxy, 'GET / HTTP/1.1\r\nHost: x\r\nX-'), /^HTTP\/1\.1 408 /);
  });

  test('many headers, none of which is lost', async (t) => {
    // Node leaves out what is beyond a thousand.
    const headers = Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`a${i}`, '1']));
    const countOf = (raw: readonly string[]): number =>
      raw.filter((each) => /^a\d+$/.test(each)).length;
    const target = await startServer(t, (server) => {
      server.maxHeadersCount = 0;
      server.on('request', (request, response) => {
        response.writeHead(200, headers);
        response.end(String(countOf(request.rawHeaders)));
      });
    });
    const proxy = await startTestProxy(t, { target });
    proxy.view.update({ role: 'primary' });
    for (const method of ['GET', 'POST']) {
      const request = httpRequest({ host: LOOPBACK, port: proxy.port, method, headers });
      request.maxHeadersCount = 0;
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      assert.equal(await text(response), '1200');
      assert.equal(countOf(response.rawHeaders), 1200);
    }
  });

  test('a body that stands still', async (t) => {
    const gone = Promise.withResolvers<void>();
    const target = await startApp(t, (request) => {
      request.once('close', gone.resolve).once('error', () => {});
      request.resume();
    });
    const proxy = await startTestProxy(t, { target, limits: { bodyStallMs: 50 } });
    proxy.view.update({ role: 'primary' });
    const sent = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc';
    assert.equal(await exchangeRaw(proxy, sent), '');
    await gone.promise;
  });

  test('a small body that stands still, of which the app never hears', async (t) => {
    let requests = 0;
    const target = await startApp(t, (_, response) => {
      requests += 1;
      response.end('ok');
    });
    const proxy = await startTestProxy(t, { target, limits: { bodyStallMs: 50 } });
    proxy.view.update({ role: 'primary' });
    const sent = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc';
    assert.equal(await exchangeRaw(proxy, sent), '');
    assert.equal((await ask(proxy)).body, 'ok');
    assert.equal(requests, 1);
  });

  test('a body that is slow but moves goes through, and so does the next request', async (t) => {
    const target = await startEcho(t, 'app');
    const proxy = await startTestProxy(t, { target, limits: { bodyStallMs: 2500 } });
    proxy.view.update({ role: 'primary' });
    const socket = connect(proxy.port, LOOPBACK);
    let received = '';
    socket.on('data', (chunk: Buffer) => void (received += chunk.toString()));
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n');
    for (const piece of ['ab', 'c', 'd', 'ef']) {
      await sleep(700);
      socket.write(piece);
    }
    while (!received.includes('"abcdef"')) await once(socket, 'data');
    await sleep(2700);
    socket.write('GET /next HTTP/1.1\r\nHost: x\r\n\r\n');
    while (!received.includes('/next')) await once(socket, 'data');
    socket.destroy();
  });

  test('those who wait are not more than there is room for', async (t) => {
    const limits = { waiters: 1 };
    const { replica } = await startPair(t, { limits, primaryWaitMs: 60_000 });
    replica.view.update({ role: 'no-primary' });
    const first = ask(replica, { method: 'POST', body: 'x' });
    while (replica.metric('skein_proxy_waiting') === 0) await sleep(5);
    assert.equal((await ask(replica, { method: 'POST', body: 'x' })).status, 503);
    await replica.server.close();
    assert.equal((await first).status, 503);
  });

  test('a client that leaves does not wait any longer', async (t) => {
    const { replica } = await startPair(t, { primaryWaitMs: 60_000 });
    replica.view.update({ role: 'no-primary' });
    const request = httpRequest({ host: LOOPBACK, port: replica.port, method: 'POST' });
    request.on('error', () => {});
    request.end();
    while (replica.metric('skein_proxy_waiting') === 0) await sleep(5);
    request.destroy();
    while (replica.metric('skein_proxy_waiting') > 0) await sleep(5);
  });

  test('a primary that cannot be connected to', async (t) => {
    const { replica } = await startPair(t, { primaryWaitMs: 10, limits: { connectMs: 50 } });
    // TEST-NET-1 (RFC 5737): packets get nowhere, or are refused at once where there is no network.
    const primary = { name: 'node1', proxyUrl: 'http://192.0.2.1:8001' };
    replica.view.update({ role: 'replica', primary });
    const reply = await ask(replica, { method: 'POST', body: 'x' });
    assert.equal(reply.headers['skein-outcome'], 'not-executed');
  });
});

describe('startProxy()', () => {
  test('names the address that is taken', async (t) => {
    const proxy = await startTestProxy(t, { target: await startEcho(t, 'app') });
    const address = { host: LOOPBACK, port: proxy.port };
    await assert.rejects(startTestProxy(t, { target: address, address }), {
      code: 'PROXY_LISTEN',
      message: `Cannot listen on ${LOOPBACK}:${proxy.port}: EADDRINUSE`,
      hint: /proxy\.address/,
    });
  });

  test('listens at several addresses, or at none', async (t) => {
    const target = await startEcho(t, 'app');
    const [port, other] = [await freePort(), await freePort()];
    const address = { host: LOOPBACK, port };
    const alsoAt = [{ host: LOOPBACK, port: other }];
    const taken = await startTestProxy(t, { target, address: alsoAt[0]! });
    await assert.rejects(startTestProxy(t, { target, address, alsoAt }), { code: 'PROXY_LISTEN' });
    await taken.server.close();

    const proxy = await startTestProxy(t, { target, address, alsoAt });
    assert.equal(proxy.port, port);
    for (const each of [port, other]) {
      const response = await fetch(`http://${LOOPBACK}:${each}/`);
      assert.equal(response.status, 200);
      await response.text();
    }
    await proxy.server.close();
    await assert.rejects(fetch(`http://${LOOPBACK}:${other}/`));
  });

  test('refuses a malformed pattern before it listens', async () => {
    const port = await freePort();
    const options = {
      address: { host: LOOPBACK, port },
      target: { host: LOOPBACK, port: 1 },
      view: new PushedNodeView('n'),
      log: new RecordingLog(),
      metrics: nullMetrics,
    };
    await assert.rejects(startProxy({ ...options, alwaysForward: ['/^[/'] }), {
      code: 'PROXY_PATTERN',
    });
    await (await startProxy(options)).close();
  });
});

describe('close()', () => {
  test('lets a request under way end, and takes no new one', async (t) => {
    const finish = Promise.withResolvers<void>();
    const target = await startApp(t, (request, response) => {
      request.resume();
      response.write('be');
      void finish.promise.then(() => response.end('gun'));
    });
    const proxy = await startTestProxy(t, { target, limits: { closeMs: 60_000 } });
    proxy.view.update({ role: 'primary' });
    const idle = connect(proxy.port, LOOPBACK);
    await once(idle, 'connect');
    const request = httpRequest({ host: LOOPBACK, port: proxy.port, method: 'POST' });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const closing = proxy.server.close();
    await assert.rejects(ask(proxy), { code: 'ECONNREFUSED' });
    finish.resolve();
    assert.equal(await text(response), 'begun');
    // Its connection would be kept for longer.
    const isClosed = closing.then(() => true);
    assert.equal(await Promise.race([isClosed, sleep(30_000, false, { ref: false })]), true);
    assert.equal(proxy.server.close(), proxy.server.close(), 'and can be called again');
  });

  test('ends what does not end', async (t) => {
    const target = await startApp(t, (_, response) => void response.write('for ever'));
    const proxy = await startTestProxy(t, { target, limits: { closeMs: 50 } });
    const request = httpRequest({ host: LOOPBACK, port: proxy.port });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await proxy.server.close();
    await assert.rejects(text(response));
  });
});
