// What DuckDB is given when a session begins, as DuckDB itself tells.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { realConfig } from '../../test/real-engine.ts';
import { openSession } from './duckdb-session.ts';
import type { EngineConfig, LakeRole } from './ports.ts';

const S3 = {
  endpoint: 'http://127.0.0.1:9',
  region: 'us-east-1',
  accessKey: 'key-of-the-store',
  secretKey: 'secret-of-the-store',
  pathStyle: true,
};

async function secretsOf(config: EngineConfig, role: LakeRole): Promise<unknown[]> {
  const session = await openSession(config, role);
  try {
    const connection = await session.instance.connect();
    const reader = await connection.runAndReadAll('SELECT name FROM duckdb_secrets() ORDER BY 1');
    connection.closeSync();
    return reader.getRowsJson().flat();
  } finally {
    session.close();
  }
}

test('the keys of the store are for writers, and for readers without a gateway', async (t) => {
  const onDisk = await realConfig(t, true);
  assert.deepEqual(await secretsOf(onDisk, 'writer'), []);
  const inStore = { ...onDisk, dataPath: 's3://lake/data/', s3: S3 };
  const readDataPath = 'http://127.0.0.1:9/objects/';
  const withGateway = { ...inStore, readDataPath, readToken: 'token-of-the-gateway' };
  assert.deepEqual(await secretsOf(withGateway, 'reader'), ['lake_gateway']);
  assert.deepEqual(await secretsOf(withGateway, 'writer'), ['lake_objects']);
  assert.deepEqual(await secretsOf(inStore, 'reader'), ['lake_objects']);
});
