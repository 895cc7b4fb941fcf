// The engine on a lake of its own: transactions, queues, snapshots, Seafowl's words, what ends a
// request early.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { tempDir } from '@skein/testkit';

import type { LakeError } from '../src/engine/errors.ts';
import { ask, rowsOf } from './ask.ts';
import { createRealEngine } from './real-engine.ts';

/** For tests that need nothing special: opening a lake takes a second. */
const shared = await createRealEngine({ after });
after(() => shared.close());

const ALLOW_ALL = {
  allowHosts: ['*'],
  allowPrivate: true,
  maxBytes: 1_000_000,
  timeoutMs: 30_000,
  allowFolders: [],
};

test('a request is all or nothing, and the error names its statement', async () => {
  const engine = shared;
  await ask(engine, 'CREATE OR REPLACE TABLE t (a INT)');
  const before = (await engine.snapshot()).id;
  const request =
    'INSERT INTO t VALUES (1); CREATE TABLE u (b INT); INSERT INTO nowhere VALUES (1)';
  await assert.rejects(ask(engine, request), { kind: 'plan', statementIndex: 2 });
  assert.equal((await engine.snapshot()).id, before);
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM t'), [[0]]);
  await assert.rejects(rowsOf(engine, 'FROM u'), { kind: 'plan' });

  const { rows, snapshot } = await ask(
    engine,
    'INSERT INTO t VALUES (1), (2); SELECT sum(a) FROM t',
  );
  assert.deepEqual(rows, [[3]]);
  assert.equal(snapshot.id, before + 1n);
});

test('an error within the data is thrown with its reason, also after the first rows', async () => {
  const engine = shared;
  await assert.rejects(
    rowsOf(engine, `SELECT CAST('x' AS INT) FROM range(3)`),
    /Could not convert/,
  );
  // Threads begin at different places: the first rows may or may not be there before it fails.
  const late = `SELECT CAST(CASE WHEN i = 2999999 THEN 'x' ELSE '1' END AS INT)
    FROM range(3000000) r(i)`;
  await assert.rejects(rowsOf(engine, late), { kind: 'execution' });
});

test('sixteen clients that insert into one table at once all succeed', async () => {
  const engine = shared;
  await ask(engine, 'CREATE OR REPLACE TABLE t (client INT, i INT)');
  const rounds = 4;
  await Promise.all(
    Array.from({ length: 16 }, async (_client, client) => {
      for (let i = 0; i < rounds; i += 1) {
        await ask(engine, 'INSERT INTO t VALUES (?, ?)', [client, i]);
        // Whoever has written sees it.
        const own = await ask(engine, 'SELECT count(*) FROM t WHERE client = ?', [client]);
        assert.deepEqual(own.rows, [[i + 1]]);
      }
    }),
  );
  const sums = await rowsOf(engine, 'SELECT count(*), count(DISTINCT client), sum(i) FROM t');
  assert.deepEqual(sums, [[16 * rounds, 16, 16 * 6]]);
});

test('a queue that is full refuses, and one that waits can be told to stop', async (t) => {
  const engine = await createRealEngine(t, { queuedWritesMax: 1 });
  t.after(() => engine.close());
  await ask(engine, 'CREATE OR REPLACE TABLE t (a HUGEINT)');
  // Behind what follows a definition, which takes a place in the queue.
  await ask(engine, 'DELETE FROM t');
  const slow = new AbortController();
  const second = new AbortController();
  const sums = 'SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)';
  const plans = await Promise.all(
    [`INSERT INTO t ${sums}`, 'INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (2)'].map((sql) =>
      engine.plan(sql),
    ),
  );
  const write = (index: number, signal?: AbortSignal): Promise<unknown> =>
    engine.execute(plans[index]!, { mayWrite: true, signal });
  const first = write(0, slow.signal);
  const waiting = write(1, second.signal);
  await assert.rejects(write(2), { kind: 'busy' });
  second.abort();
  await assert.rejects(waiting, { kind: 'cancelled' });
  slow.abort();
  await assert.rejects(first, { kind: 'cancelled' });
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM t'), [[0]]);
});

test('a query ends when its client goes away, and when its time is over', async (t) => {
  const engine = await createRealEngine(t, { connectionsMax: 2 });
  t.after(() => engine.close());
  const endless = 'SELECT count(*) FROM range(1000000) a(i), range(1000000) b(i) WHERE a.i <> b.i';
  const plan = await engine.plan(endless);
  const controller = new AbortController();
  const running = engine.execute(plan, { mayWrite: false, signal: controller.signal });
  const timed = engine.execute(plan, { mayWrite: false, timeoutMs: 200 });
  await assert.rejects(timed, { kind: 'timeout', code: 'LAKE_TIMEOUT' });
  controller.abort();
  await assert.rejects(running, { kind: 'cancelled' });
  // Both connections are free again, and one given back in the middle of its rows too.
  for (let i = 0; i < 5; i += 1) {
    const stream = await engine.execute(await engine.plan('FROM range(100000000)'), {
      mayWrite: false,
    });
    for await (const chunk of stream.chunks()) {
      assert.ok(chunk.rowCount > 0);
      break;
    }
    await stream.close();
  }
  assert.deepEqual(await rowsOf(engine, 'SELECT 1'), [[1]]);
});

test('requests that may only read do not write, whatever they say', async () => {
  const engine = shared;
  await ask(engine, 'CREATE OR REPLACE TABLE t (a INT)');
  for (const sql of [
    'INSERT INTO t VALUES (1)',
    'EXPLAIN ANALYZE INSERT INTO t VALUES (1)',
    'VACUUM',
  ]) {
    const plan = await engine.plan(sql);
    assert.equal(plan.isReadOnly, false, sql);
    await assert.rejects(engine.execute(plan, { mayWrite: false }), { kind: 'read-only' }, sql);
  }
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM t'), [[0]]);
});

test('plans say what is read and what may be cached', async () => {
  const engine = shared;
  await ask(
    engine,
    `CREATE OR REPLACE TABLE t (a INT); CREATE SCHEMA s; CREATE TABLE s.u (a INT);
     CREATE VIEW fixed AS SELECT a FROM t; CREATE VIEW clock AS SELECT now() AS n;
     CREATE VIEW behind AS SELECT * FROM clock; CREATE MACRO dice() AS random()`,
  );
  const cases: readonly (readonly [string, boolean, readonly string[]])[] = [
    ['SELECT 1', true, []],
    ['SELECT * FROM t JOIN s.u USING (a)', true, ['t', 's.u']],
    [
      'WITH q AS (SELECT * FROM t) SELECT * FROM q WHERE a IN (SELECT a FROM s.u)',
      true,
      ['t', 's.u'],
    ],
    ['SELECT * FROM fixed', true, ['fixed']],
    ['SELECT now()', false, []],
    ['SELECT current_date', false, []],
    ['SELECT * FROM clock', false, ['clock']],
    ['SELECT * FROM behind', false, ['behind']],
    ['SELECT dice()', false, []],
    ['SELECT random() FROM t', false, ['t']],
    ['SELECT * FROM t USING SAMPLE 1', false, ['t']],
    ['SELECT * FROM staging.x', false, ['staging.x']],
  ];
  for (const [sql, isDeterministic, tables] of cases) {
    const plan = await engine.plan(sql);
    assert.equal(plan.isReadOnly, true, sql);
    assert.equal(plan.isDeterministic, isDeterministic, sql);
    assert.deepEqual([...plan.tables].sort(), [...tables].sort(), sql);
  }
});

test('parameters by position and by name', async () => {
  const engine = shared;
  const { rows } = await ask(engine, 'SELECT ?, ?, ? LIMIT ?', ['x', 2 ** 40, null, 1]);
  assert.deepEqual(rows, [['x', 2 ** 40, null]]);
  const plan = await engine.plan('SELECT $a + $b AS c');
  const named = await engine.execute(plan, { mayWrite: false, parameters: { a: 1, b: 2 } });
  for await (const chunk of named.chunks()) assert.deepEqual(chunk.getRows(), [[3n]]);
  await assert.rejects(ask(engine, 'SELECT ?'), { kind: 'plan' });
});

test('time travel by t(…) and by AT, several versions in one query', async () => {
  const engine = shared;
  const first = await ask(engine, 'CREATE OR REPLACE TABLE t (a INT); INSERT INTO t VALUES (1)');
  const time = await rowsOf(engine, `SELECT max(snapshot_time)::VARCHAR FROM lake.snapshots()`);
  await ask(engine, 'INSERT INTO t VALUES (2)');
  const version = first.snapshot.id;
  assert.deepEqual(await rowsOf(engine, `SELECT a FROM t AT (VERSION => ${version})`), [[1]]);
  const instant = String(time[0]![0]).replace('+00', 'Z');
  assert.deepEqual(await rowsOf(engine, `SELECT x.a FROM t('${instant}') AS x`), [[1]]);
  const both = `SELECT (SELECT count(*) FROM t('${instant}')), (SELECT count(*) FROM public.t)`;
  assert.deepEqual(await rowsOf(engine, both), [[1, 2]]);
  await ask(engine, `CREATE TABLE copied AS SELECT * FROM public.t('${instant}') y WHERE y.a > 0`);
  assert.deepEqual(await rowsOf(engine, 'FROM copied'), [[1]]);
  await assert.rejects(rowsOf(engine, `FROM t('1999-01-01 00:00:00')`), { kind: 'execution' });
});

test('VACUUM of a table ends its own history only; of the lake, all of it', async () => {
  const engine = shared;
  await ask(engine, 'CREATE TABLE v1 (a INT)');
  await ask(engine, 'CREATE TABLE v2 (a INT)');
  for (let i = 0; i < 3; i += 1) {
    await ask(engine, 'INSERT INTO v1 VALUES (1)');
    await ask(engine, 'INSERT INTO v2 VALUES (1)');
  }
  const versions = `SELECT table_name, count(*) FROM system.table_versions
    WHERE table_name IN ('v1', 'v2') GROUP BY 1 ORDER BY 1`;
  assert.deepEqual(await rowsOf(engine, versions), [
    ['v1', 4],
    ['v2', 4],
  ]);
  await ask(engine, 'VACUUM TABLE v1');
  assert.deepEqual(await rowsOf(engine, versions), [
    ['v1', 1],
    ['v2', 4],
  ]);
  await ask(engine, 'VACUUM DATABASE default_database');
  assert.deepEqual(await rowsOf(engine, versions), [['v2', 1]]);
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM v1, v2'), [[9]]);
});

test('external tables come by HTTP and live in staging, unless their request fails', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/a.csv' }).end();
    else if (request.url === '/large') response.end('1\n'.repeat(1_000_000));
    else if (request.method === 'HEAD') response.writeHead(403).end();
    else if (request.url === '/a.csv') response.end('1,x,1995-07-01 00:30\n2,,\n');
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const engine = await createRealEngine(t, { externalTables: ALLOW_ALL });
  t.after(() => engine.close());
  const create = (name: string, path: string): string =>
    `CREATE EXTERNAL TABLE ${name} (a INT, b VARCHAR, c TIMESTAMP)
     STORED AS CSV LOCATION 'http://127.0.0.1:${port}${path}'`;

  await ask(engine, `${create('x', '/moved')}; CREATE TABLE t AS SELECT * FROM staging.x`);
  assert.deepEqual(await rowsOf(engine, 'SELECT a, b, c::VARCHAR FROM t ORDER BY a'), [
    [1, 'x', '1995-07-01 00:30:00'],
    [2, null, null],
  ]);
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM staging.x'), [[2]]);
  await assert.rejects(ask(engine, create('x', '/a.csv')), /already exists/);
  await ask(engine, 'DROP TABLE staging.x');
  await assert.rejects(rowsOf(engine, 'FROM staging.x'), { kind: 'plan' });

  await assert.rejects(ask(engine, `${create('y', '/a.csv')}; INSERT INTO nowhere VALUES (1)`));
  await assert.rejects(rowsOf(engine, 'FROM staging.y'), { kind: 'plan' });
  await assert.rejects(ask(engine, create('z', '/large')), { code: 'LAKE_FETCH' });
  await assert.rejects(ask(engine, create('z', '/missing')), /answered 404/);
  await assert.rejects(ask(engine, 'CREATE TABLE staging.q (a INT)'), { kind: 'forbidden' });
});

test('WASM functions are kept in the lake, and an endless one ends', async () => {
  const engine = shared;
  const create = (name: string, data: string, types: string[]): string =>
    `CREATE FUNCTION ${name} AS '${JSON.stringify({
      entrypoint: 'f',
      language: 'wasm',
      input_types: types,
      return_type: 'bigint',
      data,
      volatility: 'immutable',
    })}'`;
  await ask(engine, create('plus', wasmModule([0x20, 0, 0x20, 1, 0x7c]), ['bigint', 'bigint']));
  await ask(
    engine,
    create('endless', wasmModule([0x03, 0x40, 0x0c, 0, 0x0b, 0x42, 0]), ['bigint', 'bigint']),
  );
  assert.deepEqual(await rowsOf(engine, 'SELECT plus(40, 2), plus(NULL, 1)'), [[42, null]]);
  const sum = 'SELECT sum(plus(i, i)) FROM range(5000) r(i)';
  assert.deepEqual(await rowsOf(engine, sum), [[5000 * 4999]]);
  await assert.rejects(rowsOf(engine, 'SELECT endless(1, 2)'), /took too long/);
  assert.deepEqual(await rowsOf(engine, 'SELECT plus(1, 1)'), [[2]]);
  await assert.rejects(ask(engine, create('plus', wasmModule([0x20, 0]), ['bigint', 'bigint'])), {
    code: 'LAKE_FUNCTION',
  });
  await assert.rejects(ask(engine, create('bad', 'AAAA', [])), { code: 'LAKE_FUNCTION' });
  await ask(engine, 'DROP FUNCTION plus, endless');
  await assert.rejects(rowsOf(engine, 'SELECT plus(1, 1)'), { kind: 'plan' });
});

test('WASM functions with encoded values: every type goes there and back', async () => {
  const cases: readonly (readonly [string, string])[] = [
    ['text', `'Grüße, 🪿'`],
    ['text', `''`],
    ['boolean', 'true'],
    ['int', '-7'],
    ['bigint', '9223372036854775807'],
    ['double', '0.1'],
    ['date', `DATE '1969-07-20'`],
    ['timestamp', `TIMESTAMP '2022-01-01 20:01:01.123456'`],
  ];
  for (const [index, [type, value]] of cases.entries()) {
    const definition = {
      entrypoint: 'f',
      input_types: [type],
      return_type: type,
      data: echoModule(),
      volatility: 'immutable',
    };
    await ask(shared, `CREATE FUNCTION echo${index} AS '${JSON.stringify(definition)}'`);
    const sql = `SELECT echo${index}(${value}) IS NOT DISTINCT FROM ${value}, echo${index}(NULL)`;
    assert.deepEqual(await rowsOf(shared, sql), [[true, null]], type);
  }
});

/**
 * Gives back its first argument: the bytes after the five of the array's head, with their length
 * written over the last four of these.
 */
function echoModule(): string {
  const text = (name: string): number[] => [name.length, ...Buffer.from(name)];
  const section = (id: number, content: readonly number[]): number[] => [
    id,
    content.length,
    ...content,
  ];
  const exported = [
    [...text('memory'), 2, 0],
    [...text('alloc'), 0, 0],
    [...text('dealloc'), 0, 1],
    [...text('f'), 0, 2],
  ];
  const shifted = [0x20, 0, 0x41, 5, 0x6a];
  const length = [0x20, 0, 0x28, 2, 0, 0x41, 5, 0x6b];
  const bodies = [
    [0, 0x41, 0x80, 0x08, 0x0b],
    [0, 0x0b],
    [0, ...shifted, ...length, 0x36, 2, 0, ...shifted, 0x0b],
  ];
  const bytes = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, [2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 0]),
    section(3, [3, 0, 1, 0]),
    section(5, [1, 0, 1]),
    section(7, [exported.length, ...exported.flat()]),
    section(10, [bodies.length, ...bodies.flatMap((body) => [body.length, ...body])]),
  ];
  return Buffer.from(bytes.flat()).toString('base64');
}

/** `(func (export "f") (param i64 i64) (result i64) …)`. */
function wasmModule(body: readonly number[]): string {
  const code = [0, ...body, 0x0b];
  const bytes = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    [1, 7, 1, 0x60, 2, 0x7e, 0x7e, 1, 0x7e],
    [3, 2, 1, 0],
    [7, 5, 1, 1, 0x66, 0, 0],
    [10, code.length + 2, 1, code.length, ...code],
  ];
  return Buffer.from(bytes.flat()).toString('base64');
}

test('uploads: a new table, columns by name, casts, files without a header', async (t) => {
  const folder = tempDir(t);
  const engine = await createRealEngine(t, { scratchFolder: folder });
  t.after(() => engine.close());
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const target = { schema: 'uploads', table: 'T 1' };
  const first = file('a', 'a,b\n1,x\n2,y\n');
  const made = await engine.ingest({ path: first, format: 'csv' }, target);
  assert.equal(made.rowsChanged, 2);
  const second = file('b', 'b,c,a\nz,9,3.0\n');
  await engine.ingest({ path: second, format: 'csv' }, target);
  assert.deepEqual(await rowsOf(engine, 'SELECT a, b FROM uploads."T 1" ORDER BY a'), [
    [1, 'x'],
    [2, 'y'],
    [3, 'z'],
  ]);
  const bare = file('c', '1,2\n');
  await engine.ingest(
    { path: bare, format: 'csv', hasHeader: false },
    { schema: 'public', table: 'n' },
  );
  assert.deepEqual(await rowsOf(engine, 'SELECT column_1, column_2 FROM n'), [[1, 2]]);
  const schema = {
    fields: [
      { name: 'k', data_type: 'Utf8' },
      { name: 'v', data_type: { Decimal128: [9, 2] } },
    ],
  };
  await engine.ingest(
    { path: bare, format: 'csv', hasHeader: false, schema },
    { schema: 'public', table: 'typed' },
  );
  assert.deepEqual(await rowsOf(engine, 'SELECT k, v::VARCHAR FROM typed'), [['1', '2.00']]);
  const bad = file('d', 'a\nnot a number\n');
  await assert.rejects(engine.ingest({ path: bad, format: 'csv' }, target), /Could not convert/);
  assert.deepEqual(await rowsOf(engine, 'SELECT count(*) FROM uploads."T 1"'), [[3]]);
});

test('a write that the disk does not take is told without its folders', async (t) => {
  const folder = tempDir(t);
  const dataPath = join(folder, 'data');
  const engine = await createRealEngine(t, { dataPath: `${dataPath}/` });
  t.after(() => engine.close());
  writeFileSync(dataPath, 'where a folder should be');
  const isTold = ({ kind, message }: LakeError): boolean =>
    kind === 'unavailable' && message.includes('…/') && !message.includes(folder);
  await assert.rejects(ask(engine, 'CREATE TABLE big AS FROM range(100000)'), isTold);
  assert.deepEqual(await rowsOf(engine, 'SHOW TABLES'), []);
});

test('the catalog described: schemas, columns, views, versions', async (t) => {
  const engine = await createRealEngine(t);
  t.after(() => engine.close());
  await ask(engine, 'CREATE OR REPLACE TABLE t (a INT NOT NULL, b VARCHAR)');
  await ask(engine, 'INSERT INTO t VALUES (1, NULL)');
  await ask(engine, 'CREATE VIEW v AS SELECT a FROM t');
  const { schemas } = await engine.describeCatalog();
  const tables = schemas.find(({ name }) => name === 'public')!.tables;
  assert.deepEqual(
    tables.map(({ name, kind, versions }) => [name, kind, versions.length]),
    [
      ['t', 'table', 2],
      ['v', 'view', 0],
    ],
  );
  assert.deepEqual(tables[0]!.columns, [
    { name: 'a', type: 'INTEGER', isNullable: false },
    { name: 'b', type: 'VARCHAR', isNullable: true },
  ]);
});

test('positions: reached at once, waited for in vain, malformed', async () => {
  const engine = shared;
  const { position, snapshot } = await ask(engine, 'CREATE OR REPLACE TABLE t (a INT)');
  await engine.waitFor(position, { timeoutMs: 10_000 });
  const later = String(snapshot.id + 1n);
  await assert.rejects(engine.waitFor(later, { timeoutMs: 50 }), { code: 'POSITION_TIMEOUT' });
  const waiting = engine.waitFor(later, { timeoutMs: 60_000 });
  await ask(engine, 'INSERT INTO t VALUES (1)');
  await waiting;
  await assert.rejects(engine.waitFor('x', { timeoutMs: 50 }), { code: 'LAKE_POSITION' });
});
