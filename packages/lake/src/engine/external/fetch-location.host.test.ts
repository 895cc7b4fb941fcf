// What external tables without keys of their own may name in the lake's object store, to which the
// server goes with the lake's keys.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { onTestEnd, tempDir, type TestScope } from '@skein/testkit';

import { parseExternalTable } from '../../sql/external-table.ts';
import { splitStatements } from '../../sql/split.ts';
import { fetchLocation, type LocationConfig } from './fetch-location.ts';

interface Lake {
  /** What the store was asked for. */
  readonly asked: string[];
  fetch(location: string): Promise<string>;
}

/** With a store that has everything. */
async function lakeIn(t: TestScope, dataPath: string): Promise<Lake> {
  const asked: string[] = [];
  const store = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end('1\n');
  });
  store.listen(0, '127.0.0.1');
  onTestEnd(t, () => void store.close());
  await once(store, 'listening');
  const { port } = store.address() as AddressInfo;
  const config: LocationConfig = {
    dataPath,
    scratchFolder: tempDir(t),
    externalTables: {
      allowHosts: [],
      allowPrivate: false,
      maxBytes: 1000,
      timeoutMs: 60_000,
      allowFolders: [],
    },
    s3: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      accessKey: 'key',
      secretKey: 'secret',
      pathStyle: true,
    },
  };
  return {
    asked,
    async fetch(location) {
      const sql = `CREATE EXTERNAL TABLE x (a INT) STORED AS CSV LOCATION '${location}'`;
      const table = parseExternalTable(splitStatements(sql)[0]!.tokens);
      const { signal } = new AbortController();
      const path = await fetchLocation(table, { config, signal, timeMs: 0 });
      return readFile(path, 'utf8');
    },
  };
}

test('without keys an external table is an object beside the lake, in its bucket', async (t) => {
  const lake = await lakeIn(t, 's3://lake/data/');
  assert.equal(await lake.fetch('s3://lake/other/x.csv'), '1\n');
  assert.deepEqual(lake.asked, ['/lake/other/x.csv']);
  for (const location of [
    's3://lake/data/t.parquet',
    's3://lake/../other-bucket/x.csv',
    's3://lake/a/../data/t.parquet',
    's3://lake/a/../../other-bucket/x.csv',
    's3://lake/./data/t.parquet',
    's3://lake//data/t.parquet',
    's3://other-bucket/x.csv',
  ]) {
    await assert.rejects(lake.fetch(location), { code: 'LAKE_LOCATION' }, location);
  }
  assert.equal(lake.asked.length, 1);
});

test('in a bucket that is all of the lake there is nothing beside it', async (t) => {
  const lake = await lakeIn(t, 's3://lake/');
  await assert.rejects(lake.fetch('s3://lake/public/t.parquet'), { code: 'LAKE_LOCATION' });
  assert.deepEqual(lake.asked, []);
});
