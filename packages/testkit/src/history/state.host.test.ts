import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { startSqlite } from '../sqlite/sqlite-process.ts';
import { tempDir } from '../temp-dir.ts';
import {
  digestsOf,
  HISTORY_LIST,
  HISTORY_READ,
  HISTORY_SCHEMA,
  HISTORY_WRITE,
  parseGlimpse,
} from './state.ts';

test('digestsOf() agrees with what SQLite computes, row for row', async (t) => {
  const client = startSqlite(t, { driver: 'node-sqlite' });
  await client.open(join(tempDir(t), 'a.db'));
  for (const sql of HISTORY_SCHEMA) await client.exec(sql);
  // More rows than there are weights, and the largest value.
  await client.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9990)
     INSERT INTO entry (value) SELECT i * 7919 % 1000000 FROM n`,
  );
  await client.exec('UPDATE tally SET count = 9990');
  for (const value of [0, 1_000_000_000]) {
    await client.exec(HISTORY_WRITE[0], [value]);
    await client.exec(HISTORY_WRITE[1]);
  }
  const values = (await client.exec(HISTORY_LIST)).flat().map(Number);
  const [row] = await client.exec(HISTORY_READ);
  const digest = digestsOf(values).at(-1)!;
  assert.deepEqual(parseGlimpse(row!), { count: 9992, digest, tally: 9992 });
});

test('An empty table has the digest of no values', async (t) => {
  const client = startSqlite(t, { driver: 'node-sqlite' });
  await client.open(join(tempDir(t), 'a.db'));
  for (const sql of HISTORY_SCHEMA) await client.exec(sql);
  const [row] = await client.exec(HISTORY_READ);
  assert.deepEqual(parseGlimpse(row!), { count: 0, digest: digestsOf([])[0], tally: 0 });
});
