// Maintenance, and the defects of the extension that it goes around: each test fails where the
// engine meets the defect.

import assert from 'node:assert/strict';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { tempDir } from '@skein/testkit';

import { ask, rowsOf } from './ask.ts';
import { createRealEngine } from './real-engine.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const POLICY = {
  intervalMs: 0,
  inlineRowsMax: 10,
  flushRows: 3,
  flushAfterMs: DAY_MS,
  targetFileBytes: 100_000_000,
  keepSnapshotsMs: 0,
  keepFilesMs: 2 * DAY_MS,
};

const shared = await createRealEngine({ after }, { maintenance: POLICY });
after(() => shared.close());

test('small inserts stay in the catalog, and are flushed when they are many', async () => {
  await ask(shared, 'CREATE TABLE small (a INT, b VARCHAR)');
  await ask(shared, `INSERT INTO small VALUES (1, 'it''s "x"')`);
  await ask(shared, `INSERT INTO small VALUES (2, NULL)`);
  assert.equal((await shared.maintain()).flushedTables, 0);
  const { snapshot } = await ask(shared, `INSERT INTO small VALUES (3, '')`);
  assert.equal((await shared.maintain()).flushedTables, 1);
  const rows = [
    [1, 'it\'s "x"'],
    [2, null],
    [3, ''],
  ];
  assert.deepEqual(await rowsOf(shared, 'FROM small ORDER BY a'), rows);
  const before = `SELECT count(*) FROM small AT (VERSION => ${snapshot.id - 1n})`;
  assert.deepEqual(await rowsOf(shared, before), [[2]]);
});

test('quotes in structs survive a small insert (the extension loses them)', async () => {
  await ask(shared, 'CREATE TABLE nested (a STRUCT(x VARCHAR), b VARCHAR[])');
  await ask(shared, `INSERT INTO nested VALUES ({x: 'it''s "q"'}, ['a''b', 'c"d'])`);
  await ask(shared, 'CREATE TABLE grown (k INT)');
  await ask(shared, 'ALTER TABLE grown ADD COLUMN s STRUCT(x VARCHAR)');
  await ask(shared, `INSERT INTO grown VALUES (1, {x: 'it''s'})`);
  assert.deepEqual(await rowsOf(shared, 'SELECT a.x, b[1], b[2] FROM nested'), [
    [`it's "q"`, `a'b`, 'c"d'],
  ]);
  assert.deepEqual(await rowsOf(shared, 'SELECT s.x FROM grown'), [[`it's`]]);
  const together = `ALTER TABLE grown ADD COLUMN t STRUCT(y INT); INSERT INTO grown (k) VALUES (2)`;
  await assert.rejects(ask(shared, together), { kind: 'plan', statementIndex: 0 });
});

test('small inserts around changes of columns are flushed (the extension fails to)', async () => {
  await ask(shared, 'CREATE TABLE changed (a INT, b VARCHAR)');
  const changes = [
    'ALTER COLUMN a TYPE BIGINT',
    'ADD COLUMN c INT',
    'DROP COLUMN c',
    'RENAME COLUMN b TO bb',
    'SET PARTITIONED BY (a)',
    'SET SORTED BY (a)',
    'ADD COLUMN d STRUCT(x INT)',
    'DROP COLUMN d',
  ];
  for (const change of changes) {
    await ask(shared, `INSERT INTO changed (a) VALUES (1)`);
    await ask(shared, 'UPDATE changed SET a = 2 WHERE a = 1');
    await ask(shared, `ALTER TABLE changed ${change}`);
    await ask(shared, 'INSERT INTO changed (a) VALUES (1), (1), (1)');
    await ask(shared, 'DELETE FROM changed WHERE a = 1');
  }
  await ask(shared, 'INSERT INTO changed (a) VALUES (7)');
  await shared.maintain();
  assert.deepEqual(await rowsOf(shared, 'SELECT a, count(*) FROM changed GROUP BY 1 ORDER BY 1'), [
    [2, changes.length],
    [7, 1],
  ]);
});

test('small files are merged, and older versions stay as they were', async () => {
  await ask(shared, 'CREATE TABLE many (a INT)');
  for (let i = 0; i < 6; i += 1) {
    await ask(shared, `INSERT INTO many SELECT ${i} * 100 + i FROM range(100) r(i)`);
  }
  const { snapshot } = await ask(shared, 'DELETE FROM many WHERE a < 50');
  assert.ok((await shared.maintain()).mergedTables >= 1);
  const count = (version: bigint): string =>
    `SELECT count(*), min(a), max(a + 0) FROM many AT (VERSION => ${version})`;
  assert.deepEqual(await rowsOf(shared, count(snapshot.id)), [[550, 50, 599]]);
  assert.deepEqual(await rowsOf(shared, count(snapshot.id - 1n)), [[600, 0, 599]]);
  assert.deepEqual(await rowsOf(shared, count(snapshot.id - 2n)), [[500, 0, 499]]);
  // Bounds that were narrowed by a rewrite would hide rows of the past.
  const filtered = `SELECT count(*) FROM many AT (VERSION => ${snapshot.id - 1n}) WHERE a = 5`;
  assert.deepEqual(await rowsOf(shared, filtered), [[1]]);
  await ask(shared, 'INSERT INTO many VALUES (1000)');
  assert.deepEqual(await rowsOf(shared, 'SELECT max(a) FROM many WHERE a > 598'), [[1000]]);
});

test('a reader within an older snapshot meets new inlined tables, and is answered', async () => {
  await ask(shared, 'CREATE TABLE pinned AS SELECT i AS a FROM range(100) r(i)');
  const stream = await shared.execute(await shared.plan('SELECT a FROM pinned'), {
    mayWrite: false,
  });
  await ask(shared, 'DELETE FROM pinned WHERE a = 1');
  const deleted = await Promise.all(
    Array.from({ length: 8 }, () => rowsOf(shared, 'SELECT count(*) FROM pinned WHERE a >= 0')),
  );
  assert.deepEqual(
    deleted,
    Array.from({ length: 8 }, () => [[99]]),
  );
  let rows = 0;
  for await (const chunk of stream.chunks()) rows += chunk.rowCount;
  assert.equal(rows, 100);
});

test('only snapshots that are old enough expire (the extension takes a whole day)', async (t) => {
  const engine = await createRealEngine(t, {
    maintenance: { ...POLICY, keepSnapshotsMs: 60_000 },
  });
  t.after(() => engine.close());
  const first = await ask(engine, 'CREATE TABLE t (a INT)');
  await ask(engine, 'INSERT INTO t VALUES (1)');
  assert.equal((await engine.maintain()).expiredSnapshots, 0);
  assert.deepEqual(await rowsOf(engine, `FROM t AT (VERSION => ${first.snapshot.id})`), []);
});

test('files stay until no catalog of that age needs them, orphans too', async (t) => {
  const folder = tempDir(t);
  const engine = await createRealEngine(t, {
    dataPath: `${folder}/`,
    maintenance: { ...POLICY, keepSnapshotsMs: 1, inlineRowsMax: 0 },
  });
  t.after(() => engine.close());
  await ask(engine, 'CREATE TABLE t AS SELECT 1 AS a');
  await ask(engine, 'CREATE OR REPLACE TABLE t AS SELECT 2 AS a');
  const tableFolder = join(folder, 'public/t');
  const [young, old] = [join(tableFolder, 'young.parquet'), join(tableFolder, 'old.parquet')];
  for (const path of [young, old]) writeFileSync(path, 'left by a crash');
  const days = (Date.now() - 3 * DAY_MS) / 1000;
  utimesSync(old, days, days);
  const before = readdirSync(tableFolder).length;
  const report = await engine.maintain();
  assert.ok(report.expiredSnapshots > 0);
  assert.equal(report.removedFiles, 1);
  const left = readdirSync(tableFolder);
  assert.equal(left.length, before - 1);
  assert.ok(left.includes('young.parquet') && !left.includes('old.parquet'));
  assert.deepEqual(await rowsOf(engine, 'FROM t'), [[2]]);
});
