// E-04: an external table from an object store that checks signatures, with keys in OPTIONS.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { requirePart, startObjectStore, tempDir } from '@skein/testkit';

import { createRealEngine } from '../real-engine.ts';
import { startTestServer } from '../test-server.ts';
import { CONFORMANCE } from './list.ts';
import { Target } from './target.ts';

test(`E-04 ${CONFORMANCE['E-04']!.what}`, async (t) => {
  if (!requirePart(t, 'radosgw')) return;
  const store = await startObjectStore(t);
  await store.send('PUT', '/outside');
  await store.send('PUT', '/outside/folder/rows.csv', Buffer.from('1,one\n2,two\n'));
  const scratchFolder = tempDir(t);
  const engine = await createRealEngine(t, {
    scratchFolder,
    externalTables: {
      allowHosts: ['127.0.0.1'],
      allowPrivate: true,
      maxBytes: 1_000_000,
      timeoutMs: 60_000,
      allowFolders: [],
    },
  });
  const { url } = await startTestServer(t, engine, { scratchFolder });
  const lake = new Target(url, url);
  const create = (secret: string): string => `CREATE EXTERNAL TABLE x (a INT, b TEXT) STORED AS CSV
    LOCATION 's3://outside/folder/rows.csv' OPTIONS ('access_key_id' '${store.accessKey}',
      'secret_access_key' '${secret}', 'endpoint' '${store.endpoint}', 'region' '${store.region}',
      'allow_http' 'true');
    CREATE TABLE x AS SELECT * FROM staging.x`;
  const refused = await lake.write(create('wrong'));
  assert.equal(refused.status, 400, refused.text);
  assert.ok(!refused.text.includes('wrong'));
  await lake.run(create(store.secretKey));
  assert.deepEqual(await lake.rows('SELECT * FROM x ORDER BY a'), [
    { a: 1, b: 'one' },
    { a: 2, b: 'two' },
  ]);
});
