// No statement of a client reads or writes a file, a variable of the environment, a setting, a
// network address or the catalog itself. Each hostile statement stands beside what it must not be
// confused with: statements that use the same words for honest work.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '@skein/testkit';

import { LakeError } from '../src/engine/errors.ts';
import type { LakeEngine } from '../src/engine/ports.ts';
import { ask } from './ask.ts';
import { createRealEngine } from './real-engine.ts';

const SECRET = 'a secret of the machine';
const REFUSALS: ReadonlySet<string> = new Set(['forbidden', 'plan', 'parse']);

interface Bait {
  readonly folder: string;
  readonly sqlite: string;
  readonly csv: string;
}

/** `$S` is a SQLite file, `$C` a CSV file, `$F` a folder that nobody may write. */
const HOSTILE: readonly string[] = [
  // Files, by functions.
  `SELECT * FROM sqlite_scan('$S', 'secrets')`,
  `SELECT * FROM SQLITE_SCAN('$S', 'secrets')`,
  `SELECT * FROM "sqlite_scan"('$S', 'secrets')`,
  `SELECT * FROM sqlite_scan /* x */ ('$S', 'secrets')`,
  `SELECT * FROM sqlite_scan\u00a0('$S', 'secrets')`,
  `SELECT * FROM sqlite_scan\u200b('$S', 'secrets')`,
  `SELECT * FROM system.main.sqlite_scan('$S', 'secrets')`,
  `WITH x AS (SELECT * FROM sqlite_scan('$S', 'secrets')) SELECT * FROM x`,
  `SELECT (SELECT max(secret) FROM sqlite_scan('$S', 'secrets'))`,
  `SELECT * FROM t WHERE a IN (SELECT 1 FROM sqlite_scan('$S', 'secrets'))`,
  `EXPLAIN SELECT * FROM sqlite_scan('$S', 'secrets')`,
  `EXPLAIN ANALYZE SELECT * FROM sqlite_scan('$S', 'secrets')`,
  `CREATE TABLE stolen AS SELECT * FROM sqlite_scan('$S', 'secrets')`,
  `CREATE VIEW stolen AS SELECT * FROM sqlite_scan('$S', 'secrets')`,
  `CREATE MACRO stolen() AS TABLE SELECT * FROM sqlite_scan('$S', 'secrets')`,
  `CREATE MACRO stolen(f) AS TABLE SELECT * FROM read_text(f)`,
  `INSERT INTO t SELECT 1 FROM sqlite_scan('$S', 'secrets')`,
  `UPDATE t SET a = (SELECT 1 FROM sqlite_scan('$S', 'secrets'))`,
  `DELETE FROM t WHERE a = (SELECT 1 FROM sqlite_scan('$S', 'secrets'))`,
  `MERGE INTO t USING (SELECT 1 AS a FROM sqlite_scan('$S', 'secrets')) n ON t.a = n.a
     WHEN MATCHED THEN DELETE`,
  `SELECT * FROM sqlite_query('$S', 'SELECT * FROM secrets')`,
  `CALL sqlite_attach('$S')`,
  `SELECT * FROM query('SELECT * FROM sqlite_scan(''$S'', ''secrets'')')`,
  `SELECT * FROM query_table('duckdb_settings')`,
  `SELECT json_serialize_plan('SELECT * FROM sqlite_scan(''$S'', ''secrets'')')`,
  `SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))`,
  `PRAGMA json_execute_serialized_sql('{}')`,
  `SELECT * FROM read_csv('$C')`,
  `SELECT * FROM read_csv_auto('$C')`,
  `SELECT * FROM read_text('/etc/hostname')`,
  `SELECT * FROM read_blob('/etc/hostname')`,
  `SELECT * FROM read_json('$C')`,
  `SELECT * FROM read_parquet('$F/x.parquet')`,
  `SELECT * FROM parquet_metadata('$F/x.parquet')`,
  `SELECT * FROM sniff_csv('$C')`,
  `SELECT * FROM glob('/etc/*')`,
  `SELECT * FROM arrow_scan(1, 2, 3)`,
  `SELECT * FROM seq_scan('t')`,
  // Files, as tables.
  `SELECT * FROM '$C'`,
  `FROM '$C'`,
  `FROM "$C"`,
  `SELECT * FROM t JOIN '$C' ON true`,
  `SELECT * FROM t, '$C'`,
  `SELECT * FROM t, "$C"`,
  `INSERT INTO t SELECT 1 FROM u, '$C'`,
  `CREATE TABLE stolen AS SELECT 1 FROM u, "$C"`,
  `SELECT * FROM 's3://bucket/x.parquet'`,
  `SELECT * FROM 'http://127.0.0.1:9/x.csv'`,
  `SUMMARIZE '$C'`,
  `DESCRIBE '$C'`,
  `CREATE VIEW files AS FROM '$C'`,
  `CREATE MACRO files() AS TABLE SELECT * FROM '$C'`,
  // Statements that are not for clients.
  `ATTACH '$S' AS other (TYPE sqlite)`,
  `ATTACH 'ducklake:sqlite:$S' AS other`,
  `ATTACH ':memory:' AS other`,
  `DETACH lake`,
  `USE memory`,
  `COPY t TO '$F/out.csv'`,
  `COPY (SELECT 1) TO '$F/out.parquet'`,
  `COPY t FROM '$C'`,
  `COPY FROM DATABASE lake TO memory`,
  `EXPORT DATABASE '$F'`,
  `IMPORT DATABASE '$F'`,
  `INSTALL httpfs`,
  `LOAD httpfs`,
  `UPDATE EXTENSIONS`,
  `SET enable_external_access = true`,
  `SET GLOBAL memory_limit = '1TB'`,
  `RESET memory_limit`,
  `SET VARIABLE x = 1`,
  `PRAGMA database_list`,
  `PRAGMA enable_profiling`,
  `CHECKPOINT`,
  `BEGIN`,
  `COMMIT`,
  `ROLLBACK`,
  `PREPARE p AS SELECT 1`,
  `EXECUTE p`,
  `CALL lake.set_option('parquet_compression', 'snappy')`,
  `CALL ducklake_expire_snapshots('lake', older_than => now())`,
  `CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')`,
  `CREATE OR REPLACE TEMP TABLE x (a INT)`,
  `CREATE TEMPORARY VIEW x AS SELECT 1`,
  `CREATE TABLE memory.main.x (a INT)`,
  `CREATE TABLE temp.x (a INT)`,
  `CREATE TABLE staging.x (a INT)`,
  `CREATE SCHEMA memory.x`,
  `DROP SCHEMA staging`,
  `DROP TABLE skein.system.table_versions`,
  `CREATE OR REPLACE MACRO skein.main.nvl(a, b) AS 1`,
  `CREATE TYPE mood AS ENUM ('a')`,
  `CREATE SEQUENCE s`,
  `CREATE INDEX i ON t (a)`,
  `INSERT INTO staging.x VALUES (1)`,
  // The catalog, and what DuckLake has for those who keep it.
  `SELECT * FROM __ducklake_metadata_lake.ducklake_table`,
  `SELECT * FROM "__ducklake_metadata_lake".ducklake_table`,
  `SELECT * FROM "__DUCKLAKE_METADATA_LAKE".main.ducklake_snapshot`,
  `DELETE FROM __ducklake_metadata_lake.ducklake_snapshot`,
  `DROP TABLE __ducklake_metadata_lake.ducklake_snapshot`,
  `CREATE TABLE __ducklake_metadata_lake.main.x (a INT)`,
  `SELECT * FROM sqlite_master`,
  `SELECT * FROM skein_functions.functions`,
  `INSERT INTO lake.skein_functions.functions VALUES ('f', '{}')`,
  `SELECT * FROM ducklake_list_files('lake', 't')`,
  `SELECT * FROM ducklake_options('lake')`,
  `SELECT * FROM lake.set_option('x', 1)`,
  `SELECT * FROM ducklake_flush_inlined_data('lake')`,
  `SELECT * FROM ducklake_cleanup_old_files('lake', cleanup_all => true)`,
  `SELECT * FROM ducklake_delete_orphaned_files('lake', cleanup_all => true)`,
  `SELECT * FROM ducklake_add_data_files('lake', 't', '$C')`,
  // What the server is.
  `SELECT * FROM duckdb_settings()`,
  `SELECT * FROM duckdb_secrets()`,
  `SELECT * FROM duckdb_databases()`,
  `SELECT * FROM duckdb_logs()`,
  `SELECT * FROM duckdb_temporary_files()`,
  `SELECT * FROM duckdb_extensions()`,
  `SELECT current_setting('temp_directory')`,
  `SELECT 'temp_directory'.current_setting()`,
  `SELECT getenv('HOME')`,
  `SELECT getvariable('x')`,
  `SELECT write_log('x')`,
  `SELECT sleep_ms(100000)`,
  `SELECT pg_sleep(1000)`,
  `SELECT nextval('s')`,
  // Ways to write names.
  `SELECT * FROM U&"\\0073qlite_scan"('$S', 'secrets')`,
  `SELECT 1 /* /* */ ; ATTACH '$S' AS other */; ATTACH '$S' AS other`,
  `SELECT 'it''s'; ATTACH '$S' AS other`,
  `SELECT $$;$$; ATTACH '$S' AS other`,
  `SELECT E'\\'' ; ATTACH '$S' AS other; --'`,
  // External tables.
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'`,
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'file:///etc/passwd'`,
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'file://server/etc/passwd'`,
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '$C'`,
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '../../etc/passwd'`,
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'ftp://example.com/x.csv'`,
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'http://user:pw@example.com/x.csv'`,
  `CREATE EXTERNAL TABLE public.x STORED AS CSV LOCATION 'https://example.com/x.csv'`,
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 's3://bucket/x.csv'`,
  `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 's3://../x.csv' OPTIONS (skip_signature true)`,
];

/** Addresses that a public policy must not reach: every host is allowed, private ones are not. */
const HOSTILE_ADDRESSES: readonly string[] = [
  'http://127.0.0.1/x.csv',
  'http://127.1/x.csv',
  'http://0x7f000001/x.csv',
  'http://2130706433/x.csv',
  'http://0177.0.0.1/x.csv',
  'http://localhost/x.csv',
  'http://0.0.0.0/x.csv',
  'http://10.0.0.1/x.csv',
  'http://172.16.0.1/x.csv',
  'http://192.168.0.1/x.csv',
  'http://100.64.0.1/x.csv',
  'http://169.254.169.254/latest/meta-data/',
  'http://[::1]/x.csv',
  'http://[::]/x.csv',
  'http://[::ffff:127.0.0.1]/x.csv',
  'http://[::ffff:7f00:1]/x.csv',
  'http://[64:ff9b::7f00:1]/x.csv',
  'http://[2002:7f00:1::]/x.csv',
  'http://[fe80::1]/x.csv',
  'http://[fd00:ec2::254]/x.csv',
  'http://224.0.0.1/x.csv',
  'http://255.255.255.255/x.csv',
  'http://198.18.0.1/x.csv',
];

const HONEST: readonly string[] = [
  `SELECT 'sqlite_scan(x)' AS s`,
  `SELECT 1 AS seq_scan, 2 AS query`,
  `SELECT 1 AS "report.csv", 'a' AS "km/h" WHERE 'https://x/y.csv' IN ('a', 'b.csv')`,
  `SELECT "query" FROM (SELECT 1 AS "query")`,
  `SELECT 'a''b;c' AS s, $$;$$ AS d, E'\\'' AS e`,
  `SELECT 1 -- ; ATTACH 'x'`,
  `SELECT /* ; /* nested */ */ 1`,
  `VALUES (1, 'x'), (2, 'y')`,
  `FROM t`,
  `TABLE t`,
  `SELECT * FROM t ORDER BY a LIMIT 1 OFFSET 0`,
  `SELECT count(*), sum(a), avg(a), min(b), max(b) FROM t`,
  `SELECT b, count(*) FROM t GROUP BY ALL HAVING count(*) > 0 ORDER BY ALL`,
  `SELECT a, row_number() OVER (ORDER BY a), lag(a) OVER (ORDER BY a) FROM t`,
  `SELECT sum(a) OVER (PARTITION BY b ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t`,
  `SELECT a FROM t QUALIFY row_number() OVER (PARTITION BY b ORDER BY a) = 1`,
  `WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r`,
  `WITH q AS MATERIALIZED (SELECT * FROM t) SELECT * FROM q x JOIN q y USING (a)`,
  `SELECT * FROM t x LEFT JOIN u y ON x.a = y.a`,
  `SELECT * FROM t x FULL JOIN u y ON x.a = y.a`,
  `SELECT * FROM t x JOIN u y ON x.a < y.a`,
  `SELECT * FROM t x ASOF JOIN u y ON x.a >= y.a`,
  `SELECT * FROM t x SEMI JOIN u y ON x.a = y.a`,
  `SELECT * FROM t x ANTI JOIN u y ON x.a = y.a`,
  `SELECT * FROM t x POSITIONAL JOIN u y`,
  `SELECT * FROM t CROSS JOIN u`,
  `SELECT * FROM t, LATERAL (SELECT t.a + 1 AS z)`,
  `SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)`,
  `SELECT * FROM t WHERE a IN (SELECT a FROM u) OR a NOT IN (SELECT a FROM u WHERE a IS NOT NULL)`,
  `SELECT (SELECT max(a) FROM u WHERE u.a <= t.a) FROM t`,
  `SELECT a FROM t UNION SELECT a FROM u`,
  `SELECT a FROM t UNION ALL BY NAME SELECT a FROM u`,
  `SELECT a FROM t INTERSECT SELECT a FROM u`,
  `SELECT a FROM t EXCEPT SELECT a FROM u`,
  `SELECT b, sum(a) FROM t GROUP BY ROLLUP (b)`,
  `SELECT DISTINCT ON (b) * FROM t ORDER BY b, a`,
  `SELECT unnest([1, 2, 3]), unnest({'a': 1})`,
  `SELECT * FROM unnest([1, 2, 3])`,
  `SELECT * FROM range(5) r(i), generate_series(1, 2)`,
  `SELECT * FROM json_each('{"a": 1}')`,
  `SELECT [x + 1 FOR x IN [1, 2, 3] IF x > 1], list_transform([1], lambda x: x + 1)`,
  `SELECT CAST('2020-01-01' AS DATE), date_trunc('month', TIMESTAMP '2020-01-05 10:00:00')`,
  `SELECT regexp_replace('abc', 'b', 'x'), 'abc' ILIKE 'A%', 'a' SIMILAR TO '[a-z]'`,
  `SELECT approx_quantile(a, 0.5), quantile_cont(a, 0.5), median(a), mode(b) FROM t`,
  `SELECT string_agg(b, ',' ORDER BY a) FILTER (WHERE a > 0) FROM t`,
  `FROM (PIVOT t ON b IN ('x', 'y') USING sum(a))`,
  `UNPIVOT (SELECT 1 AS p, 2 AS q) ON p, q`,
  `SELECT * FROM t TABLESAMPLE reservoir(1 ROWS)`,
  `SELECT * FROM t USING SAMPLE 50 PERCENT (bernoulli)`,
  `SELECT COLUMNS('a|b') FROM t`,
  `SELECT * EXCLUDE (a) REPLACE (upper(b) AS b) FROM t`,
  `SELECT a FROM t LIMIT 50%`,
  `DESCRIBE t`,
  `SUMMARIZE t`,
  `SHOW TABLES`,
  `SHOW ALL TABLES`,
  `EXPLAIN SELECT * FROM t`,
  `EXPLAIN ANALYZE SELECT * FROM t`,
  `SELECT table_name FROM information_schema.tables`,
  `SELECT column_name FROM information_schema.columns WHERE table_name = 't'`,
  `SELECT * FROM duckdb_tables()`,
  `SELECT * FROM pragma_table_info('t')`,
  `SELECT * FROM lake.snapshots()`,
  `SELECT * FROM lake.current_snapshot()`,
  `SELECT * FROM lake.table_info()`,
  `SELECT * FROM lake.table_changes('t', 4, 4)`,
  `SELECT * FROM system.table_versions`,
  `SELECT * FROM system.dropped_tables`,
  `SELECT * FROM t('2090-01-01 00:00:00')`,
  `SELECT nvl(NULL, 1), approx_distinct(a), date_bin(INTERVAL 1 DAY, now()) FROM t GROUP BY ALL`,
  `INSERT INTO t (a, b) VALUES (3, 'z')`,
  `INSERT INTO t BY NAME SELECT 4 AS a`,
  `INSERT INTO t SELECT a + 10, b FROM t`,
  `WITH n AS (SELECT 50 AS a) INSERT INTO t (a) SELECT a FROM n`,
  `UPDATE t SET b = 'w' WHERE a = 3`,
  `UPDATE t SET b = u.b FROM u WHERE u.a = t.a`,
  `DELETE FROM t WHERE a > 40`,
  `DELETE FROM t USING u WHERE u.a = t.a AND t.a > 1000`,
  `MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = u.b
     WHEN NOT MATCHED THEN INSERT VALUES (u.a, u.b)`,
  `CREATE TABLE query (seq_scan INT, read_text VARCHAR)`,
  `INSERT INTO query (seq_scan, read_text) VALUES (1, 'x')`,
  `CREATE TABLE temp (a INT)`,
  `SELECT temp.a FROM temp`,
  `DROP TABLE temp`,
  `CREATE OR REPLACE TABLE made AS SELECT * FROM t WITH NO DATA`,
  `CREATE TABLE IF NOT EXISTS typed (a NUMERIC, b INT UNSIGNED, c STRUCT(x INT), d VARCHAR[],
     e MAP(VARCHAR, INT), f TIMESTAMP, g UUID DEFAULT NULL, h DOUBLE NOT NULL)`,
  `CREATE SCHEMA extra`,
  `CREATE TABLE extra.json AS SELECT 1 AS a`,
  `SELECT * FROM extra.json`,
  `CREATE TABLE extra.x (a INT)`,
  `CREATE VIEW shown AS SELECT a, b FROM t WHERE a > 0`,
  `SELECT * FROM shown`,
  `CREATE MACRO plus_one(x) AS x + 1`,
  `CREATE MACRO above(n) AS TABLE SELECT * FROM t WHERE a > n`,
  `SELECT plus_one(a) FROM above(0)`,
  `CREATE FUNCTION plus_two(x) AS x + 2`,
  `DROP FUNCTION plus_two`,
  `ALTER TABLE made ADD COLUMN c DOUBLE`,
  `ALTER TABLE made RENAME COLUMN c TO d`,
  `ALTER TABLE made ALTER a TYPE BIGINT`,
  `ALTER TABLE made SET PARTITIONED BY (b)`,
  `ALTER TABLE made SET SORTED BY (a ASC)`,
  `INSERT INTO made SELECT a, b, 1.5 FROM t`,
  `ALTER TABLE made RENAME TO made_again`,
  `COMMENT ON TABLE t IS 'read_csv(''x.csv'')'`,
  `TRUNCATE TABLE made_again`,
  `DROP TABLE made_again`,
  `DROP SCHEMA extra CASCADE`,
  `VACUUM`,
];

async function createBaitedEngine(
  t: Parameters<typeof createRealEngine>[0],
): Promise<{ readonly engine: LakeEngine; readonly bait: Bait }> {
  const folder = tempDir(t);
  const bait = {
    folder: join(folder, 'forbidden'),
    sqlite: join(folder, 'other.db'),
    csv: join(folder, 'other.csv'),
  };
  mkdirSync(bait.folder);
  writeFileSync(bait.csv, `secret\n${SECRET}\n`);
  const other = new DatabaseSync(bait.sqlite);
  other.exec(`CREATE TABLE secrets AS SELECT '${SECRET}' AS secret`);
  other.close();
  const engine = await createRealEngine(t, {
    externalTables: {
      allowHosts: ['*'],
      allowPrivate: false,
      maxBytes: 1_000_000,
      timeoutMs: 10_000,
      allowFolders: [],
    },
  });
  t.after(() => engine.close());
  await ask(
    engine,
    `CREATE TABLE t (a INT, b VARCHAR); INSERT INTO t VALUES (1, 'x'), (2, 'y');
     CREATE TABLE u (a INT, b VARCHAR); INSERT INTO u VALUES (1, 'p'), (5, 'q')`,
  );
  return { engine, bait };
}

function withBait(sql: string, bait: Bait): string {
  return sql.replaceAll('$S', bait.sqlite).replaceAll('$C', bait.csv).replaceAll('$F', bait.folder);
}

test('every hostile statement is refused, and nothing is read, written or changed', async (t) => {
  const { engine, bait } = await createBaitedEngine(t);
  const before = (await engine.snapshot()).id;
  const passed: string[] = [];
  for (const statement of HOSTILE) {
    const sql = withBait(statement, bait);
    const error: unknown = await ask(engine, sql).catch((thrown: unknown) => thrown);
    const isRefused = error instanceof LakeError && REFUSALS.has(error.kind);
    if (!isRefused || error.message.includes(SECRET)) passed.push(`${sql}: ${String(error)}`);
  }
  assert.deepEqual(passed, []);
  assert.equal((await engine.snapshot()).id, before);
  assert.deepEqual(readdirSync(bait.folder), []);
});

test('no address that is not public is connected to', async (t) => {
  const { engine } = await createBaitedEngine(t);
  const passed: string[] = [];
  for (const location of HOSTILE_ADDRESSES) {
    const sql = `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '${location}'`;
    const error: unknown = await ask(engine, sql).catch((thrown: unknown) => thrown);
    const isRefused = error instanceof LakeError && error.code === 'LAKE_LOCATION';
    if (!isRefused) passed.push(`${location}: ${String(error)}`);
  }
  assert.deepEqual(passed, []);
});

test('honest statements that use the same words are answered', async (t) => {
  const { engine } = await createBaitedEngine(t);
  const refused: string[] = [];
  for (const sql of HONEST) {
    await ask(engine, sql).catch((error: unknown) => refused.push(`${sql}: ${String(error)}`));
  }
  assert.deepEqual(refused, []);
});

test('the lists are as long as they were promised to be', () => {
  assert.ok(HOSTILE.length + HOSTILE_ADDRESSES.length >= 60);
  assert.ok(HONEST.length >= 60);
});

test('COPY TO writes into the folder for exports and nowhere else', async (t) => {
  const folder = tempDir(t);
  const engine = await createRealEngine(t, { exportFolder: folder });
  t.after(() => engine.close());
  await ask(engine, `COPY (SELECT 1 AS a) TO 'one.csv'`);
  await ask(engine, `COPY (SELECT 1 AS a) TO 'two.parquet' STORED AS PARQUET`);
  assert.ok(existsSync(join(folder, 'one.csv')) && existsSync(join(folder, 'two.parquet')));
  for (const name of ['../out.csv', '/etc/out.csv', 'a/../../out.csv', 's3://b/out.csv', '.']) {
    await assert.rejects(ask(engine, `COPY (SELECT 1) TO '${name}'`), { kind: 'forbidden' }, name);
  }
});
