// What clients of one server have of each other: what a slow statement, a broken worker, a client
// that leaves and settings of a connection do to those that come beside and after.

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';

import { waitUntil } from '@skein/testkit';

import { CLOSE, COUNTING, execute, pipeline, resultOf, startTestServer } from './server.ts';

const WAIT_MS = 60_000;
const FOREVER = `${COUNTING}) SELECT count(*) FROM c`;

describe('The server', () => {
  test('says what it is to anybody, and nothing else without the token', async (t) => {
    const { url } = await startTestServer(t, { token: 'a-token-of-the-test' });
    const health = await fetch(`${url}/health`);
    assert.deepEqual(await health.json(), { status: 'ok', role: 'primary' });
    for (const path of ['/v2', '/v2/', '/db/app.db/v2']) {
      assert.equal((await fetch(url + path)).status, 200, path);
    }
    for (const path of ['/v3', '/v3-protobuf', '/', '/db/app.db', '/v2/cursor']) {
      assert.equal((await fetch(url + path)).status, 404, path);
    }
    assert.equal((await fetch(`${url}/v2/pipeline`)).status, 404);
    for (const authorization of ['', 'Bearer a-token-of-the-tesT', 'Basic a-token-of-the-test']) {
      const { status, body } = await pipeline(url, [], { headers: { authorization } });
      assert.deepEqual([status, body.code], [401, 'SQL_UNAUTHORIZED']);
    }
  });

  test('answers no page in a browser where there is no token', async (t) => {
    const { url } = await startTestServer(t);
    const refused: readonly Record<string, string>[] = [
      { origin: 'https://example.org' },
      { 'content-type': 'text/plain' },
    ];
    for (const headers of refused) {
      const response = await fetch(`${url}/v2/pipeline`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ requests: [] }),
      });
      assert.equal(response.status, 403, JSON.stringify(headers));
    }
    // A name that an attacker has made lead here; fetch() does not let one say it.
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.setEncoding('utf8').once('data', (data: string) => {
        socket.destroy();
        resolve(data);
      });
      const head = ['POST /v2/pipeline HTTP/1.1', 'Host: evil.example.org', 'Content-Length: 2'];
      socket.write([...head, 'Content-Type: application/json', '', '{}'].join('\r\n'));
    });
    assert.match(answer, /^HTTP\/1\.1 403 /);
  });

  test('finds the databases that it serves, and no file besides', async (t) => {
    const { url, connect: open } = await startTestServer(t, { database: undefined });
    open('a b.db').exec('CREATE TABLE t (x)');
    const ask = async (path: string): Promise<number> =>
      (await pipeline(url, [execute('SELECT * FROM t'), CLOSE], { path })).status;
    assert.equal(await ask('/db/a%20b.db/v2/pipeline'), 200);
    for (const name of [
      '',
      '.',
      '..',
      '%2e%2e%2fa',
      'a%20b.db-wal',
      '%00',
      '.hidden',
      '%ff',
      'none.db',
    ]) {
      assert.equal(await ask(`/db/${name}/v2/pipeline`), 404, name);
    }
    assert.equal(await ask('/v2/pipeline'), 404);
  });

  test('lets nobody wait for a long statement, and ends it', async (t) => {
    const { url, log } = await startTestServer(t, { limits: { workers: 2, statementMs: 5000 } });
    // A process takes its time to start, on a machine that is busy more than a statement has.
    await waitUntil('two can work', () => isServedBeside(url, `${COUNTING} LIMIT 400000`), WAIT_MS);
    log.entries.length = 0;
    const slow = pipeline(url, [execute(FOREVER), CLOSE]);
    const held = await pipeline(url, [execute('CREATE TABLE t (x)')]);
    for (let i = 0; i < 20; i += 1) {
      const { body } = await pipeline(url, [execute('SELECT 1'), CLOSE]);
      assert.equal(body.results[0]!.type, 'ok');
    }
    const { status, body, headers } = await slow;
    // It begins with WITH, which may write: that it did not is not known without its worker.
    assert.deepEqual([status, body.code], [502, 'OUTCOME_UNKNOWN']);
    assert.equal(headers.get('skein-outcome'), 'unknown');
    assert.equal(log.entries.filter(({ message }) => message.includes('is replaced')).length, 1);
    const { baton } = held.body;
    assert.equal((await pipeline(url, [execute('SELECT * FROM t'), CLOSE], { baton })).status, 200);
  });

  test('lets nobody wait for a long statement that came when it had just started', async (t) => {
    const { url, server } = await startTestServer(t, { limits: { workers: 2, closeMs: 0 } });
    // Both come while there is no worker yet.
    const slow = pipeline(url, [execute(FOREVER), CLOSE]).catch(() => {});
    const { status } = await pipeline(url, [execute('SELECT 1'), CLOSE]);
    assert.equal(status, 200);
    await server.close();
    await slow;
  });

  test('tells streams of a worker that is gone that they are, and goes on', async (t) => {
    const { url, server } = await startTestServer(t, { limits: { workers: 1 } });
    const { body } = await pipeline(url, [
      execute('CREATE TABLE t (x)'),
      execute('BEGIN IMMEDIATE'),
      execute('INSERT INTO t VALUES (1)'),
    ]);
    const [pid] = server.workerPids;
    process.kill(pid!, 'SIGKILL');
    await waitUntil('another worker is there', () => !server.workerPids.includes(pid!), WAIT_MS);
    const lost = await pipeline(url, [execute('COMMIT')], { baton: body.baton });
    assert.deepEqual([lost.status, lost.body.code], [400, 'STREAM_EXPIRED']);
    const { rows } = resultOf(await pipeline(url, [execute('SELECT count(*) FROM t'), CLOSE]));
    assert.deepEqual(rows, [[{ type: 'integer', value: '0' }]]);
  });

  test('rolls back for a client that leaves before its answer', async (t) => {
    const { url, server } = await startTestServer(t);
    await pipeline(url, [execute('CREATE TABLE t (x)'), CLOSE]);
    const leaving = new AbortController();
    const body = JSON.stringify({
      requests: [
        execute('BEGIN IMMEDIATE'),
        execute(`INSERT INTO t ${COUNTING} LIMIT 300000) SELECT x FROM c`),
      ],
    });
    const headers = { 'content-type': 'application/json' };
    const asked = fetch(`${url}/v2/pipeline`, {
      method: 'POST',
      headers,
      body,
      signal: leaving.signal,
    });
    setImmediate(() => leaving.abort());
    await assert.rejects(asked, { name: 'AbortError' });
    const written = await pipeline(url, [execute('INSERT INTO t VALUES (0)'), CLOSE]);
    assert.equal(written.body.results[0]!.type, 'ok');
    await waitUntil('nothing is left of it', () => server.streamCount === 0, WAIT_MS);
    const { rows } = resultOf(await pipeline(url, [execute('SELECT count(*) FROM t'), CLOSE]));
    assert.deepEqual(rows, [[{ type: 'integer', value: '1' }]]);
  });

  test('leaves no lock behind of a stream that it has no time for', async (t) => {
    const { url, connect: open } = await startTestServer(t, { limits: { workers: 1, waiters: 0 } });
    open().exec('CREATE TABLE t (x)');
    let baton: string | null = null;
    await waitUntil(
      'the worker has started',
      async () => {
        const { status, body } = await pipeline(url, [execute('BEGIN IMMEDIATE')]);
        ({ baton } = body);
        return status === 200;
      },
      WAIT_MS,
    );
    const long = execute(`${COUNTING} LIMIT 2000000) SELECT max(x) FROM c`);
    // Until the worker is busy with a stranger just when the stream goes on.
    for (let status = 200; status === 200;) {
      const busy = pipeline(url, [long, CLOSE]);
      const again = await pipeline(url, [execute('SELECT 1')], { baton });
      ({ status } = again);
      ({ baton } = again.body);
      await busy;
    }
    open().exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (1); COMMIT');
  });

  test('keeps what one client sets from the next', async (t) => {
    const { url } = await startTestServer(t, { limits: { workers: 1 } });
    const ask = async (): Promise<unknown> =>
      resultOf(await pipeline(url, [execute('PRAGMA foreign_keys'), CLOSE]))['rows'];
    const before = await ask();
    const setting = 'PRAGMA foreign_keys = OFF';
    for (const request of [
      { type: 'describe', sql: setting },
      execute(`EXPLAIN ${setting}`),
      execute(setting, [{ type: 'null' }]),
      execute(`${setting}; SELECT 1`),
    ]) {
      await pipeline(url, [request, CLOSE]);
      assert.deepEqual(await ask(), before, JSON.stringify(request));
    }
  });

  test('waits outside of SQLite, whatever a client sets', async (t) => {
    const { url } = await startTestServer(t, { limits: { workers: 1, busyMs: 60_000 } });
    await pipeline(url, [execute('CREATE TABLE t (x)'), CLOSE]);
    const { baton } = (await pipeline(url, [execute('BEGIN IMMEDIATE')])).body;
    const waiting = pipeline(url, [
      execute('PRAGMA busy_timeout = 20000'),
      execute('INSERT INTO t VALUES (1)'),
      CLOSE,
    ]);
    // Answered, so the next is behind what waits.
    await pipeline(url, [execute('SELECT 1'), CLOSE]);
    const committed = await pipeline(url, [execute('COMMIT'), CLOSE], { baton });
    assert.equal(committed.body.results[0]!.type, 'ok');
    const { body } = await waiting;
    assert.deepEqual(
      body.results.map(({ type }) => type),
      ['ok', 'ok', 'ok'],
    );
  });

  test('does not wait with a lock of its own, savepoint or not', async (t) => {
    const { url, connect: open } = await startTestServer(t, { limits: { busyMs: 600_000 } });
    const other = open();
    other.exec('CREATE TABLE t (x); BEGIN IMMEDIATE');
    const { body } = await pipeline(url, [
      execute('BEGIN'),
      execute('SELECT * FROM t'),
      execute('SAVEPOINT a'),
      execute('INSERT INTO t VALUES (1)'),
      CLOSE,
    ]);
    assert.equal(body.results[3]!.error?.code, 'SQLITE_BUSY');
  });

  test('keeps no database open that nobody uses', async (t) => {
    const { url, server, folder } = await startTestServer(t, { limits: { workers: 1 } });
    await pipeline(url, [execute('CREATE TABLE t (x)'), CLOSE]);
    const { baton } = (await pipeline(url, [execute('SELECT * FROM t')])).body;
    const opened = (): string[] => {
      const path = `/proc/${server.workerPids[0]}/fd`;
      return readdirSync(path).filter((fd) => maybeLink(`${path}/${fd}`).startsWith(folder));
    };
    assert.ok(opened().length > 0);
    await pipeline(url, [CLOSE], { baton });
    await waitUntil('it is closed', () => opened().length === 0, WAIT_MS);
    assert.equal((await pipeline(url, [execute('SELECT * FROM t'), CLOSE])).status, 200);
  });

  test('opens no more streams than it has room for', async (t) => {
    const { url } = await startTestServer(t, { limits: { streams: 1 } });
    const { body } = await pipeline(url, [execute('SELECT 1')]);
    const full = await pipeline(url, [execute('SELECT 1')]);
    assert.deepEqual([full.status, full.body.code], [503, 'STREAMS_FULL']);
    assert.equal(full.headers.get('skein-outcome'), 'not-executed');
    await pipeline(url, [CLOSE], { baton: body.baton });
    assert.equal((await pipeline(url, [execute('SELECT 1'), CLOSE])).status, 200);
  });
});

/** Whether others are answered while this is counted. */
async function isServedBeside(url: string, counting: string): Promise<boolean> {
  let isDone = false;
  const long = pipeline(url, [execute(`${counting}) SELECT max(x) FROM c`), CLOSE]).finally(() => {
    isDone = true;
  });
  // The first may have come before it.
  for (let i = 0; i < 3; i += 1) await pipeline(url, [execute('SELECT 1'), CLOSE]);
  const isServed = !isDone;
  await long;
  return isServed;
}

/** Empty: it was closed meanwhile. */
function maybeLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
