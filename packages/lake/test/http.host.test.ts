// The HTTP side on a DuckDB in memory: what does not depend on what the lake's SQL is. The rest is
// the conformance list (conformance/).

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { brotliDecompressSync, constants, gunzipSync, zstdDecompressSync } from 'node:zlib';

import { DuckDBInstance } from '@duckdb/node-api';
import { tempDir, waitUntil } from '@skein/testkit';
import { tableFromIPC } from 'apache-arrow';

import { PlainEngine } from './plain-engine.ts';
import { startTestServer } from './test-server.ts';

/** Behind the first dot of a path nothing counts. */
const pathOf = (sql: string): string => `/q/${encodeURIComponent(sql).replaceAll('.', '%2E')}`;
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const ROWS = 'SELECT i, i * 0.5e0 AS half FROM range(200000) t(i)';

test('Arrow, CSV and Parquet by Accept and by ?format=', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create());
  const sql = "SELECT 1::BIGINT AS id, 'a,b' AS text, NULL::INT AS nothing";
  const path = pathOf(sql);
  const csv = await server.send(`${path}?format=csv`);
  assert.equal(csv.text, 'id,text,nothing\n1,"a,b",\n');
  assert.match(csv.headers['content-type']!, /^text\/csv/);
  const arrow = await server.send(path, {
    headers: { Accept: 'application/vnd.apache.arrow.stream' },
  });
  assert.deepEqual(tableFromIPC(arrow.body).toArray().map(String), [
    '{"id": "1", "text": "a,b", "nothing": null}'.replace('"1"', '1'),
  ]);
  const parquet = await server.send(`${path}?format=parquet`);
  const file = join(server.scratchFolder, 'downloaded.parquet');
  await writeFile(file, parquet.body);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll(`SELECT * FROM '${file}'`);
  assert.deepEqual(reader.getRowsJson(), [['1', 'a,b', null]]);
  assert.deepEqual(readdirSync(join(server.scratchFolder, 'http')), []);
  assert.equal((await server.send(`${path}?format=xml`)).status, 400);
  // An extension says nothing.
  const named = await server.send(`/q/${hash(sql)}.csv`, { headers: { 'X-Skein-Query': sql } });
  assert.deepEqual(named.rows, [{ id: 1, text: 'a,b', nothing: null }]);
});

test('a GET whose parameters are in its body is stored by nobody', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create());
  const sql = 'SELECT $1::INT AS x';
  const send = (parameters: readonly number[]): ReturnType<typeof server.send> =>
    server.send(`/q/${hash(sql)}`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: sql, parameters }),
    });
  for (const x of [1, 2]) {
    const { rows, headers } = await send([x]);
    assert.deepEqual(rows, [{ x }]);
    assert.deepEqual([headers['cache-control'], headers.etag], ['no-store', undefined]);
  }
  const inUrl = await server.send(`/q/${hash(sql)}?parameters=[3]`, {
    headers: { 'X-Skein-Query': sql },
  });
  assert.match(String(inUrl.headers['cache-control']), /max-age/);
  // Nor is a client that carries a position given what was kept for one that does not.
  assert.match(String(inUrl.headers.vary), /X-Skein-Position/);
});

test('what a killed process has left of uploads and results is removed', async (t) => {
  const scratchFolder = tempDir(t);
  const left = join(scratchFolder, 'http', 'upload-1-1');
  mkdirSync(dirname(left));
  await writeFile(left, 'half of a file');
  await startTestServer(t, await PlainEngine.create(), { scratchFolder });
  assert.deepEqual(readdirSync(dirname(left)), []);
});

test('a body that is not UTF-8 is refused, not mended', async (t) => {
  const engine = await PlainEngine.create();
  const server = await startTestServer(t, engine);
  const headers = { 'Content-Type': 'application/json' };
  const send = (body: Buffer): ReturnType<typeof server.send> =>
    server.send('/q', { method: 'POST', headers, body });
  const sql = JSON.stringify({ query: "SELECT 'é' AS x" });
  assert.deepEqual((await send(Buffer.from(sql))).rows, [{ x: 'é' }]);
  const refused = await send(Buffer.from(sql, 'latin1'));
  assert.equal(refused.status, 400);
  assert.match(refused.text, /not UTF-8/);
  assert.equal(engine.executions, 1);
});

test('compression by Accept-Encoding, small answers as they are', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create());
  const plain = await server.query(ROWS);
  assert.equal(plain.headers['content-encoding'], undefined);
  const cases = [
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
    ['zstd', zstdDecompressSync],
  ] as const;
  for (const [name, decompress] of cases) {
    const answer = await server.query(ROWS, { 'Accept-Encoding': name });
    assert.equal(answer.headers['content-encoding'], name);
    assert.ok(answer.body.length < plain.body.length / 2);
    assert.ok(decompress(answer.body).equals(plain.body));
  }
  const small = await server.query('SELECT 1', { 'Accept-Encoding': 'gzip' });
  assert.equal(small.headers['content-encoding'], undefined);
});

test('parameters by list and by name, in the body and in the URL', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create());
  const listed = await server.query('SELECT ?::INT + ?::INT AS sum', {}, [1, 2]);
  assert.deepEqual(listed.rows, [{ sum: 3 }]);
  const named = await server.query('SELECT $name AS name', {}, { name: "O'Hara" });
  assert.deepEqual(named.rows, [{ name: "O'Hara" }]);
  const path = pathOf('SELECT $1::INT AS x');
  assert.deepEqual((await server.send(`${path}?parameters=[7]`)).rows, [{ x: 7 }]);
  assert.deepEqual((await server.send(`${path}?parameters=[8]`)).rows, [{ x: 8 }]);
  assert.equal((await server.send(`${path}?parameters=[`)).status, 400);
});

test('a repeated query is answered from memory, until the lake changes', async (t) => {
  const engine = await PlainEngine.create();
  const server = await startTestServer(t, engine);
  await server.query('CREATE TABLE t AS SELECT 1 AS x');
  const first = await server.query('SELECT * FROM t');
  assert.equal(first.headers['x-skein-cache'], 'miss');
  const before = engine.executions;
  const second = await server.query('SELECT * FROM t');
  assert.equal(second.headers['x-skein-cache'], 'hit');
  assert.equal(second.text, first.text);
  assert.equal(engine.executions, before);
  await server.query('INSERT INTO t VALUES (2)');
  assert.deepEqual((await server.query('SELECT * FROM t')).rows, [{ x: 1 }, { x: 2 }]);
});

test('what is not deterministic is neither kept nor stored', async (t) => {
  const engine = await PlainEngine.create();
  const server = await startTestServer(t, engine);
  const path = pathOf('SELECT random() AS x');
  const first = await server.send(path);
  assert.equal(first.headers.etag, undefined);
  assert.equal(first.headers['cache-control'], 'no-store');
  assert.notEqual((await server.send(path)).text, first.text);
});

test('a late failure is told in the last line, and the answer has no proper end', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create());
  const late = `SELECT CASE WHEN i < 190000 THEN i ELSE error('too late') END AS x
    FROM range(200000) t(i)`;
  const answer = await server.query(late);
  assert.equal(answer.status, 200);
  assert.equal(answer.isCut, true);
  const last = answer.text.trimEnd().split('\n').at(-1)!;
  const told = JSON.parse(last) as { skein_error: { code: string; message: string } };
  assert.equal(told.skein_error.code, 'LAKE_EXECUTION');
  const packed = await server.query(late, { 'Accept-Encoding': 'gzip' });
  assert.equal(packed.isCut, true);
  const unpacked = gunzipSync(packed.body, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  assert.match(unpacked.trimEnd().split('\n').at(-1)!, /skein_error/);
  const early = await server.query("SELECT 'notanint'::INT");
  assert.equal(early.status, 400);
  assert.match(early.text, /notanint/);
});

test('the query of a client that leaves is ended, and its place is free', async (t) => {
  const engine = await PlainEngine.create();
  const server = await startTestServer(t, engine, { limits: { queriesAtOnce: 1 } });
  const leaving = new AbortController();
  const sql = 'SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)';
  const gone = server.send(pathOf(sql), { signal: leaving.signal });
  await waitUntil('the query runs', () => engine.open === 1, 60_000);
  leaving.abort();
  await assert.rejects(gone);
  await waitUntil('the query has ended', () => engine.open === 0, 60_000);
  assert.equal((await server.query('SELECT 1')).status, 200);
});

test('a client that stops reading holds up only itself, and is given up', async (t) => {
  const engine = await PlainEngine.create();
  const server = await startTestServer(t, engine, { limits: { stallMs: 300 } });
  const sql = "SELECT i, repeat('x', 100) AS x FROM range(3000000) t(i)";
  const stalled = request(server.url + pathOf(sql), { agent: false });
  stalled.on('error', () => {});
  const paused = new Promise<void>((resolve) => {
    stalled.on('response', (response) => {
      response.on('error', () => {});
      response.pause();
      resolve();
    });
  });
  stalled.end();
  await paused;
  assert.equal((await server.query('SELECT 1')).status, 200);
  await waitUntil('the query has ended', () => engine.open === 0, 60_000);
  stalled.destroy();
});

test('too many that wait are refused with 429', async (t) => {
  const engine = await PlainEngine.create();
  const limits = { queriesAtOnce: 1, queriesWaiting: 1 };
  const server = await startTestServer(t, engine, { limits });
  const leaving = new AbortController();
  const long = 'SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)';
  const path = pathOf(long);
  const first = server.send(path, { signal: leaving.signal });
  await waitUntil('the query runs', () => engine.open === 1, 60_000);
  // Whichever of the two comes first waits.
  const others = [1, 2].map(() => server.send(path, { signal: leaving.signal }));
  const refused = await Promise.race(others);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
  leaving.abort();
  await assert.rejects(first);
  const ends = await Promise.allSettled(others);
  assert.deepEqual(ends.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
});

test('a position that a client carries is waited for, and one is given', async (t) => {
  const engine = await PlainEngine.create();
  const server = await startTestServer(t, engine);
  const written = await server.query('CREATE TABLE t AS SELECT 1 AS x');
  const position = written.headers['x-skein-position'] as string;
  assert.equal(position, 'p2');
  const read = await server.query('SELECT * FROM t', { 'X-Skein-Position': position });
  assert.equal(read.status, 200);
  assert.deepEqual(engine.positions, [position]);
});

test('an answer that a password protects is private, with its max-age', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create(), {
    access: { read: { sha256: hash('open sesame') }, write: 'off' },
    cacheControl: 'max-age=60, public, s-maxage=600',
  });
  const headers = { Authorization: 'Bearer open sesame' };
  const answer = await server.send(pathOf('SELECT 1'), { headers });
  assert.equal(answer.headers['cache-control'], 'max-age=60, private');
  assert.equal((await server.send('/metrics')).status, 401);
});

test('a page of another site may read what anybody may, and write nothing', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create(), {
    allowOrigins: ['https://known.example'],
  });
  const from = (origin: string) => server.query('SELECT 1', { Origin: origin });
  assert.equal((await from('https://evil.example')).status, 403);
  assert.equal((await from(server.url)).status, 200);
  assert.equal((await from('https://known.example')).status, 200);
  const read = await server.send(pathOf('SELECT 1'), {
    headers: { Origin: 'https://evil.example' },
  });
  assert.equal(read.status, 200);
  // A name that leads to this machine by DNS rebinding.
  const port = new URL(server.url).port;
  const rebound = await server.query('SELECT 1', {
    Host: `evil.example:${port}`,
    Origin: `http://evil.example:${port}`,
  });
  assert.equal(rebound.status, 403);
});

test('paths that lead nowhere are 404, other methods 405, no path leaves the page', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create());
  for (const path of ['/nowhere', '/q/a/b/c', '/../../etc/passwd', '/a/upload/b', '/%00/q']) {
    assert.equal((await server.send(path)).status, 404, path);
  }
  const { status, text } = await server.send('/');
  assert.deepEqual([status, text.includes('http.page')], [404, true]);
  assert.equal((await server.send('/q', { method: 'DELETE' })).status, 405);
  assert.equal((await server.send('/upload/a/b')).status, 405);
});

test('requests and hits of the result cache are counted', async (t) => {
  const server = await startTestServer(t, await PlainEngine.create());
  await server.query('SELECT 1');
  await server.query('SELECT 1');
  const { text } = await server.send('/metrics');
  assert.match(text, /skein_lake_requests_total\{method="POST",route="query",status="200"\} 2/);
  assert.match(text, /skein_lake_result_cache_total\{outcome="hit"\} 1/);
});
