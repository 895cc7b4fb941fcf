// What may be kept in caches: nothing that can be another the next time, on an engine that has just
// begun, and whatever way a table of `staging` is written.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '@skein/testkit';

import { ask } from './ask.ts';
import { createRealEngine } from './real-engine.ts';

test('the first query of an engine knows which views and macros are volatile', async (t) => {
  const folder = tempDir(t);
  const places = {
    catalogPath: join(folder, 'catalog.db'),
    dataPath: `${join(folder, 'data')}/`,
  };
  mkdirSync(places.dataPath);
  const first = await createRealEngine(t, places);
  await ask(first, 'CREATE VIEW clock AS SELECT now() AS n; CREATE MACRO dice() AS random()');
  await first.close();
  for (const sql of ['SELECT * FROM clock', 'SELECT dice()']) {
    const engine = await createRealEngine(t, places);
    const plan = await engine.plan(sql);
    await engine.close();
    assert.equal(plan.isDeterministic, false, sql);
  }
});

test('what reads external tables is never kept, in whatever way they are named', async (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'x.csv'), '1\n');
  const engine = await createRealEngine(t, {
    externalTables: {
      allowHosts: [],
      allowPrivate: false,
      maxBytes: 1_000_000,
      timeoutMs: 10_000,
      allowFolders: [folder],
    },
  });
  t.after(() => engine.close());
  await ask(engine, `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '${join(folder, 'x.csv')}'`);
  for (const name of ['staging.x', 'staging.main.x', '"STAGING".main.x']) {
    const plan = await engine.plan(`SELECT * FROM ${name}`);
    assert.equal(plan.isDeterministic, false, name);
    assert.deepEqual((await ask(engine, `SELECT * FROM ${name}`)).rows, [[1]]);
  }
});
