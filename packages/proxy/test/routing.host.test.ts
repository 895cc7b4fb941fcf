// Where requests go, and what clients see of their own writes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { PushedNodeView } from '../src/node-view.ts';
import {
  ask,
  exchangeRaw,
  LOOPBACK,
  moveTo,
  type Reply,
  startApp,
  startEcho,
  startPair,
  startTestProxy,
  type TestProxy,
  valuesOf,
} from './apps.ts';

/** What a client sends back after an answer. */
function cookieOf(reply: Reply): string {
  return (reply.headers['set-cookie'] ?? []).map((each) => each.split(';')[0]).join('; ');
}

/** An app of a primary whose every request commits one transaction. */
async function startWriter(t: Parameters<typeof startApp>[0], commit: () => void) {
  return startApp(t, (request, response) => {
    request.resume();
    commit();
    response.setHeader('Set-Cookie', ['session=1', 'theme=dark']);
    response.end('written');
  });
}

describe('Reads and writes', () => {
  test('a read is for the app on the node, a write for that of the primary', async (t) => {
    const { primary, replica } = await startPair(t);
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      assert.equal((await ask(replica, { method })).headers['x-app'], 'replica', method);
    }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.equal((await ask(replica, { method })).headers['x-app'], 'primary', method);
      assert.equal((await ask(primary, { method })).headers['x-app'], 'primary', method);
    }
    const logged = replica.log.entries.filter(({ message }) => message === 'Forwarded a write');
    assert.equal(logged.length, 4);
    assert.equal(logged[0]!.fields['to'], 'node1');
    assert.equal(replica.metric('skein_proxy_requests_total'), 7);
  });

  test('what goes to the primary arrives as it was sent', async (t) => {
    const { replica } = await startPair(t);
    const headers = { Host: 'app.example.org', 'X-Odd-Case': 'ä', Cookie: 'a=b' };
    const path = '/a%20b/../c?d=e%2f&f';
    const { echo } = await ask(replica, { method: 'POST', path, headers, body: 'hello' });
    assert.equal(echo.url, path);
    assert.equal(echo.body, 'hello');
    assert.deepEqual(valuesOf(echo.rawHeaders, 'host'), ['app.example.org']);
    assert.ok(echo.rawHeaders.includes('X-Odd-Case'));
    assert.deepEqual(valuesOf(echo.rawHeaders, 'via'), ['1.1 skein, 1.1 skein']);
    assert.deepEqual(valuesOf(echo.rawHeaders, 'x-forwarded-for'), [`${LOOPBACK}, ${LOOPBACK}`]);
    assert.deepEqual(valuesOf(echo.rawHeaders, 'skein-hop'), []);
  });

  test('patterns make a read a write, or nothing at all', async (t) => {
    const { replica } = await startPair(t, { alwaysForward: ['/login'], passthrough: ['/s/*'] });
    assert.equal((await ask(replica, { path: '/login?next=/' })).echo.name, 'primary');
    const passed = await ask(replica, { method: 'POST', path: '/s/x' });
    assert.equal(passed.echo.name, 'replica');
    assert.equal(passed.headers['set-cookie'], undefined);
  });

  test('a write without a body has none at the app either', async (t) => {
    const { primary } = await startPair(t);
    for (const method of ['POST', 'DELETE']) {
      // As curl sends it; Node's client would send a length.
      const sent = `${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      const received = await exchangeRaw(primary, sent);
      assert.match(received, /"Content-Length","0"/);
      assert.doesNotMatch(received, /"Transfer-Encoding"/);
    }
  });

  test('Fly replays a write instead of having it forwarded', async (t) => {
    const { replica } = await startPair(t, { flyReplay: true });
    const reply = await ask(replica, { method: 'POST', body: 'x' });
    assert.equal(reply.status, 200);
    assert.equal(reply.body, '');
    assert.equal(reply.headers['fly-replay'], 'instance=node1');
  });
});

describe('A client reads its own writes', () => {
  async function startWriting(t: Parameters<typeof startApp>[0], options = {}) {
    const parts: { primary?: TestProxy } = {};
    let txid = 1;
    const primaryApp = await startWriter(t, () => moveTo(parts.primary!, (txid += 1)));
    const pair = await startPair(t, { primaryApp, ...options });
    parts.primary = pair.primary;
    return pair;
  }

  test('after a write it carries the position, and the cookies of the app', async (t) => {
    const { replica } = await startWriting(t);
    const reply = await ask(replica, { method: 'POST' });
    assert.equal(reply.headers['skein-position'], '1&1:2:app.db');
    assert.deepEqual(reply.headers['set-cookie'], [
      'session=1',
      'theme=dark',
      '__skein_pos=1&1:2:app.db; Path=/; Max-Age=300; HttpOnly; SameSite=Lax',
    ]);
    const headers = { 'X-Forwarded-Proto': 'https' };
    const secure = await ask(replica, { method: 'POST', headers });
    assert.match(secure.headers['set-cookie']![2]!, /; Secure$/);
  });

  test('its read waits until the replica is as far', async (t) => {
    const { replica } = await startWriting(t, { debug: true, waitMs: 30_000 });
    const written = await ask(replica, { method: 'POST' });
    const headers = { Cookie: cookieOf(written), 'Skein-Debug': '1' };
    const reading = ask(replica, { headers });
    while (replica.metric('skein_proxy_waiting') === 0) await sleep(5);
    moveTo(replica, 2);
    const reply = await reading;
    assert.equal(reply.echo.name, 'replica');
    assert.match(String(reply.headers['skein-debug']), /node=node2; role=replica; route=local/);
    assert.match(String(reply.headers['skein-debug']), /; position=1&1:2:app\.db$/);
    assert.equal((await ask(replica)).echo.name, 'replica', 'another client waits for nothing');
    assert.equal(replica.metric('skein_proxy_waits_total'), 1);
    assert.equal(replica.metric('skein_proxy_waits_in_vain_total'), 0);
  });

  test('the primary answers when that takes too long', async (t) => {
    const { replica } = await startWriting(t, { waitMs: 20, debug: true });
    const headers = { 'Skein-Position': '1&1:2:app.db', 'Skein-Debug': '1' };
    const reply = await ask(replica, { headers });
    assert.equal(reply.body, 'written');
    const routes = valuesOf(reply.rawHeaders, 'skein-debug').map((each) => each.split('; ')[2]);
    assert.deepEqual(routes, ['route=local', 'route=forward']);
    assert.equal(replica.metric('skein_proxy_waits_in_vain_total'), 1);
  });

  test('a write on the primary itself counts as much', async (t) => {
    const { primary, replica } = await startWriting(t, { waitMs: 10 });
    const cookie = cookieOf(await ask(primary, { method: 'POST' }));
    assert.equal((await ask(replica, { headers: { Cookie: cookie } })).body, 'written');
  });

  test('its position never goes back, and says what it has seen of other databases', async (t) => {
    const { primary } = await startWriting(t);
    moveTo(primary, 7, 1, 'other.db');
    const headers = { Cookie: '__skein_pos=1&1:9:app.db&1:7:other.db' };
    const reply = await ask(primary, { method: 'POST', headers });
    assert.equal(reply.headers['skein-position'], '1&1:9:app.db&1:7:other.db');
  });

  test('what it carries of an epoch that is over is put right by the primary', async (t) => {
    const { primary, replica } = await startPair(t, { waitMs: 10 });
    moveTo(primary, 5, 2);
    const headers = { Cookie: '__skein_pos=1&1:9:app.db&1:1:gone.db' };
    const reply = await ask(replica, { headers });
    assert.equal(reply.echo.name, 'primary');
    assert.equal(reply.headers['skein-position'], '1&2:5:app.db');
    const right = await ask(primary, { headers: { Cookie: cookieOf(reply) } });
    assert.equal(right.headers['set-cookie'], undefined);
  });

  test('the news of a commit that come after the answer are waited for', async (t) => {
    const pending: number[] = [];
    const view = new PushedNodeView('node1', async () => {
      await sleep(5);
      for (const txid of pending.splice(0)) {
        view.update({ positions: [['app.db', { epoch: 1, txid: BigInt(txid) }]] });
      }
    });
    const target = await startWriter(t, () => void pending.push(42));
    const proxy = await startTestProxy(t, { target, view });
    view.update({ role: 'primary' });
    const reply = await ask(proxy, { method: 'POST' });
    assert.equal(reply.headers['skein-position'], '1&1:2a:app.db');
  });

  test('without those news the primary answers its reads', async (t) => {
    for (const refresh of [() => new Promise<void>(() => {}), () => Promise.reject(new Error())]) {
      const view = new PushedNodeView('node1', refresh);
      const target = await startWriter(t, () => {});
      const proxy = await startTestProxy(t, { target, view });
      moveTo(proxy, 1);
      view.update({ role: 'primary' });
      const written = await ask(proxy, { method: 'POST' });
      assert.equal(written.body, 'written');
      assert.equal(written.headers['skein-position'], '1&*');
      const { replica } = await startPair(t);
      const read = await ask(replica, { headers: { Cookie: cookieOf(written) } });
      assert.equal(read.echo.name, 'primary');
    }
  });

  test("LiteFS's cookie is understood, and set where that is wanted", async (t) => {
    const options = { database: 'app.db', compat: true, waitMs: 10 };
    const { primary, replica } = await startWriting(t, options);
    const reply = await ask(primary, { method: 'POST' });
    const [, , , txid] = reply.headers['set-cookie']!;
    assert.match(txid!, /^__txid=0000000000000002; Path=\/; /);
    const behind = await ask(replica, { headers: { Cookie: '__txid=0000000000000002' } });
    assert.equal(behind.body, 'written');
    const reached = await ask(replica, { headers: { Cookie: '__txid=0000000000000001' } });
    assert.equal(reached.echo.name, 'replica');
  });

  test('without a primary it is not shown less than it has seen', async (t) => {
    const { replica } = await startPair(t, { waitMs: 10 });
    replica.view.update({ role: 'no-primary' });
    const headers = { Cookie: '__skein_pos=1&1:2:app.db' };
    const reply = await ask(replica, { headers });
    assert.equal(reply.status, 503);
    assert.equal(reply.headers['skein-outcome'], 'not-executed');
    assert.equal(reply.headers['retry-after'], '1');
    assert.equal((await ask(replica)).echo.name, 'replica');
  });
});

describe('The output gate', () => {
  test('holds the answer to a write until its replicas have it', async (t) => {
    const parts: { primary?: TestProxy } = {};
    const primaryApp = await startWriter(t, () => moveTo(parts.primary!, 2));
    let open: (value: boolean) => void = () => {};
    const asked: string[] = [];
    const { primary } = await startPair(t, {
      primaryApp,
      gate: (positions) => {
        asked.push([...positions.byDatabase.keys()].join());
        return new Promise((resolve) => {
          open = resolve;
        });
      },
    });
    parts.primary = primary;
    assert.equal((await ask(primary)).body, 'written', 'reads are not held');
    let isDone = false;
    const writing = ask(primary, { method: 'POST' }).finally(() => {
      isDone = true;
    });
    while (asked.length === 0) await sleep(5);
    await sleep(50);
    assert.equal(isDone, false);
    open(true);
    assert.equal((await writing).status, 200);
    assert.deepEqual(asked, ['app.db']);
  });

  test('says that the outcome is unknown when that takes long, and where to look', async (t) => {
    const parts: { primary?: TestProxy } = {};
    const primaryApp = await startWriter(t, () => moveTo(parts.primary!, 2));
    let isAborted = false;
    const { primary } = await startPair(t, {
      primaryApp,
      gateWaitMs: 20,
      gate: (_, signal) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
        });
        return new Promise(() => {});
      },
    });
    parts.primary = primary;
    const reply = await ask(primary, { method: 'POST' });
    assert.equal(reply.status, 502);
    assert.equal(reply.headers['skein-outcome'], 'unknown');
    assert.equal(reply.headers['skein-position'], '1&1:2:app.db');
    assert.equal(isAborted, true);
  });

  test('does not make whole what breaks off meanwhile', async (t) => {
    const parts: { primary?: TestProxy } = {};
    const broken = Promise.withResolvers<void>();
    const primaryApp = await startApp(t, (request, response) => {
      moveTo(parts.primary!, 2);
      request.resume();
      response.write('half of it');
      setTimeout(() => {
        response.once('close', broken.resolve);
        response.destroy();
      }, 20);
    });
    const gate = async (): Promise<boolean> => {
      await broken.promise;
      await sleep(50);
      return true;
    };
    const { primary } = await startPair(t, { primaryApp, gate });
    parts.primary = primary;
    await assert.rejects(ask(primary, { method: 'POST' }), { code: 'ECONNRESET' });
  });

  test('does not open when nobody knows what was written', async (t) => {
    const view = new PushedNodeView('node1', () => Promise.reject(new Error()));
    const target = await startWriter(t, () => {});
    const proxy = await startTestProxy(t, { target, view, gate: () => Promise.resolve(true) });
    view.update({ role: 'primary' });
    const reply = await ask(proxy, { method: 'POST' });
    assert.deepEqual([reply.status, reply.headers['skein-outcome']], [502, 'unknown']);
  });

  test('is not asked about a request that wrote nothing', async (t) => {
    const { primary } = await startPair(t, { gate: () => Promise.resolve(false) });
    assert.equal((await ask(primary, { method: 'POST' })).status, 200);
  });
});

describe('Health', () => {
  test('follows the lag', async (t) => {
    const { replica } = await startPair(t, { maxLagMs: 100 });
    for (const path of ['/skein/health', '/litefs/health']) {
      replica.view.update({ lagMs: 100 });
      const healthy = await ask(replica, { path });
      assert.deepEqual([healthy.status, healthy.body], [200, 'OK\n']);
      replica.view.update({ lagMs: 101 });
      const late = await ask(replica, { path });
      assert.equal(late.status, 503);
      assert.match(late.body, /^Replication lag exceeded/);
      assert.equal(late.headers['skein-outcome'], undefined);
    }
  });

  test('is not told by an app', async (t) => {
    const proxy = await startTestProxy(t, { target: await startEcho(t, 'app'), maxLagMs: 0 });
    proxy.view.update({ lagMs: 1e9 });
    assert.equal((await ask(proxy, { path: '/skein/health' })).body, 'OK\n');
  });
});
