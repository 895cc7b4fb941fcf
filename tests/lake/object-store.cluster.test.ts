// A writer and a reader on an object store that checks signatures: nothing that a client can ask
// shows the keys, or the token of the gateway, and what the store does wrong is said in words.

import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { provideExtensions } from '@skein/lake';
import {
  LakeCluster,
  type ObjectStore,
  onTestEnd,
  RecordingLog,
  requirePart,
  startObjectStore,
  tempDir,
  watchMounts,
} from '@skein/testkit';

const ROOT = join(import.meta.dirname, '..', '..');
const TIMEOUT_MS = 300_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function startLake(t: TestContext, store: ObjectStore): Promise<LakeCluster> {
  const folder = realpathSync(tempDir(t));
  watchMounts(t, folder, TIMEOUT_MS);
  const { ducklake } = await provideExtensions({
    cacheFolder: join(ROOT, '.tools', 'duckdb-extensions'),
    needsHttpfs: true,
    log: new RecordingLog(),
  });
  await store.send('PUT', '/lake');
  const { endpoint, region, accessKey, secretKey } = store;
  const lake = await LakeCluster.create({
    folder,
    readerCount: 1,
    hold: '20s',
    extensionsFolder: dirname(ducklake),
    config: {
      data: { path: 's3://lake/data/' },
      s3: { endpoint, region, 'access-key': accessKey, 'secret-key': secretKey },
    },
  });
  onTestEnd(t, () => lake.stop());
  await lake.start();
  return lake;
}

async function query(lake: LakeCluster, path: string, sql: string): Promise<Answer> {
  const response = await fetch(`${lake.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query: sql }),
  });
  return { status: response.status, text: await response.text() };
}

async function figure(lake: LakeCluster, name: string): Promise<number> {
  const text = await (await fetch(`${lake.urlOf('reader1')}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
}

/** Of the gateway; nothing else is like it. */
const TOKEN = /[0-9a-f]{64}/;

/** Statements that might show where a file is, or with which key it is read. */
const CURIOUS = [
  'SELECT filename FROM t LIMIT 1',
  'SELECT DISTINCT filename FROM t',
  'FROM duckdb_secrets()',
  "FROM which_secret('s3://lake/data/x', 's3')",
  'FROM duckdb_settings()',
  'FROM duckdb_databases()',
  "FROM ducklake_list_files('lake', 't')",
  'EXPLAIN SELECT * FROM t',
  'EXPLAIN ANALYZE SELECT * FROM t',
  'FROM duckdb_logs()',
  'SHOW DATABASES',
  "FROM read_parquet('s3://lake/data/**/*.parquet')",
  "FROM glob('s3://lake/**')",
];

test('A lake in an object store', { timeout: TIMEOUT_MS }, async (t) => {
  if (!requirePart(t, 'fuse', 'root', 'radosgw')) return;
  const store = await startObjectStore(t);
  const lake = await startLake(t, store);

  await t.test('is written by the writer and read by the reader, once from the store', async () => {
    const table = 'CREATE TABLE t AS SELECT i, i % 7 AS g FROM range(500000) r(i)';
    const made = await query(lake, '/w/q', table);
    assert.equal(made.status, 200, made.text);
    const sum = 'SELECT g, sum(i) AS s FROM t GROUP BY g ORDER BY g';
    const read = await query(lake, '/q', sum);
    assert.equal(read.status, 200, read.text);
    assert.equal(read.text, (await query(lake, '/w/q', sum)).text);
    const fetched = await figure(lake, 'skein_lake_store_fetched_bytes_total');
    assert(fetched > 0);
    assert.equal((await query(lake, '/q', `${sum} LIMIT 3`)).status, 200);
    assert.equal(await figure(lake, 'skein_lake_store_fetched_bytes_total'), fetched);
  });

  await t.test('shows no key and no token', async () => {
    for (const path of ['/q', '/w/q']) {
      for (const sql of CURIOUS) {
        const { text } = await query(lake, path, sql);
        assert.doesNotMatch(text, TOKEN, sql);
        assert(!text.includes(store.secretKey), sql);
      }
    }
    for (const name of ['writer', 'reader1']) {
      const { log } = lake.lake(name);
      assert(!log.includes(store.secretKey));
      assert.doesNotMatch(log, TOKEN);
    }
  });

  await t.test('says what is wrong when an object is gone', async () => {
    const table = 'CREATE TABLE gone AS SELECT i, i * 2 AS k FROM range(300000) r(i)';
    assert.equal((await query(lake, '/w/q', table)).status, 200);
    const list = (await store.send('GET', '/lake')).toString();
    const keys = [...list.matchAll(/<Key>([^<]*gone[^<]*)<\/Key>/g)].map(([, key]) => key!);
    assert(keys.length > 0);
    for (const key of keys) await store.send('DELETE', `/lake/${key}`);
    const { status, text } = await query(lake, '/q', 'SELECT sum(k) FROM gone');
    assert(status >= 400, text);
    assert.doesNotMatch(text, TOKEN);
    // Others are not concerned.
    assert.equal((await query(lake, '/q', 'SELECT count(*) AS n FROM t')).text, '{"n":500000}\n');
  });
});
