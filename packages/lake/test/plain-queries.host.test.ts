// Queries of which nobody has to ask the plan, because their names tell all; and every way to have
// a name mean something else.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { analyze, type PlainQuery } from '../src/sql/analyze.ts';
import { DuckParser } from '../src/engine/duck-parser.ts';
import { openServing } from '../src/engine/serving.ts';
import type { LakeRole, RoleSource } from '../src/engine/ports.ts';
import { ask, rowsOf } from './ask.ts';
import { createRealEngine, realConfig } from './real-engine.ts';

const DEFINITIONS = `
  CREATE TABLE t AS SELECT i AS x, i % 7 AS y FROM range(1000) r(i);
  CREATE SCHEMA a;
  CREATE TABLE a.b (x BIGINT);
  CREATE VIEW "a.b" AS SELECT * FROM t;
  CREATE TABLE main.m (x BIGINT);
  CREATE TABLE main.shadowed (x BIGINT);
  CREATE VIEW shadowed AS SELECT * FROM t;
  CREATE TABLE "É" (x BIGINT);
  CREATE VIEW "é" AS SELECT * FROM t;
  CREATE TABLE k (x BIGINT);
  CREATE VIEW main."\u212a" AS SELECT * FROM t;
  CREATE TABLE main."\u212aelvin" (x BIGINT);
  CREATE VIEW main.kelvin AS SELECT * FROM t;
  CREATE MACRO "\u212aube"(x) AS x * x * x;
  CREATE VIEW v AS SELECT * FROM t;
  CREATE MACRO twice(x) AS 2 * x;
  CREATE MACRO rows_of(n) AS TABLE SELECT * FROM t LIMIT n`;

const scope = { after };
const config = await realConfig(scope);
const serving = await openServing(config, 'writer', () => performance.now());
after(() => serving.close());
const parser = await DuckParser.open();
after(() => parser.close());
for (const sql of DEFINITIONS.split(';')) await serving.writer.run(sql);
serving.pins.bump();

async function plainOf(sql: string): Promise<PlainQuery | undefined> {
  const [statement] = await analyze(sql, parser, { exportFolder: undefined });
  const { work } = statement!;
  return work.type === 'sql' ? work.plain : undefined;
}

async function isToldByNames(sql: string): Promise<boolean> {
  const plain = await plainOf(sql);
  const pin = await serving.pins.acquire();
  pin.release(false);
  return plain !== undefined && serving.names.tellAll(plain.names, pin.snapshot.schemaVersion);
}

describe('The names tell all of', () => {
  for (const sql of [
    'SELECT 1',
    'SELECT count(*) FROM t WHERE x > 3',
    'SELECT y, sum(x) FROM public.t GROUP BY ALL HAVING sum(x) > 3 ORDER BY 2 DESC LIMIT 3',
    'SELECT DISTINCT y FROM T',
    'SELECT * FROM t JOIN main.m USING (x) LEFT JOIN a.b USING (x)',
    'SELECT * FROM (SELECT x FROM t) WHERE x IN (SELECT x FROM m) OR EXISTS (FROM m)',
    'SELECT x FROM t UNION ALL VALUES (1)',
    'SELECT x::DECIMAL(9, 2), lag(x) OVER (ORDER BY x), CASE WHEN x > 1 THEN 1 END FROM t',
    'SELECT * FROM t TABLESAMPLE 10 ROWS',
  ]) {
    test(sql, async () => assert.ok(await isToldByNames(sql)));
  }
});

describe('The plan is asked for', () => {
  for (const sql of [
    // Views, also those that stand before a table of the name.
    'FROM v',
    'SELECT * FROM t, v',
    'SELECT * FROM shadowed',
    'SELECT (SELECT max(x) FROM v)',
    // One name that reads as two, and two that read as one.
    'SELECT * FROM "a.b"',
    'SELECT * FROM "é"',
    'SELECT * FROM "É"',
    'SELECT * FROM "\u212a"',
    'SELECT * FROM "\u212aelvin"',
    'SELECT * FROM kelvin',
    'SELECT "\u212aube"(x) FROM t',
    // What is defined by clients, or reads what it is told to.
    'SELECT twice(x) FROM t',
    'SELECT public.twice(x) FROM t',
    'FROM rows_of(3)',
    'FROM range(3)',
    'SELECT * FROM t, LATERAL (SELECT unnest([1])) u, duckdb_tables() d',
    // A name that means one thing within and another one without.
    'SELECT * FROM (WITH v AS (SELECT 1) FROM v), v',
    'WITH t AS (FROM v) FROM t',
    // Other catalogs, other times, other statements.
    'FROM lake.public.t',
    'FROM system.table_versions',
    'FROM duckdb_tables',
    'FROM information_schema.tables',
    "FROM t('2022-01-01 20:01:01')",
    'FROM t AT (VERSION => 1)',
    'DESCRIBE t',
    'SUMMARIZE t',
    'FROM (PIVOT t ON y IN (1, 2) USING sum(x))',
    'EXPLAIN SELECT * FROM t',
    'FROM nowhere',
  ]) {
    test(sql, async () => assert.equal(await isToldByNames(sql), false));
  }

  test('tables that a later snapshot has', async () => {
    await serving.writer.run('CREATE TABLE later (x BIGINT)');
    assert.equal(await isToldByNames('FROM later'), false, 'the pin is older');
    serving.pins.bump();
    assert.equal(await isToldByNames('FROM later'), true);
    await serving.writer.run('DROP TABLE later');
    await serving.writer.run('CREATE VIEW later AS FROM t');
    serving.pins.bump();
    assert.equal(await isToldByNames('FROM later'), false);
  });
});

describe('Few rows', () => {
  const cases: readonly (readonly [sql: string, isFew: boolean])[] = [
    ['SELECT count(*) FROM t', true],
    ['SELECT min(x), max(x) AS most FROM t WHERE y = 1', true],
    ['SELECT * FROM t LIMIT 10', true],
    ['SELECT x FROM t UNION SELECT 1 LIMIT 10', true],
    ['SELECT * FROM t', false],
    ['SELECT * FROM t LIMIT 100000', false],
    ['SELECT * FROM t LIMIT (SELECT 10)', false],
    ['SELECT count(*) FROM t GROUP BY y', false],
    ['SELECT y, count(*) FROM t GROUP BY ALL', false],
    ['SELECT count(*) OVER () FROM t', false],
    ['SELECT count(*), unnest([1, 2]) FROM t', false],
    ['SELECT max(x) FROM t UNION ALL FROM t', false],
  ];
  for (const [sql, isFew] of cases) {
    test(`${sql}: ${isFew}`, async () => assert.equal((await plainOf(sql))?.hasFewRows, isFew));
  }
});

test('Short queries have the same answers, errors and limits as streamed ones', async (t) => {
  const engine = await createRealEngine(t);
  t.after(() => engine.close());
  await ask(engine, 'CREATE TABLE t AS SELECT i AS x FROM range(5000) r(i)');
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*), max(x) FROM t'), [[5000, 4999]]);
  assert.deepEqual(await rowsOf(engine, 'SELECT x FROM t WHERE x > 9 ORDER BY x LIMIT 2'), [
    [10],
    [11],
  ]);
  await assert.rejects(rowsOf(engine, `SELECT max(CAST('x' AS INT) + x) FROM t`), {
    statementIndex: 0,
  });
  // The connection is as good as before.
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM t'), [[5000]]);
  const slow = await engine.plan('SELECT count(*) FROM t a, t b, t c WHERE a.x + b.x = c.x * 7');
  const options = { mayWrite: false, parameters: undefined, timeoutMs: 100 };
  await assert.rejects(engine.execute(slow, options), { code: 'LAKE_TIMEOUT' });
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM t'), [[5000]]);
});

describe('DuckParser', () => {
  test('answers who is under way when it is closed, and tells who waits', async () => {
    const own = await DuckParser.open();
    const columns = Array.from({ length: 500 }, (_, i) => `${i} AS c${i}`).join();
    const asked = Array.from({ length: 20 }, () => own.maybeQueryTree(`SELECT ${columns}`));
    const settled = Promise.allSettled(asked);
    await asked[0];
    await own.close();
    const results = await settled;
    assert.equal(results[0]!.status, 'fulfilled');
    assert.ok(results.some(({ status }) => status === 'rejected'));
    await assert.rejects(own.countStatements('SELECT 1'), { code: 'LAKE_CANCELLED' });
  });
});

test('Requests that are planned while the role changes get an answer', async (t) => {
  const { role, change } = changingRole();
  const engine = await createRealEngine(t, { role });
  t.after(() => engine.close());
  await ask(engine, 'CREATE TABLE t AS SELECT 1 AS x');
  for (let i = 0; i < 6; i += 1) {
    const plans = Array.from({ length: 8 }, (_, j) =>
      engine.plan(`SELECT ${j}; SELECT x + ${i} FROM t; SELECT ${'1 + '.repeat(300)} 1`),
    );
    change(i % 2 === 0 ? 'reader' : 'writer');
    for (const { status, ...rest } of await Promise.allSettled(plans)) {
      if (status === 'fulfilled') continue;
      const { code } = (rest as { reason: { code: string } }).reason;
      assert.equal(code, 'LAKE_CATALOG');
    }
  }
});

/** A node whose role a test changes. */
function changingRole(): { readonly role: RoleSource; change: (to: LakeRole) => void } {
  const listeners = new Set<(role: LakeRole) => void>();
  let current: LakeRole = 'writer';
  return {
    role: {
      get role() {
        return current;
      },
      onRole: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      position: () => undefined,
      waitForPosition: () => Promise.resolve(),
    },
    change: (to) => {
      current = to;
      for (const listener of listeners) listener(to);
    },
  };
}
