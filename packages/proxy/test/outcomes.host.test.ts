// What a client learns of a request that went wrong: not executed, unknown, or the app's own
// answer.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { formatHop } from '@skein/client/peers';
import { onTestEnd, type TestScope } from '@skein/testkit';

import { PushedNodeView } from '../src/node-view.ts';
import {
  ask,
  freePort,
  LOOPBACK,
  type Reply,
  startApp,
  startEcho,
  startPair,
  startTestProxy,
  type TestProxy,
} from './apps.ts';

function outcomeOf({ status, headers }: Reply): string {
  return [status, headers['skein-outcome']].join(' ').trim();
}

/** A server that is asked, and hears of each request, as text. */
async function startBare(
  t: TestScope,
  onRequest: (text: string, socket: Socket, count: number) => void,
): Promise<{ readonly host: string; readonly port: number }> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => onRequest(chunk.toString('latin1'), socket, (count += 1)));
  });
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  onTestEnd(t, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host: LOOPBACK, port: (server.address() as { port: number }).port };
}

async function startPrimary(
  t: TestScope,
  setup: Parameters<typeof startTestProxy>[1],
): Promise<TestProxy> {
  const proxy = await startTestProxy(t, setup);
  proxy.view.update({ role: 'primary' });
  return proxy;
}

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('Not executed', () => {
  test('a write without a primary, after a bounded wait', async (t) => {
    const { replica } = await startPair(t, { primaryWaitMs: 30 });
    for (const role of ['no-primary', 'fenced'] as const) {
      replica.view.update({ role });
      const reply = await ask(replica, { method: 'POST', body: 'x' });
      assert.equal(outcomeOf(reply), '503 not-executed');
      assert.equal(reply.headers['retry-after'], '1');
      assert.match(reply.body, /no primary/);
    }
    assert.equal(replica.metric('skein_proxy_failures_total'), 2);
  });

  test('but it is executed when a primary comes up in time', async (t) => {
    const { primary, replica } = await startPair(t, { primaryWaitMs: 30_000 });
    replica.view.update({ role: 'no-primary' });
    const writing = ask(replica, { method: 'POST', body: 'hello' });
    await sleep(30);
    replica.view.update({ role: 'replica', primary: { name: 'node1', proxyUrl: primary.url } });
    assert.deepEqual((await writing).echo.body, 'hello');
  });

  test('a write to a primary that cannot be reached', async (t) => {
    const { replica } = await startPair(t, { primaryWaitMs: 150 });
    const proxyUrl = `http://${LOOPBACK}:${await freePort()}`;
    replica.view.update({ role: 'replica', primary: { name: 'gone', proxyUrl } });
    const reply = await ask(replica, { method: 'POST', body: 'x' });
    assert.equal(outcomeOf(reply), '503 not-executed');
    assert.match(reply.body, /gone: ECONNREFUSED/);
  });

  test('but it goes to the next primary, with its body, when there is one', async (t) => {
    const { primary, replica } = await startPair(t, { primaryWaitMs: 30_000 });
    const proxyUrl = `http://${LOOPBACK}:${await freePort()}`;
    replica.view.update({ role: 'replica', primary: { name: 'gone', proxyUrl } });
    const writing = ask(replica, { method: 'POST', body: 'y'.repeat(100_000) });
    await sleep(150);
    replica.view.update({ role: 'replica', primary: { name: 'node1', proxyUrl: primary.url } });
    assert.equal((await writing).echo.body.length, 100_000);
  });

  test('what is forwarded to a node that is not the primary', async (t) => {
    const { replica: other } = await startPair(t);
    const { replica } = await startPair(t);
    replica.view.update({ role: 'replica', primary: { name: 'node2', proxyUrl: other.url } });
    const reply = await ask(replica, { method: 'POST', body: 'x' });
    assert.equal(outcomeOf(reply), '503 not-executed');
    assert.match(reply.body, /not the primary/);
  });

  test('what would go round between nodes that take each other for the primary', async (t) => {
    for (const [a, b] of [
      [undefined, undefined],
      ['secret of one', 'secret of another'],
    ]) {
      const start = (secret: string | undefined, name: string) =>
        startTestProxy(t, {
          target: { host: LOOPBACK, port: 1 },
          view: new PushedNodeView(name),
          ...(secret === undefined ? {} : { secret }),
        });
      const [left, right] = [await start(a, 'left'), await start(b, 'right')];
      left.view.update({ role: 'replica', primary: { name: 'right', proxyUrl: right.url } });
      right.view.update({ role: 'replica', primary: { name: 'left', proxyUrl: left.url } });
      const reply = await ask(left, { method: 'POST', body: 'x' });
      assert.equal(outcomeOf(reply), '503 not-executed');
    }
  });

  test('a secret keeps strangers from claiming that a request was forwarded', async (t) => {
    const { replica } = await startPair(t, { secret: 'secret' });
    const headers = { Host: 'a.org', 'Skein-Hop': '1;node9' };
    assert.equal((await ask(replica, { method: 'POST', headers })).echo.name, 'primary');
    const request = { method: 'POST', target: '/', host: 'a.org' };
    const proved = { ...headers, 'Skein-Hop': formatHop('node9', request, 'secret') };
    const refused = await ask(replica, { method: 'POST', headers: proved });
    assert.equal(outcomeOf(refused), '503 not-executed');
  });
});

describe('An app that does not listen', () => {
  test('is waited for, with a write too', async (t) => {
    const port = await freePort();
    const proxy = await startPrimary(t, { target: { host: LOOPBACK, port } });
    const writing = ask(proxy, { method: 'POST', body: 'hello' });
    await sleep(50);
    await startApp(
      t,
      (request, response) => {
        request.pipe(response);
      },
      port,
    );
    const reply = await writing;
    assert.deepEqual([reply.status, reply.body], [200, 'hello']);
  });

  test('is not waited for longer than is configured', async (t) => {
    const port = await freePort();
    const proxy = await startPrimary(t, { target: { host: LOOPBACK, port }, startWaitMs: 10 });
    for (const method of ['GET', 'POST']) {
      const reply = await ask(proxy, { method });
      assert.equal(outcomeOf(reply), '503 not-executed');
      assert.match(reply.body, /the app: ECONNREFUSED/);
    }
  });

  test('leaves no listeners behind, however often it is looked for', async (t) => {
    const warnings: Error[] = [];
    const warned = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', warned);
    onTestEnd(t, () => void process.off('warning', warned));
    const port = await freePort();
    const target = { host: LOOPBACK, port };
    // Looked for ten times a second, and Node warns of more than ten listeners.
    const proxy = await startPrimary(t, { target, startWaitMs: 2000 });
    assert.equal(outcomeOf(await ask(proxy)), '503 not-executed');
    assert.deepEqual(warnings, []);
  });
});

describe('Unknown', () => {
  test('a write whose connection broke before the answer, which is not sent again', async (t) => {
    const seen: string[] = [];
    const target = await startBare(t, (text, socket) => {
      seen.push(text.split(' ')[0]!);
      socket.destroy();
    });
    const proxy = await startPrimary(t, { target });
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const reply = await ask(proxy, { method });
      assert.equal(outcomeOf(reply), '502 unknown');
    }
    assert.deepEqual(seen, ['POST', 'PUT', 'DELETE']);
    assert.equal(proxy.metric('skein_proxy_repeated_total'), 0);
    assert.equal(proxy.log.entries.filter(({ level }) => level === 'warn').length, 3);
  });

  test('a write that took too long', async (t) => {
    const target = await startBare(t, () => {});
    const proxy = await startPrimary(t, { target, limits: { answerMs: 30 } });
    for (const body of ['', 'x']) {
      const reply = await ask(proxy, { method: 'POST', body });
      assert.equal(outcomeOf(reply), '502 unknown');
    }
  });

  test('is passed on by the proxy between', async (t) => {
    const primaryApp = await startBare(t, (_, socket) => socket.destroy());
    const { replica } = await startPair(t, { primaryApp });
    const reply = await ask(replica, { method: 'POST', body: 'x' });
    assert.equal(outcomeOf(reply), '502 unknown');
  });

  test('a write never goes over a connection that may be about to be closed', async (t) => {
    const sockets = new Set<Socket>();
    let requests = 0;
    const target = await startBare(t, (_, socket) => {
      requests += 1;
      sockets.add(socket);
      socket.write(ANSWER);
    });
    const proxy = await startPrimary(t, { target });
    await ask(proxy);
    for (const body of ['', 'x', 'y']) await ask(proxy, { method: 'POST', body });
    assert.equal(requests, 4);
    assert.equal(sockets.size, 4);
    await ask(proxy);
    assert.equal(sockets.size, 4, 'a read does');
  });

  test("a body that the app has not read is nobody else's request", async (t) => {
    // Answers each head that it sees, and takes a body for one.
    const target = await startBare(t, (request, socket) => {
      for (const [line] of request.matchAll(/^[A-Z]+ \/.* HTTP\/1\.1$/gm)) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`);
      }
    });
    const proxy = await startPrimary(t, { target });
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const method of ['POST', 'GET']) {
      await ask(proxy, { method, path: '/evil', body: smuggled });
      await sleep(20);
      assert.equal((await ask(proxy, { path: '/mine' })).body, 'GET /mine HTTP/1.1');
      const { body } = await ask(proxy, { method: 'PUT', path: '/mine' });
      assert.equal(body, 'PUT /mine HTTP/1.1');
    }
  });
});

describe('A write', () => {
  test('is answered in whole when its connection ends while the answer is held', async (t) => {
    const held = Promise.withResolvers<void>();
    const target = await startBare(t, (_, socket) => socket.end(ANSWER, () => held.resolve()));
    const view = new PushedNodeView('node1', () => held.promise.then(() => sleep(50)));
    const proxy = await startPrimary(t, { target, view });
    assert.equal((await ask(proxy, { method: 'POST', body: 'x' })).body, 'ok');
  });

  test('has its answer when bytes follow it, and when the app closes unannounced', async (t) => {
    const target = await startBare(t, (_, socket) => void socket.end(`${ANSWER}\r\n`));
    const view = new PushedNodeView('node1', () => sleep(20));
    const proxy = await startPrimary(t, { target, view });
    const answers = Array.from({ length: 20 }, () => ask(proxy, { method: 'POST', body: 'x' }));
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
  });

  test('whose answer breaks off while it is held ends without one', async (t) => {
    const target = await startBare(t, (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
    const view = new PushedNodeView('node1', () => sleep(100));
    const proxy = await startPrimary(t, { target, view });
    await assert.rejects(ask(proxy, { method: 'POST', body: 'x' }));
  });
});

describe('A read', () => {
  test('is sent once more when a connection that was kept turns out to be closed', async (t) => {
    const target = await startBare(t, (_, socket, count) => {
      // The second request comes over the connection of the first.
      if (count === 2) socket.resetAndDestroy();
      else socket.write(ANSWER);
    });
    const proxy = await startPrimary(t, { target });
    assert.equal((await ask(proxy)).body, 'ok');
    assert.equal((await ask(proxy)).body, 'ok');
    assert.equal(proxy.metric('skein_proxy_repeated_total'), 1);
  });

  test('is not sent a third time', async (t) => {
    let count = 0;
    const target = await startBare(t, (_, socket) => {
      count += 1;
      socket.destroy();
    });
    const proxy = await startPrimary(t, { target });
    assert.equal(outcomeOf(await ask(proxy)), '502 unknown');
    assert.equal(count, 2);
  });

  test('with a body is sent once', async (t) => {
    let count = 0;
    const target = await startBare(t, (_, socket) => {
      count += 1;
      socket.destroy();
    });
    const proxy = await startPrimary(t, { target });
    const headers = { 'Content-Length': '1' };
    assert.equal(outcomeOf(await ask(proxy, { body: 'x', headers })), '502 unknown');
    assert.equal(count, 1);
  });
});

describe('An answer of the app', () => {
  test('goes to the client as it is, failures too', async (t) => {
    const primaryApp = await startApp(t, (request, response) => {
      request.resume();
      const headers = ['Retry-After', '7', 'Skein-Outcome', 'not-executed', 'X-A', '1', 'X-A', '2'];
      response.writeHead(503, 'Busy Today', headers);
      response.end('later');
    });
    const { replica } = await startPair(t, { primaryApp });
    const reply = await ask(replica, { method: 'POST', body: 'x' });
    assert.deepEqual([reply.status, reply.body], [503, 'later']);
    assert.equal(reply.headers['retry-after'], '7');
    assert.equal(reply.headers['x-a'], '1, 2');
    // Only proxies say that.
    assert.equal(reply.headers['skein-outcome'], undefined);
  });

  test('that breaks off does not look whole', async (t) => {
    for (const head of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      const body = head.startsWith('C') ? 'half' : '4\r\nhalf\r\n';
      const target = await startBare(t, (_, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${body}`);
        setTimeout(() => socket.destroy(), 20);
      });
      const proxy = await startPrimary(t, { target });
      await assert.rejects(ask(proxy), { code: 'ECONNRESET' });
      await assert.rejects(ask(proxy, { method: 'POST' }), { code: 'ECONNRESET' });
    }
  });

  test('that is none is an unknown outcome', async (t) => {
    const target = await startBare(t, (_, socket) => socket.end('hello?\r\n\r\n'));
    const proxy = await startPrimary(t, { target });
    assert.equal(outcomeOf(await ask(proxy, { method: 'POST' })), '502 unknown');
  });
});

test('a proxy in the environment is not used', async (t) => {
  const names = ['HTTP_PROXY', 'http_proxy', 'NODE_USE_ENV_PROXY'];
  const before = names.map((name) => process.env[name]);
  onTestEnd(t, () => {
    for (const [i, name] of names.entries()) {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    }
  });
  for (const name of names) process.env[name] = name.startsWith('N') ? '1' : 'http://127.0.0.1:1';
  const proxy = await startPrimary(t, { target: await startEcho(t, 'app') });
  assert.equal((await ask(proxy)).echo.name, 'app');
});

describe('Connections for reads', () => {
  test('serve one request after the other, whatever the answers are like', async (t) => {
    const sockets = new Set<Socket>();
    const target = await startApp(t, (request, response) => {
      sockets.add(request.socket);
      const kind = request.url!.slice(1);
      if (kind === 'chunked') response.write('chun');
      if (kind === 'length') response.setHeader('Content-Length', '6');
      response.statusCode = kind === 'none' ? 204 : 200;
      response.end(kind === 'chunked' ? 'ked' : kind);
    });
    const proxy = await startPrimary(t, { target });
    for (let i = 0; i < 3; i += 1) {
      for (const kind of ['chunked', 'length', 'plain', 'none']) {
        const { body } = await ask(proxy, { path: `/${kind}` });
        assert.equal(body, kind === 'none' ? '' : kind);
        assert.equal((await ask(proxy, { path: `/${kind}`, method: 'HEAD' })).body, '');
      }
    }
    assert.equal(sockets.size, 1);
  });

  test('are as many as there are requests at a time, and each gets its own answer', async (t) => {
    const sockets = new Set<Socket>();
    const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
    const answers: (() => void)[] = [];
    const target = await startApp(t, (request, response) => {
      sockets.add(request.socket);
      answers.push(() => void response.end(request.url));
      // The last one first.
      if (answers.length === paths.length)
        for (const each of answers.splice(0).toReversed()) each();
    });
    const proxy = await startPrimary(t, { target });
    for (let round = 0; round < 2; round += 1) {
      const replies = await Promise.all(paths.map((path) => ask(proxy, { path })));
      const bodies = replies.map(({ body }) => body);
      assert.deepEqual(bodies, paths);
    }
    assert.equal(sockets.size, 20);
  });

  test('are not used again after bytes that nobody asked for', async (t) => {
    let count = 0;
    const target = await startBare(t, (_, socket) => {
      count += 1;
      // A second answer, which another client would get for the first of its own.
      socket.write(
        count === 1 ? `${ANSWER}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil` : ANSWER,
      );
    });
    const proxy = await startPrimary(t, { target });
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(proxy)).body, 'ok');
  });

  test('are not used again when such bytes come later', async (t) => {
    const late = Promise.withResolvers<void>();
    let count = 0;
    const target = await startBare(t, (_, socket) => {
      count += 1;
      socket.write(ANSWER);
      if (count > 1) return;
      setTimeout(() => {
        socket.once('close', () => late.resolve());
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      }, 20);
    });
    const proxy = await startPrimary(t, { target });
    assert.equal((await ask(proxy)).body, 'ok');
    // At once, not when nobody has used it for a while.
    const isClosed = late.promise.then(() => true);
    assert.equal(await Promise.race([isClosed, sleep(3500, false, { ref: false })]), true);
    assert.equal((await ask(proxy)).body, 'ok');
  });

  test('are closed by the app without harm', async (t) => {
    const closed: Promise<unknown>[] = [];
    const target = await startBare(t, (_, socket) => {
      socket.write(ANSWER);
      setTimeout(() => socket.end(), 5);
      closed.push(once(socket, 'close'));
    });
    const proxy = await startPrimary(t, { target });
    for (let i = 0; i < 3; i += 1) {
      assert.equal((await ask(proxy)).body, 'ok');
      await closed[i];
    }
    assert.equal(proxy.metric('skein_proxy_repeated_total'), 0);
  });

  test('give up an app that does not answer', async (t) => {
    const target = await startBare(t, () => {});
    const proxy = await startPrimary(t, { target, limits: { answerMs: 20 } });
    assert.equal(outcomeOf(await ask(proxy)), '502 unknown');
  });

  test('end with the proxy', async (t) => {
    const closed = Promise.withResolvers<void>();
    const target = await startBare(t, (_, socket) => {
      socket.once('close', () => closed.resolve());
      socket.write(ANSWER);
    });
    const proxy = await startPrimary(t, { target });
    await ask(proxy);
    await proxy.server.close();
    await closed.promise;
  });
});
