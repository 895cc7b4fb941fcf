// A replica and its primary: two servers on one folder, of which the test says what they are. What
// goes where, and what its client is told when the way to the primary breaks.

import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';

import { createClient, type LibsqlError } from '@libsql/client';
import { onTestEnd, tempDir } from '@skein/testkit';
import BetterSqlite3 from 'better-sqlite3';

import type { SqlLimits } from '../src/options.ts';
import { CLOSE, execute, pipeline, startTestServer, type TestServer } from './server.ts';

interface Pair {
  readonly primary: TestServer;
  readonly replica: TestServer;
}

const FAST = { primaryWaitMs: 50, waitMs: 50 };
const INSERT = "INSERT INTO t VALUES ('written')";

async function startPair(t: TestContext, limits: Partial<SqlLimits> = FAST): Promise<Pair> {
  const folder = tempDir(t);
  const db = new BetterSqlite3(`${folder}/app.db`);
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (x)');
  db.close();
  const token = 'a-token-of-the-test';
  const primary = await startTestServer(t, { folder, token, limits });
  const replica = await startReplica(t, folder, primary.url, limits);
  return { primary, replica };
}

function startReplica(
  t: TestContext,
  folder: string,
  sqlUrl: string,
  limits: Partial<SqlLimits> = FAST,
): Promise<TestServer> {
  const change = { role: 'replica', epoch: 7, primary: { name: 'node1', sqlUrl } } as const;
  return startTestServer(t, {
    name: 'node2',
    folder,
    change,
    limits,
    token: 'a-token-of-the-test',
  });
}

const AUTHORIZATION = { headers: { authorization: 'Bearer a-token-of-the-test' } };
const ask = (url: string, requests: readonly unknown[]): ReturnType<typeof pipeline> =>
  pipeline(url, requests, AUTHORIZATION);
const refuses = (server: TestServer): void => server.view.update({ role: 'no-primary' });

describe('A replica', () => {
  test('executes here what only reads, and no more', async (t) => {
    const { primary, replica } = await startPair(t);
    // Whatever comes to the primary now is refused there.
    refuses(primary);
    const here = [
      [execute('SELECT * FROM t')],
      [{ type: 'describe', sql: 'DELETE FROM t' }, execute('PRAGMA table_info(t)')],
      [execute('BEGIN'), execute('SELECT * FROM t'), execute('COMMIT')],
      [execute('SAVEPOINT a'), execute('SELECT * FROM t'), execute('RELEASE a')],
      [execute('BEGIN READONLY'), execute('SELECT * FROM t')],
      [{ type: 'sequence', sql: 'SELECT 1; SELECT * FROM t;' }],
      [execute('PRAGMA user_version'), { type: 'get_autocommit' }],
    ];
    for (const requests of here) {
      const { status, body } = await ask(replica.url, requests);
      assert.equal(status, 200, JSON.stringify(requests));
      assert.ok(
        body.results.every(({ type }) => type === 'ok'),
        JSON.stringify(body),
      );
    }
    const elsewhere = [
      [execute(INSERT)],
      [execute('SELECT * FROM t'), execute(INSERT)],
      [execute('BEGIN IMMEDIATE')],
      [execute('BEGIN'), execute('SELECT * FROM t')],
      [execute('WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a')],
      [execute('INSERT INTO t VALUES (1) RETURNING x')],
      [execute('PRAGMA user_version = 3')],
      [execute('PRAGMA foreign_keys = ON')],
      [execute('CREATE TEMP TABLE x (a)')],
      [execute('SELECT * FROM not_yet_here')],
      [{ type: 'sequence', sql: `SELECT 1; ${INSERT};` }],
      [
        { type: 'store_sql', sql_id: 1, sql: INSERT },
        { type: 'execute', stmt: { sql_id: 1 } },
      ],
    ];
    for (const requests of elsewhere) {
      const { status, body, headers } = await ask(replica.url, requests);
      assert.deepEqual([status, body.code], [503, 'NO_PRIMARY'], JSON.stringify(requests));
      assert.equal(headers.get('skein-outcome'), 'not-executed');
    }
  });

  test('hands a stream over to the primary, with the texts that it has stored', async (t) => {
    const { replica } = await startPair(t);
    const first = await ask(replica.url, [
      { type: 'store_sql', sql_id: 1, sql: INSERT },
      { type: 'store_sql', sql_id: 2, sql: 'SELECT count(*) FROM t' },
      execute('SELECT 1'),
    ]);
    let { baton } = first.body;
    const stored = (id: number): unknown => ({ type: 'execute', stmt: { sql_id: id } });
    const steps = [
      [execute('BEGIN IMMEDIATE'), stored(1)],
      [stored(2)],
      [execute('COMMIT'), stored(2)],
    ];
    for (const requests of steps) {
      const { body } = await pipeline(replica.url, requests, { ...AUTHORIZATION, baton });
      assert.equal(body.results.length, requests.length);
      assert.ok(
        body.results.every(({ type }) => type === 'ok'),
        JSON.stringify(body),
      );
      ({ baton } = body);
    }
    await pipeline(replica.url, [CLOSE], { ...AUTHORIZATION, baton });
    const { rows } = (await ask(replica.url, [execute('SELECT count(*) FROM t')])).body.results[0]!
      .response!.result!;
    assert.deepEqual(rows, [[{ type: 'integer', value: '1' }]]);
  });

  test('hands over a stream that has stored nothing', async (t) => {
    const { primary, replica } = await startPair(t);
    const { baton } = (await ask(replica.url, [execute('SELECT 1')])).body;
    const requests = [execute(INSERT), CLOSE];
    const { status, body } = await pipeline(replica.url, requests, { ...AUTHORIZATION, baton });
    assert.deepEqual([status, body.results?.[0]?.type], [200, 'ok'], JSON.stringify(body));
    assert.equal(primary.connect().prepare('SELECT count(*) FROM t').pluck().get(), 1);
  });

  test('reads when it has what its client has seen, else at the primary', async (t) => {
    const { primary, replica } = await startPair(t, { waitMs: 30_000 });
    const position = '1&7:5:app.db';
    const read = (headers: Readonly<Record<string, string>>): ReturnType<typeof pipeline> =>
      pipeline(replica.url, [execute('SELECT * FROM t'), CLOSE], {
        headers: { ...AUTHORIZATION.headers, ...headers },
      });
    const waiting = read({ 'skein-position': position });
    const byCookie = read({ cookie: `a=b; __skein_pos=${position}` });
    refuses(primary);
    replica.view.update({ positions: [['app.db', { epoch: 7, txid: 5n }]] });
    assert.equal((await waiting).status, 200);
    assert.equal((await byCookie).status, 200);
    // What had no room is nowhere but at the primary, which answers nobody now.
    replica.view.update({ role: 'no-primary' });
    const partial = await read({ 'skein-position': `1&*&7:5:app.db` });
    assert.deepEqual([partial.status, partial.body.code], [503, 'SQL_BEHIND']);
  });

  test('shows what was written through it to clients that carry nothing', async (t) => {
    const { primary, replica } = await startPair(t, { waitMs: 30_000 });
    const { writeFileSync } = process.getBuiltinModule('node:fs');
    // As on a mount: where the database stands is in a file beside it.
    writeFileSync(`${primary.folder}/app.db-pos`, '0000000000000009/8000000000000001\n');
    const written = await ask(replica.url, [execute(INSERT), CLOSE]);
    assert.equal(written.headers.get('skein-position'), '1&7:9:app.db');
    let isAnswered = false;
    const read = ask(replica.url, [execute('SELECT * FROM t'), CLOSE]).then((answer) => {
      isAnswered = true;
      return answer;
    });
    replica.view.update({ positions: [['app.db', { epoch: 7, txid: 8n }]] });
    await ask(primary.url, [execute('SELECT 1'), CLOSE]);
    assert.equal(isAnswered, false);
    replica.view.update({ positions: [['app.db', { epoch: 7, txid: 9n }]] });
    assert.equal((await read).status, 200);
  });

  test('shows later what it was shown by the primary', async (t) => {
    const { primary, replica } = await startPair(t, { waitMs: 30_000 });
    const { writeFileSync } = process.getBuiltinModule('node:fs');
    writeFileSync(`${primary.folder}/app.db-pos`, '0000000000000009/8000000000000001\n');
    // Left open, so it belongs to the primary; it only reads.
    const select = execute('SELECT * FROM t');
    const { baton } = (await ask(replica.url, [execute('BEGIN'), select])).body;
    const end = [execute('COMMIT'), CLOSE];
    const { headers } = await pipeline(replica.url, end, { ...AUTHORIZATION, baton });
    assert.equal(headers.get('skein-position'), '1&7:9:app.db');
    const read = ask(replica.url, [select, CLOSE]);
    refuses(primary);
    replica.view.update({ positions: [['app.db', { epoch: 7, txid: 8n }]] });
    const pending = Symbol('pending');
    assert.equal(
      await Promise.race([read, ask(primary.url, [CLOSE]).then(() => pending)]),
      pending,
    );
    replica.view.update({ positions: [['app.db', { epoch: 7, txid: 9n }]] });
    assert.equal((await read).status, 200);
  });

  test('waits for nothing of an epoch that is over', async (t) => {
    const { primary, replica } = await startPair(t, { waitMs: 60_000 });
    const { writeFileSync } = process.getBuiltinModule('node:fs');
    writeFileSync(`${primary.folder}/app.db-pos`, '0000000000000009/8000000000000001\n');
    await ask(replica.url, [execute(INSERT), CLOSE]);
    // Another primary has not got what was written.
    replica.view.update({ positions: [['app.db', { epoch: 8, txid: 3n }]] });
    const read = await ask(replica.url, [execute('SELECT * FROM t'), CLOSE]);
    assert.equal(read.status, 200);

    primary.view.update({ epoch: 8, positions: [['app.db', { epoch: 8, txid: 3n }]] });
    const carrying = { ...AUTHORIZATION.headers, 'skein-position': '1&7:9:app.db&7:1:b.db' };
    const right = await pipeline(primary.url, [execute('SELECT 1'), CLOSE], { headers: carrying });
    assert.equal(right.headers.get('skein-position'), '1&8:3:app.db&7:1:b.db');
  });

  test('becomes primary, and executes what it had to pass on', async (t) => {
    const { primary, replica } = await startPair(t, { primaryWaitMs: 30_000 });
    refuses(primary);
    const waiting = ask(replica.url, [execute(INSERT), CLOSE]);
    replica.view.update({ role: 'primary', epoch: 8 });
    const { status, body } = await waiting;
    assert.deepEqual([status, body.results[0]!.type], [200, 'ok']);
  });

  test('does not pass on what was passed on to it', async (t) => {
    const { replica } = await startPair(t);
    const headers = { ...AUTHORIZATION.headers, 'skein-sql-hop': 'node3' };
    const { status, body } = await pipeline(replica.url, [execute(INSERT)], { headers });
    assert.deepEqual([status, body.code], [503, 'NOT_PRIMARY']);
  });
});

describe('A write whose way to the primary breaks', () => {
  /** A primary that takes requests and does with their connections what `treat` says. */
  async function startBroken(
    t: TestContext,
    treat: (socket: Socket) => void,
  ): Promise<{ readonly url: string; readonly count: () => number }> {
    let count = 0;
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        count += 1;
        treat(socket);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestEnd(t, () => void server.close());
    const { port } = server.address() as { readonly port: number };
    return { url: `http://127.0.0.1:${port}/`, count: () => count };
  }

  const treatments: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['ends', (socket) => socket.destroy()],
    ['is reset', (socket) => socket.resetAndDestroy()],
    [
      'ends within its answer',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"baton":null'),
    ],
    [
      'answers with something else',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'),
    ],
    [
      'is given up by something between the nodes',
      (socket) => socket.end('HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 4\r\n\r\nlate'),
    ],
    [
      'is cut by something between the nodes that says nothing of an outcome',
      (socket) => socket.end('HTTP/1.1 503 Unavailable\r\nContent-Length: 4\r\n\r\nbusy'),
    ],
  ];
  for (const [name, treat] of treatments) {
    test(`is unknown, and sent once, when its connection ${name}`, async (t) => {
      const broken = await startBroken(t, treat);
      const folder = tempDir(t);
      new BetterSqlite3(`${folder}/app.db`).exec('CREATE TABLE t (x)').close();
      const replica = await startReplica(t, folder, broken.url);
      const { status, body, headers } = await ask(replica.url, [execute(INSERT), CLOSE]);
      assert.deepEqual([status, body.code], [502, 'OUTCOME_UNKNOWN']);
      assert.equal(headers.get('skein-outcome'), 'unknown');
      assert.equal(broken.count(), 1);
      const client = createClient({ url: replica.url, authToken: 'a-token-of-the-test' });
      await assert.rejects(
        client.execute(INSERT),
        (error: LibsqlError) => error.code === 'OUTCOME_UNKNOWN',
      );
      assert.equal(broken.count(), 2);
    });
  }

  test('is not executed when nobody listens, or another token is asked for', async (t) => {
    const { primary, replica } = await startPair(t);
    const other = await startTestServer(t, { folder: primary.folder, token: 'another-token-here' });
    for (const sqlUrl of ['http://127.0.0.1:1/', other.url, undefined]) {
      replica.view.update({ primary: { name: 'node1', sqlUrl } });
      const { status, body, headers } = await ask(replica.url, [execute(INSERT), CLOSE]);
      assert.deepEqual([status, body.code], [503, 'NO_PRIMARY']);
      assert.equal(headers.get('skein-outcome'), 'not-executed');
    }
    assert.equal(primary.connect().prepare('SELECT count(*) FROM t').pluck().get(), 0);
  });
});
