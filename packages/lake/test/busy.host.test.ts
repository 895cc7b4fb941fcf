// While as many queries run as may, all else is answered: what caches ask, readiness, what is in
// memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { waitUntil } from '@skein/testkit';

import { pathOf } from './conformance/target.ts';
import { createRealEngine } from './real-engine.ts';
import { startTestServer } from './test-server.ts';

const LONG = 'SELECT sum(a.i * b.i) AS x FROM range(1000000) a(i), range(1000000) b(i)';

test('queries that run hold up neither 304 nor readiness nor results in memory', async (t) => {
  const engine = await createRealEngine(t, { connectionsMax: 3 });
  const server = await startTestServer(t, engine, { limits: { queriesAtOnce: 2 } });
  await server.query('CREATE TABLE t AS SELECT 1 AS x');
  const path = pathOf('SELECT * FROM t');
  const { headers } = await server.send(path);
  const leaving = new AbortController();
  const running = [1, 2].map(async (i) => {
    const sending = { signal: leaving.signal };
    await assert.rejects(server.send(pathOf(`${LONG} WHERE a.i > ${i}`), sending));
  });
  const areRunning = async (): Promise<boolean> =>
    /skein_lake_queries_running 2/.test((await server.send('/metrics')).text);
  await waitUntil('both queries run', areRunning, 60_000);
  const asked = await server.send(path, { headers: { 'If-None-Match': String(headers.etag) } });
  assert.equal(asked.status, 304);
  assert.equal((await server.send(path)).headers['x-skein-cache'], 'hit');
  assert.equal((await server.send('/readyz')).status, 200);
  leaving.abort();
  await Promise.all(running);
});
