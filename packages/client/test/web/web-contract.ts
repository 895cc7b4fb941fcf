// What every framework's plugin does, asked through real servers: the same tests for all of them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer } from 'node:net';
import type { TestContext } from 'node:test';

import { freePorts, type TestScope, waitUntil } from '@skein/testkit';

import { NotPrimaryError, OutcomeUnknownError } from '../../src/errors.ts';
import { valuesOf } from '../../src/web/headers.ts';
import {
  type AppSetup,
  ask,
  closeAtEnd,
  LOOPBACK,
  post,
  type Reply,
  startApp,
  type StartFramework,
  type TestApp,
} from './apps.ts';

const TIMEOUT_MS = 30_000;
const SECRET = 'a-secret-of-tests-long-enough-to-be-one';

interface Pair {
  readonly primary: TestApp;
  readonly replica: TestApp;
}

type PairSetup = Omit<AppSetup, 'name' | 'start'>;

function jsonOf(reply: Reply): Record<string, unknown> {
  return JSON.parse(reply.body) as Record<string, unknown>;
}

function headerOf(reply: Reply, name: string): string | undefined {
  return valuesOf(reply.rawHeaders, name)[0];
}

/** node1 leads and node2 follows, without proxies; both have transaction 1. */
async function startPair(
  t: TestScope,
  start: StartFramework,
  setup: PairSetup = {},
  replicaSetup: PairSetup = setup,
): Promise<Pair> {
  const primary = await startApp(t, { name: 'node1', start, ...setup });
  const replica = await startApp(t, { name: 'node2', start, ...replicaSetup });
  primary.node.update({ role: 'primary' });
  replica.node.update({ role: 'replica', primary: { name: 'node1', proxyUrl: primary.url } });
  primary.node.moveTo(1n);
  replica.node.moveTo(1n);
  return { primary, replica };
}

type Case = (t: TestContext, start: StartFramework) => Promise<void>;

/** By what they show. */
export const WEB_CASES: Readonly<Record<string, Case>> = {
  'a write on the primary tells its client where it went': async (t, start) => {
    const { primary } = await startPair(t, start);
    // The view does not know of it yet; the mount does.
    primary.node.commit(0x2an);
    const reply = await post(primary, { body: 'x' });
    assert.equal(reply.status, 201);
    assert.equal(reply.body, 'node1 x');
    assert.deepEqual(valuesOf(reply.rawHeaders, 'set-cookie'), [
      'a=1; Path=/',
      'b=2',
      '__skein_pos=1&1:2a:app.db; Path=/; Max-Age=300; HttpOnly; SameSite=Lax',
    ]);
    assert.equal(headerOf(reply, 'skein-position'), '1&1:2a:app.db');
    const read = await ask(primary, { path: '/' });
    assert.deepEqual(valuesOf(read.rawHeaders, 'set-cookie'), ['a=1; Path=/', 'b=2']);
  },

  'a write on a replica is executed by the primary, once': async (t, start) => {
    const { primary, replica } = await startPair(t, start);
    const reply = await post(replica, {
      body: 'hello',
      path: '/write?a=%20b',
      headers: { Host: 'app.example.org', Connection: 'X-Ends', 'X-Ends': '1', 'X-Stays': '2' },
    });
    assert.equal(reply.status, 201);
    assert.equal(reply.body, 'node1 hello');
    const cookies = valuesOf(reply.rawHeaders, 'set-cookie');
    assert.deepEqual(cookies.slice(0, 2), ['a=1; Path=/', 'b=2']);
    assert.equal(cookies.length, 3, 'The position comes from the primary alone');
    assert.equal(replica.asked.length, 0);
    assert.equal(primary.asked.length, 1);
    const { rawHeaders } = primary.asked[0]!;
    assert.deepEqual(valuesOf(rawHeaders, 'host'), ['app.example.org']);
    assert.deepEqual(valuesOf(rawHeaders, 'x-ends'), []);
    assert.deepEqual(valuesOf(rawHeaders, 'x-stays'), ['2']);
    assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-for'), [LOOPBACK]);
    assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-host'), ['app.example.org']);
    assert.deepEqual(valuesOf(rawHeaders, 'x-forwarded-proto'), ['http']);
  },

  'bodies stream through, and an answer that breaks off does not end': async (t, start) => {
    const body = 'x'.repeat(4_000_000);
    const { replica } = await startPair(t, start, {
      handle: (_app, request) => ({ status: 200, cookies: [], body: request.body }),
    });
    const reply = await post(replica, { body, headers: { 'Content-Type': 'text/plain' } });
    assert.equal(reply.body.length, body.length);
    const chunked = await post(replica, {
      body: 'abc',
      headers: { 'Transfer-Encoding': 'chunked', 'Content-Type': 'text/plain' },
    });
    assert.equal(chunked.body, 'abc');
    const broken = createServer((_request, response) => {
      response.writeHead(200, { 'Content-Length': '10' });
      response.write('half', () => response.destroy());
    });
    replica.node.update({ primary: { name: 'node1', proxyUrl: await listen(t, broken) } });
    await assert.rejects(post(replica, { body: 'x' }), /aborted|terminated|hang up|ECONNRESET/);
  },

  'a client reads what it wrote, from a replica that waits': async (t, start) => {
    const { primary, replica } = await startPair(t, start, { web: { waitMs: TIMEOUT_MS } });
    const headers = { Cookie: 'x=1; __skein_pos=1&1:5:app.db' };
    const early = ask(replica, { path: '/', headers });
    // Another request has been answered: the first one waits, or it would have been, too.
    await ask(replica, { path: '/other' });
    assert.deepEqual(
      replica.asked.map(({ path }) => path),
      ['/other'],
    );
    replica.node.moveTo(5n);
    assert.match((await early).body, /^node2/);
    const byHeader = await ask(replica, {
      path: '/',
      headers: { 'Skein-Position': '1&1:5:app.db' },
    });
    assert.match(byHeader.body, /^node2/);
    assert.equal(primary.asked.length, 0);
  },

  'what a replica does not have in time the primary answers': async (t, start) => {
    const { primary, replica } = await startPair(t, start, { web: { waitMs: 1 } });
    const headers = { Cookie: '__skein_pos=1&1:5:app.db' };
    assert.match((await ask(replica, { path: '/', headers })).body, /^node1/);
    const partial = { Cookie: '__skein_pos=1&*&1:1:app.db' };
    assert.match((await ask(replica, { path: '/', headers: partial })).body, /^node1/);
    assert.equal(primary.asked.length, 2);
  },

  'without a primary nobody is shown less than they have seen': async (t, start) => {
    const replica = await startApp(t, { name: 'node2', start, web: { waitMs: 1 } });
    replica.node.moveTo(1n);
    assert.match((await ask(replica, { path: '/' })).body, /^node2/);
    const headers = { Cookie: '__skein_pos=1&1:5:app.db' };
    const reply = await ask(replica, { path: '/', headers });
    assert.equal(reply.status, 503);
    assert.equal(headerOf(reply, 'skein-outcome'), 'not-executed');
    assert.equal(jsonOf(reply)['code'], 'POSITION_TIMEOUT');
  },

  'a position of an epoch that is over is put right': async (t, start) => {
    const { primary } = await startPair(t, start);
    primary.node.update({ epoch: 2 });
    primary.node.moveTo(3n);
    const headers = { Cookie: '__skein_pos=1&1:ff:app.db' };
    const reply = await ask(primary, { path: '/', headers });
    assert.equal(headerOf(reply, 'skein-position'), '1&2:3:app.db');
  },

  'without forwarding a write on a replica says where the primary is': async (t, start) => {
    const handle: PairSetup['handle'] = ({ node }) => {
      const cause = new NotPrimaryError(node.state.primary);
      // As ORMs wrap what a driver throws.
      throw new Error('Failed query: insert', { cause });
    };
    const { primary, replica } = await startPair(t, start, { web: { forward: false }, handle });
    const reply = await post(replica, { body: 'x' });
    assert.equal(reply.status, 503);
    assert.deepEqual(jsonOf(reply), {
      error: 'Write operation attempted on replica node',
      code: 'NOT_PRIMARY',
      primary: { name: 'node1', url: primary.url },
    });
    assert.equal(headerOf(reply, 'retry-after'), '1');
    assert.equal(primary.asked.length, 0);
  },

  'errors of handlers keep their outcomes apart': async (t, start) => {
    const { primary } = await startPair(t, start, {
      handle: (_app, { path }) => {
        throw path === '/unknown' ? new OutcomeUnknownError('x') : new Error('of its own');
      },
    });
    const unknown = await post(primary, { path: '/unknown' });
    assert.equal(unknown.status, 502);
    assert.equal(headerOf(unknown, 'skein-outcome'), 'unknown');
    assert.equal((await post(primary)).status, 500);
  },

  'a primary that cannot be reached has executed nothing': async (t, start) => {
    const { replica } = await startPair(t, start);
    const [port] = await freePorts(1);
    const proxyUrl = `http://${LOOPBACK}:${port}`;
    replica.node.update({ primary: { name: 'node1', proxyUrl } });
    const reply = await post(replica, { body: 'x' });
    assert.equal(reply.status, 503);
    assert.equal(headerOf(reply, 'skein-outcome'), 'not-executed');
    assert.equal(jsonOf(reply)['code'], 'PRIMARY_UNREACHABLE');
  },

  'a write that was sent and not answered is not sent again': async (t, start) => {
    const { replica } = await startPair(t, start, { web: { primaryWaitMs: TIMEOUT_MS } });
    let received = 0;
    const dying = createSocketServer((socket) => {
      socket.once('data', () => {
        received += 1;
        socket.destroy();
      });
    });
    await once(dying.listen(0, LOOPBACK), 'listening');
    t.after(() => dying.close());
    const { port } = dying.address() as AddressInfo;
    replica.node.update({ primary: { name: 'node1', proxyUrl: `http://${LOOPBACK}:${port}` } });
    const reply = await post(replica, { body: 'x' });
    assert.equal(reply.status, 502);
    assert.equal(headerOf(reply, 'skein-outcome'), 'unknown');
    assert.equal(jsonOf(reply)['code'], 'OUTCOME_UNKNOWN');
    assert.equal(received, 1);
  },

  'nothing goes round where nodes disagree on who leads': async (t, start) => {
    const { primary, replica } = await startPair(t, start);
    primary.node.update({ role: 'replica', primary: { name: 'node2', proxyUrl: replica.url } });
    const reply = await post(replica, { body: 'x' });
    assert.equal(reply.status, 503);
    assert.equal(jsonOf(reply)['code'], 'FORWARD_LOOP');
    assert.equal(primary.asked.length + replica.asked.length, 0);
  },

  'with a secret a hop counts only with its signature': async (t, start) => {
    const web = { secret: SECRET };
    const { primary, replica } = await startPair(t, start, { web });
    assert.equal((await post(replica, { body: 'x' })).body, 'node1 x');
    // Taken for a request of the client's own.
    const forged = await post(replica, { headers: { 'Skein-Hop': '1;node9' }, body: 'y' });
    assert.equal(forged.body, 'node1 y');
    assert.equal(primary.asked.length, 2);
    primary.node.update({ role: 'replica', primary: { name: 'node2', proxyUrl: replica.url } });
    assert.equal(jsonOf(await post(replica, { body: 'z' }))['code'], 'FORWARD_LOOP');
  },

  'a write waits for a primary, and goes to it when there is one': async (t, start) => {
    const { primary, replica } = await startPair(t, start, {
      web: { primaryWaitMs: TIMEOUT_MS },
    });
    const leader = { name: 'node1', proxyUrl: primary.url };
    const lonely = await startApp(t, { name: 'node3', start, web: { primaryWaitMs: TIMEOUT_MS } });
    const waiting = post(lonely, { body: 'x' });
    // Whoever waits does not hold up others.
    assert.match((await ask(lonely, { path: '/' })).body, /^node3/);
    lonely.node.update({ role: 'replica', primary: leader });
    assert.equal((await waiting).body, 'node1 x');
    assert.equal(replica.asked.length, 0);
    const impatient = await startApp(t, { name: 'node4', start });
    const refused = await post(impatient, { body: 'x' });
    assert.equal(refused.status, 503);
    assert.equal(jsonOf(refused)['code'], 'NO_PRIMARY');
  },

  'what a proxy of Skein has brought goes on as it is': async (t, start) => {
    const { primary, replica } = await startPair(t, start);
    primary.node.commit(9n);
    const headers = { Via: '1.1 skein' };
    const written = await post(primary, { headers, body: 'x' });
    assert.equal(headerOf(written, 'skein-position'), undefined);
    assert.match((await post(replica, { headers, body: 'x' })).body, /^node2/);
    const round = { Via: Array.from({ length: 8 }, () => '1.1 skein').join(', ') };
    assert.equal(jsonOf(await post(replica, { headers: round }))['code'], 'FORWARD_LOOP');
  },

  'a client that leaves takes its request along': async (t, start) => {
    const { replica } = await startPair(t, start);
    let isGone = false;
    const slow = createServer((request) => void request.once('close', () => (isGone = true)));
    replica.node.update({ primary: { name: 'node1', proxyUrl: await listen(t, slow) } });
    const request = httpRequest({ host: LOOPBACK, port: replica.port, method: 'POST', path: '/' });
    request.on('error', () => {});
    request.end('x');
    await once(slow, 'request');
    request.destroy();
    await waitUntil('the primary sees it', () => isGone, TIMEOUT_MS);
  },

  'health says what a balancer may send here': async (t, start) => {
    let isReady = true;
    const web = { isReady: () => isReady };
    const { primary, replica } = await startPair(t, start, { web });
    const statuses = async (to: TestApp): Promise<number[]> => {
      const replies = [];
      for (const path of ['/health', '/health/live/', '/health/ready', '/health/primary']) {
        replies.push((await ask(to, { path })).status);
      }
      return replies;
    };
    assert.deepEqual(await statuses(primary), [200, 200, 200, 200]);
    assert.deepEqual(await statuses(replica), [200, 200, 200, 503]);
    assert.deepEqual(jsonOf(await ask(replica, { path: '/health/' })), {
      node: 'node2',
      role: 'replica',
      primary: 'node1',
      epoch: 1,
      lag_ms: 0,
      database: 'app.db',
      txid: '0000000000000001',
      is_ready: true,
      can_accept_writes: false,
    });
    replica.node.update({ lagMs: 20_000 });
    assert.deepEqual(await statuses(replica), [200, 200, 503, 503]);
    primary.node.update({ role: 'fenced' });
    assert.deepEqual(await statuses(primary), [200, 200, 503, 503]);
    primary.node.update({ role: 'primary' });
    isReady = false;
    assert.deepEqual(await statuses(primary), [200, 200, 503, 200]);
    assert.equal((await post(primary, { path: '/health/ready' })).status, 201);
    assert.equal((await ask(primary, { path: '/healthy' })).status, 201);
  },

  'paths can be of another kind than their method says': async (t, start) => {
    const { primary, replica } = await startPair(t, start, {
      web: {
        classify: ({ path }) => (path === '/local' ? 'local' : path === '/é' ? 'write' : 'read'),
      },
    });
    assert.match((await post(replica, { path: '/local' })).body, /^node2/);
    assert.match((await ask(replica, { path: '/%C3%A9' })).body, /^node1/);
    assert.equal(primary.asked.length, 1);
  },

  'behind a balancer that speaks TLS the cookie is for TLS alone': async (t, start) => {
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.7' };
    const trusting = await startPair(t, start, { web: { trustForwarded: true } });
    const reply = await post(trusting.replica, { headers });
    assert.match(valuesOf(reply.rawHeaders, 'set-cookie').at(-1)!, /; Secure$/);
    const [forwarded] = trusting.primary.asked;
    assert.deepEqual(valuesOf(forwarded!.rawHeaders, 'x-forwarded-for'), ['192.0.2.7, 127.0.0.1']);
    const careful = await startPair(t, start);
    const plain = await post(careful.primary, { headers });
    assert.doesNotMatch(valuesOf(plain.rawHeaders, 'set-cookie').at(-1)!, /Secure/);
  },

  'a request that is cut off in its body is not executed': async (t, start) => {
    const { primary, replica } = await startPair(t, start);
    const socket = connect(replica.port, LOOPBACK);
    socket.write('POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    // The primary has it as far as it has come.
    await post(replica, { body: 'whole' });
    socket.destroy();
    await post(replica, { body: 'again' });
    assert.deepEqual(
      primary.asked.map(({ body }) => body),
      ['whole', 'again'],
    );
  },
};

async function listen(t: TestScope, server: ReturnType<typeof createServer>): Promise<string> {
  await once(server.listen(0, LOOPBACK), 'listening');
  closeAtEnd(t, server);
  return `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`;
}
