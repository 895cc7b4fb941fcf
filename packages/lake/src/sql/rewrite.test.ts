import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rewriteDefinition, rewriteQuery } from './rewrite.ts';
import { splitStatements } from './split.ts';
import { maybeParseInstant } from './timestamps.ts';

function query(sql: string): string {
  return rewriteQuery(splitStatements(sql)[0]!);
}

function definition(sql: string): string {
  return rewriteDefinition(splitStatements(sql)[0]!);
}

const AT = `AT (TIMESTAMP => TIMESTAMPTZ '2022-01-01 20:01:01.999999+00')`;
const T = `'2022-01-01 20:01:01'`;

test('t(…) in FROM becomes AT, after the alias', () => {
  const cases: readonly (readonly [string, string])[] = [
    [`SELECT * FROM t(${T})`, `SELECT * FROM t ${AT}`],
    [`FROM s.t(${T}) AS x WHERE 1`, `FROM s.t AS x ${AT} WHERE 1`],
    [`FROM t(${T}) x (a, b), u(${T})`, `FROM t x (a, b) ${AT}, u ${AT}`],
    [`FROM a JOIN t(${T}) USING (k)`, `FROM a JOIN t ${AT} USING (k)`],
    [`SELECT (SELECT 1 FROM t(${T}))`, `SELECT (SELECT 1 FROM t ${AT})`],
    [`CREATE TABLE c AS FROM t(${T})`, `CREATE TABLE c AS FROM t ${AT}`],
  ];
  for (const [sql, expected] of cases) assert.equal(query(sql), expected);
});

test('calls that only look like it stay calls', () => {
  const calls = [
    `SELECT a, to_date(${T}) FROM t`,
    `SELECT extract(year FROM date(${T}))`,
    `SELECT trim(both FROM upper(${T}))`,
    `SELECT * FROM json_each('{"a": 1}')`,
    `SELECT * FROM t WHERE a > date(${T})`,
    `SELECT * FROM t ORDER BY 1, date(${T})`,
    `SELECT * FROM macro(${T}, 1)`,
  ];
  for (const sql of calls) assert.equal(query(sql), sql);
});

test('system tables and types of DataFusion get the names that DuckDB knows', () => {
  assert.equal(
    query('SELECT * FROM system.table_versions v'),
    'SELECT * FROM skein.system.table_versions v',
  );
  assert.equal(
    query('FROM system.information_schema.tables'),
    'FROM system.information_schema.tables',
  );
  assert.equal(
    definition('CREATE TABLE t (numeric NUMERIC, b DECIMAL(9, 2), c INT UNSIGNED NOT NULL)'),
    'CREATE TABLE t (numeric NUMERIC(38, 10), b DECIMAL(9, 2), c UINTEGER NOT NULL)',
  );
  const unchanged = 'CREATE TABLE t AS SELECT numeric FROM (SELECT 1 AS numeric)';
  assert.equal(definition(unchanged), unchanged);
});

test('maybeParseInstant() reads what Seafowl reads, in UTC', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['2022-01-01', '2022-01-01 00:00:00.999999+00'],
    ['2022-01-01 20:01:01', '2022-01-01 20:01:01.999999+00'],
    ['2022-01-01T20:01:01Z', '2022-01-01 20:01:01.999999+00'],
    ['2022-01-01 20:01:01 +02:00', '2022-01-01 18:01:01.999999+00'],
    ['2022-01-01T20:01:01.5-0130', '2022-01-01 21:31:01.500000+00'],
    ['Sat, 01 Jan 2022 20:01:01 +0000', '2022-01-01 20:01:01.999999+00'],
    ['2022-13-01', undefined],
    ['yesterday', undefined],
    ['1', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(maybeParseInstant(text), expected, text);
});
