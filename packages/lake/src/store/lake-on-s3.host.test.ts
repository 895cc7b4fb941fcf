// DuckLake with its files in a real S3: the writer by httpfs and the secret that it is given, a
// reader by the gateway.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

import {
  hasPart,
  type ObjectStore,
  RecordingLog,
  requirePart,
  startObjectStore,
  tempDir,
} from '@skein/testkit';

import type { S3Settings } from '../engine/ports.ts';
import { quoteText } from './extension-files.ts';
import { provideExtensions } from './extensions.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { createSecretStatement, createTokenStatement, parseObjectPath } from './object-location.ts';

const CACHE = join(import.meta.dirname, '../../../../.tools/duckdb-extensions');
const DATA_PATH = 's3://lake/data/';
const log = new RecordingLog();

type Rows = readonly (readonly unknown[])[];

async function open(t: TestContext): Promise<DuckDBConnection> {
  const extensions = await provideExtensions({ cacheFolder: CACHE, needsHttpfs: true, log });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  t.after(() => {
    connection.closeSync();
    instance.closeSync();
  });
  const { ducklake, sqliteScanner, httpfs = '' } = extensions;
  for (const path of [ducklake, sqliteScanner, httpfs]) {
    await connection.run(`LOAD ${quoteText(path)}`);
  }
  // A failure shows at once.
  await connection.run('SET http_retries = 0');
  return connection;
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<Rows> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRowsJson();
}

describe('A lake in an object store', () => {
  let store: ObjectStore;
  const ends: (() => Promise<void>)[] = [];

  after(async () => {
    for (const end of ends) await end();
  });

  before(async () => {
    if (!hasPart('radosgw')) return;
    store = await startObjectStore({ after: (end) => void ends.push(end) });
    await store.send('PUT', '/lake');
  });

  function settings(): S3Settings {
    const { endpoint, region, accessKey, secretKey } = store;
    return { endpoint, region, accessKey, secretKey, pathStyle: true };
  }

  async function writer(t: TestContext, catalog: string): Promise<DuckDBConnection> {
    const connection = await open(t);
    await connection.run(createSecretStatement(settings(), parseObjectPath(DATA_PATH)));
    const options = `data_path '${DATA_PATH}', meta_journal_mode 'WAL', data_inlining_row_limit 0`;
    await connection.run(`ATTACH ${quoteText(`ducklake:sqlite:${catalog}`)} AS lake (${options})`);
    await connection.run('USE lake');
    return connection;
  }

  async function reader(
    t: TestContext,
    catalog: string,
  ): Promise<{ readonly connection: DuckDBConnection; readonly gateway: Gateway }> {
    const gateway = await startGateway({
      s3: settings(),
      dataPath: DATA_PATH,
      cacheFolder: tempDir(t),
      cacheBytesMax: 100_000_000,
      log,
      limits: { attempts: 2, pauseMs: 1 },
    });
    t.after(() => gateway.close());
    const connection = await open(t);
    await connection.run(createTokenStatement(gateway.url, gateway.token));
    const data = `data_path ${quoteText(gateway.url)}, override_data_path true`;
    const options = `read_only, ${data}`;
    await connection.run(`ATTACH ${quoteText(`ducklake:sqlite:${catalog}`)} AS lake (${options})`);
    await connection.run('USE lake');
    return { connection, gateway };
  }

  test('is written with keys and read without them, from the cache the second time', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const catalog = join(tempDir(t), 'catalog.sqlite');
    const own = await writer(t, catalog);
    await own.run('CREATE TABLE t AS SELECT i, i % 7 AS g, i * 1.5 AS v FROM range(300000) r(i)');
    const { connection, gateway } = await reader(t, catalog);
    const query = 'SELECT g, count(*)::INT, sum(v)::BIGINT FROM t GROUP BY g ORDER BY g';
    assert.deepEqual(await rowsOf(connection, query), await rowsOf(own, query));
    const { fetchedBytes } = gateway.stats();
    assert(fetchedBytes > 0);
    // Another connection has nothing in memory.
    const other = await open(t);
    await other.run(createTokenStatement(gateway.url, gateway.token));
    const attach = `ATTACH ${quoteText(`ducklake:sqlite:${catalog}`)} AS lake`;
    const data = `data_path ${quoteText(gateway.url)}, override_data_path true`;
    await other.run(`${attach} (read_only, ${data})`);
    await other.run('USE lake');
    assert.deepEqual(await rowsOf(other, query), await rowsOf(own, query));
    assert.equal(gateway.stats().fetchedBytes, fetchedBytes);
    await own.run('DELETE FROM t WHERE g = 3');
    assert.deepEqual(await rowsOf(connection, query), await rowsOf(own, query));
    const secrets = JSON.stringify(await rowsOf(own, 'FROM duckdb_secrets()'));
    assert(!secrets.includes(store.secretKey));
  });

  test('has partitions of any name', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const catalog = join(tempDir(t), 'catalog.sqlite');
    const own = await writer(t, catalog);
    const names = ['plain', 'a b', 'a/b', 'ä+ö', '100%', "it's", 'x=y&z', '#?'];
    await own.run('CREATE TABLE parts (name VARCHAR, i INT)');
    await own.run('ALTER TABLE parts SET PARTITIONED BY (name)');
    const values = names.map((name, index) => `(${quoteText(name)}, ${index})`);
    await own.run(`INSERT INTO parts VALUES ${values.join(', ')}`);
    const { connection } = await reader(t, catalog);
    const rows = await rowsOf(connection, 'SELECT name, i FROM parts ORDER BY i');
    assert.deepEqual(
      rows,
      names.map((name, index) => [name, index]),
    );
  });

  test('fails clearly for wrong keys and for objects that are gone', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const catalog = join(tempDir(t), 'catalog.sqlite');
    const own = await writer(t, catalog);
    await own.run('CREATE TABLE gone AS SELECT i FROM range(1000) r(i)');
    const [[path]] = (await rowsOf(
      own,
      "SELECT data_file FROM ducklake_list_files('lake', 'gone')",
    )) as [[string]];
    await store.send('DELETE', new URL(path.replace('s3://', 'http://x/')).pathname);
    const { connection } = await reader(t, catalog);
    await assert.rejects(connection.run('SELECT sum(i) FROM gone'), /404/);
    const stranger = await open(t);
    const wrong = { ...settings(), secretKey: 'wrong' };
    await stranger.run(createSecretStatement(wrong, parseObjectPath(DATA_PATH)));
    const attach = `ATTACH ${quoteText(`ducklake:sqlite:${catalog}`)} AS lake`;
    await stranger.run(attach);
    await assert.rejects(
      stranger.run('CREATE TABLE lake.x AS SELECT i FROM range(1000) r(i)'),
      (error: Error) => /403|Forbidden|SignatureDoesNotMatch/.test(error.message),
    );
    // Nothing half-made is left in the catalog.
    const tables = await rowsOf(
      own,
      "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'",
    );
    assert.deepEqual(tables, [['gone']]);
  });
});
