// S: statements, as far as a client of Seafowl knows them.

import assert from 'node:assert/strict';

import { conforms, type Target } from './target.ts';

/** (param i32 i32) (result i32): the sum. */
const ADD_WASM = 'AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=';

const fails = async (lake: Target, sql: string, expected: RegExp): Promise<void> => {
  const answer = await lake.write(sql);
  assert.ok(answer.status === 400 || answer.status === 403, `${answer.status} ${sql}`);
  assert.match(answer.text, expected, sql);
};

export function checkStatements(target: () => Target): void {
  conforms('S-01', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT,
      f FLOAT, g REAL, h DOUBLE, i VARCHAR, j TEXT, k NUMERIC(10,2), l DECIMAL, m DATE, n TIME,
      o TIMESTAMP, p BYTEA, q STRING)`);
    await lake.run(`INSERT INTO ${table} (a, f, h, l, o) VALUES (true, 0.1, 42, 1, '2022-01-01')`);
    const { text } = await lake.query(`SELECT a, f, h, l, o FROM ${table}`);
    assert.equal(text, '{"a":true,"f":0.1,"h":42.0,"l":1.0000000000,"o":"2022-01-01T00:00:00"}\n');
  });
  conforms('S-02', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS WITH x AS (SELECT 1 AS a) SELECT * FROM x ORDER BY a`);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), [{ a: 1 }]);
    const broken = lake.name();
    await fails(lake, `CREATE TABLE ${broken} AS SELECT 'no'::INT AS x`, /no/);
    assert.equal((await lake.query(`SELECT * FROM ${broken}`)).status, 400);
  });
  conforms('S-03', target, async (lake) => {
    const [from, to, taken] = [lake.name(), lake.name(), lake.name()];
    await lake.run(`CREATE TABLE ${from} AS SELECT 1 AS a; CREATE TABLE ${taken} (x INT)`);
    await lake.run(`ALTER TABLE ${from} RENAME TO ${to}`);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${to}`), [{ a: 1 }]);
    await fails(lake, `ALTER TABLE ${to} RENAME TO ${taken}`, /already exists/i);
  });
  conforms('S-04', target, async (lake) => {
    const [table, schema] = [lake.name(), lake.name()];
    await lake.run(`CREATE SCHEMA ${schema}; CREATE TABLE ${table} AS SELECT 1 AS a`);
    await fails(
      lake,
      `ALTER TABLE ${table} RENAME TO ${schema}.moved`,
      /cannot be moved to the schema/,
    );
    await lake.run(`CREATE TABLE ${schema}.moved AS FROM ${table}; DROP TABLE ${table}`);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${schema}.moved`), [{ a: 1 }]);
    assert.equal((await lake.query(`SELECT * FROM ${table}`)).status, 400);
  });
  conforms('S-05', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (x INT)`);
    await lake.run(`DROP TABLE ${table}`);
    await fails(lake, `DROP TABLE ${table}`, /does not exist|doesn't exist/);
    await lake.run(`DROP TABLE IF EXISTS ${table}`);
  });
  conforms('S-06', target, async (lake) => {
    const schema = lake.name();
    await lake.run(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.t AS SELECT 1 AS a`);
    await lake.run(`DROP SCHEMA ${schema}`);
    assert.equal((await lake.query(`SELECT * FROM ${schema}.t`)).status, 400);
    await lake.run(`DROP SCHEMA IF EXISTS ${schema}`);
  });
  checkNames(target);
  checkVersions(target);
  checkRowsThatChange(target);
}

function checkNames(target: () => Target): void {
  conforms('S-07', target, async (lake) => {
    const body = JSON.stringify({ query: 'SELECT 1 AS x' });
    const other = await lake.get('/no_such_database/q', { method: 'POST', body });
    assert.equal(other.status, 400);
    assert.match(other.text, /Catalog "no_such_database" doesn't exist/);
    const named = await lake.get('/default/q', { method: 'POST', body });
    assert.deepEqual(named.rows, [{ x: 1 }]);
    // One lake is one database: what Seafowl's users make databases for are schemas here.
    await fails(lake, 'CREATE DATABASE other', /./);
  });
  conforms('S-08', target, async (lake) => {
    await fails(lake, 'CREATE TABLE staging.t (x INT)', /staging/);
    await fails(lake, 'DROP SCHEMA staging', /staging/);
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (x INT)`);
    await fails(lake, `ALTER TABLE ${table} RENAME TO staging.x`, /staging/);
  });
  conforms('S-09', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (a INT, b TEXT)`);
    const columns = await lake.rows(`SELECT column_name FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name = '${table}' ORDER BY ordinal_position`);
    assert.deepEqual(columns, [{ column_name: 'a' }, { column_name: 'b' }]);
    const tables = await lake.rows(`SELECT table_schema FROM information_schema.tables
      WHERE table_name = '${table}'`);
    assert.deepEqual(tables, [{ table_schema: 'public' }]);
  });
}

function checkVersions(target: () => Target): void {
  conforms('S-10', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS x`);
    await lake.run(`INSERT INTO ${table} VALUES (2)`);
    const versions = await lake.rows(`SELECT table_schema, table_name FROM system.table_versions
      WHERE table_name = '${table}'`);
    assert.equal(versions.length, 2);
    assert.deepEqual(versions[0], { table_schema: 'public', table_name: table });
  });
  const timesOf = async (lake: Target, table: string): Promise<string> => {
    const rows = (await lake.rows(`SELECT now()::TIMESTAMP AS x`)) as readonly { x: string }[];
    // The next version is of a later moment; times of the first one are before this.
    const [{ x }] = rows as [{ x: string }];
    await lake.run(`INSERT INTO ${table} VALUES (2)`);
    return `${x}Z`;
  };
  conforms('S-11', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS x`);
    const time = await timesOf(lake, table);
    assert.deepEqual(await lake.rows(`SELECT x FROM ${table}('${time}')`), [{ x: 1 }]);
    const both = `SELECT (SELECT count(*) FROM ${table}('${time}')) AS old,
      (SELECT count(*) FROM public.${table}) AS new`;
    assert.deepEqual(await lake.rows(both), [{ old: 1, new: 2 }]);
  });
  conforms('S-12', target, async (lake) => {
    const [table, copy] = [lake.name(), lake.name()];
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS x`);
    const time = await timesOf(lake, table);
    await lake.run(`CREATE TABLE ${copy} AS SELECT x FROM ${table}('${time}')`);
    await lake.run(`INSERT INTO ${copy} SELECT x + 10 FROM ${table}('${time}')`);
    assert.deepEqual(await lake.rows(`SELECT x FROM ${copy} ORDER BY x`), [{ x: 1 }, { x: 11 }]);
  });
  conforms('S-13', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS x; INSERT INTO ${table} VALUES (2)`);
    await lake.run(`VACUUM TABLE ${table}`);
    assert.deepEqual(await lake.rows(`SELECT count(*) AS n FROM ${table}`), [{ n: 2 }]);
  });
  conforms('S-14', target, async (lake) => {
    // Nowhere, unless a folder is configured for it.
    const answer = await lake.write("COPY (SELECT 1 AS x) TO '/etc/skein.parquet'");
    assert.ok(answer.status === 400 || answer.status === 403, answer.text);
  });
  conforms('S-15', target, async (lake) => {
    const name = `add_${lake.name()}`;
    const details = JSON.stringify({
      entrypoint: 'add',
      language: 'wasm',
      input_types: ['int', 'int'],
      return_type: 'int',
      data: ADD_WASM,
    });
    await lake.run(`CREATE FUNCTION ${name} AS '${details}'`);
    assert.deepEqual(await lake.rows(`SELECT ${name}(40, 2) AS x`), [{ x: 42 }]);
    await lake.run(`DROP FUNCTION ${name}`);
  });
}

function checkRowsThatChange(target: () => Target): void {
  conforms('S-16', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (a INT, b INT, c TEXT)`);
    await lake.run(`INSERT INTO ${table} (c, a) VALUES ('x', 1)`);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), [{ a: 1, b: null, c: 'x' }]);
  });
  conforms('S-17', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS SELECT i AS a FROM range(3) t(i)`);
    await lake.run(`UPDATE ${table} SET a = a + 10 WHERE a = 1`);
    await lake.run(`UPDATE ${table} SET a = a * 2`);
    const rows = await lake.rows(`SELECT a FROM ${table} ORDER BY a`);
    assert.deepEqual(rows, [{ a: 0 }, { a: 4 }, { a: 22 }]);
  });
  conforms('S-18', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (a INT); INSERT INTO ${table} VALUES (1), (NULL), (3)`);
    await lake.run(`DELETE FROM ${table} WHERE a > 2`);
    assert.deepEqual(await lake.rows(`SELECT a FROM ${table} ORDER BY a NULLS LAST`), [
      { a: 1 },
      { a: null },
    ]);
  });
  conforms('S-19', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS a`);
    await lake.run(`TRUNCATE TABLE ${table}`);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), []);
  });
  conforms('S-20', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS a`);
    await lake.run(`CREATE TABLE IF NOT EXISTS ${table} (b INT)`);
    await lake.run(`CREATE SCHEMA IF NOT EXISTS public`);
    await fails(lake, `CREATE TABLE ${table} (b INT)`, /already exists/i);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), [{ a: 1 }]);
    await lake.run(`CREATE OR REPLACE TABLE ${table} AS SELECT 2 AS b`);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), [{ b: 2 }]);
  });
}
