// Requests of Hrana 2 as they go over the wire: each type, each condition, what is refused.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CLOSE, COUNTING, execute, pipeline, resultOf, startTestServer } from './server.ts';

const step = (sql: string, condition?: unknown): unknown => ({ stmt: { sql }, condition });

describe('A pipeline', () => {
  test('describes statements', async (t) => {
    const { url, connect: open } = await startTestServer(t);
    open().exec('CREATE TABLE t (a INTEGER, b TEXT)');
    const describe = (sql: string): unknown => ({ type: 'describe', sql });
    const answer = await pipeline(url, [
      describe('SELECT a, b AS c FROM t WHERE a = :a AND b = ?'),
      describe('EXPLAIN DELETE FROM t'),
      describe('DELETE FROM t'),
    ]);
    assert.deepEqual(resultOf(answer), {
      params: [{ name: ':a' }, { name: null }],
      cols: [
        { name: 'a', decltype: 'INTEGER' },
        { name: 'c', decltype: 'TEXT' },
      ],
      is_explain: false,
      is_readonly: true,
    });
    assert.equal(resultOf(answer, 1)['is_explain'], true);
    assert.deepEqual(resultOf(answer, 2)['is_readonly'], false);
  });

  test('runs steps by their conditions', async (t) => {
    const { url } = await startTestServer(t);
    const steps = [
      step('SELECT 0'),
      step('SELECT * FROM missing'),
      step('SELECT 2', { type: 'ok', step: 0 }),
      step('SELECT 3', { type: 'ok', step: 1 }),
      step('SELECT 4', { type: 'error', step: 1 }),
      step('SELECT 5', { type: 'not', cond: { type: 'ok', step: 3 } }),
      step('SELECT 6', {
        type: 'and',
        conds: [
          { type: 'ok', step: 0 },
          { type: 'ok', step: 3 },
        ],
      }),
      step('SELECT 7', {
        type: 'or',
        conds: [
          { type: 'ok', step: 0 },
          { type: 'ok', step: 3 },
        ],
      }),
      step('BEGIN'),
      step('SELECT 9', { type: 'is_autocommit' }),
      step('SELECT 10', { type: 'not', cond: { type: 'is_autocommit' } }),
    ];
    const answer = await pipeline(url, [
      { type: 'batch', batch: { steps } },
      { type: 'get_autocommit' },
      CLOSE,
    ]);
    const { step_results: results, step_errors: errors } = resultOf(answer) as {
      step_results: unknown[];
      step_errors: ({ code: string } | null)[];
    };
    const executed = results.flatMap((result, index) => (result === null ? [] : [index]));
    assert.deepEqual(executed, [0, 2, 4, 5, 7, 8, 10]);
    const failed = errors.flatMap((error, index) => (error === null ? [] : [[index, error.code]]));
    assert.deepEqual(failed, [[1, 'SQLITE_ERROR']]);
    assert.equal(answer.body.results[1]!.response!.is_autocommit, false);
    assert.equal(answer.body.baton, null);
  });

  test('keeps texts for its stream, and goes on after a request that failed', async (t) => {
    const { url } = await startTestServer(t);
    const stored = { type: 'execute', stmt: { sql_id: 1 } };
    const first = await pipeline(url, [
      { type: 'store_sql', sql_id: 1, sql: 'SELECT 42' },
      { type: 'execute', stmt: { sql_id: 2 } },
      stored,
    ]);
    assert.deepEqual(
      first.body.results.map(({ type }) => type),
      ['ok', 'error', 'ok'],
    );
    assert.equal(first.body.results[1]!.error!.code, 'SQL_NOT_STORED');
    const { baton } = first.body;
    const second = await pipeline(url, [stored, { type: 'close_sql', sql_id: 1 }, stored], {
      baton,
    });
    assert.deepEqual(
      second.body.results.map(({ type }) => type),
      ['ok', 'ok', 'error'],
    );
    const again = await pipeline(url, [stored], { baton });
    assert.deepEqual([again.status, again.body.code], [400, 'STREAM_EXPIRED']);
  });

  test('returns no rows where none are wanted, and infinity where it is', async (t) => {
    const { url } = await startTestServer(t);
    const quiet = { type: 'execute', stmt: { sql: 'SELECT 1', want_rows: false } };
    const { rows } = resultOf(await pipeline(url, [quiet, CLOSE]));
    assert.deepEqual(rows, []);
    const numbers = resultOf(await pipeline(url, [execute('SELECT 9e999, -9e999, 0.1'), CLOSE]));
    assert.deepEqual(numbers['rows'], [
      [
        { type: 'float', value: Infinity },
        { type: 'float', value: -Infinity },
        { type: 'float', value: 0.1 },
      ],
    ]);
  });

  test('knows a schema that another connection has changed', async (t) => {
    const { url, connect: open } = await startTestServer(t);
    const db = open();
    db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)');
    const all = [execute('SELECT * FROM t'), CLOSE];
    await pipeline(url, all);
    db.exec('ALTER TABLE t RENAME COLUMN a TO b; ALTER TABLE t ADD COLUMN c');
    const { cols } = resultOf(await pipeline(url, all));
    assert.deepEqual(cols, [
      { name: 'b', decltype: null },
      { name: 'c', decltype: null },
    ]);
  });

  test('does nothing of what it cannot read', async (t) => {
    const { url, connect: open } = await startTestServer(t);
    const create = execute('CREATE TABLE made (x)');
    const malformed: unknown[] = [
      { type: 'unheard of' },
      { type: 'execute' },
      { type: 'execute', stmt: {} },
      { type: 'execute', stmt: { sql: 'SELECT ?', args: [{ type: 'integer', value: 1 }] } },
      {
        type: 'execute',
        stmt: { sql: 'SELECT ?', args: [{ type: 'integer', value: '9'.repeat(19) }] },
      },
      { type: 'execute', stmt: { sql: 'SELECT ?', args: [{ type: 'date', value: '' }] } },
      ...['%%%', 'AAE!', 'A', 'AA=E', 'AA AE'].map((base64) => ({
        type: 'execute',
        stmt: { sql: 'SELECT ?', args: [{ type: 'blob', base64 }] },
      })),
      { type: 'execute', stmt: { sql: 'SELECT 1\0; DROP TABLE made' } },
      { type: 'sequence', sql: 'SELECT 1;\0 DROP TABLE made' },
      { type: 'store_sql', sql_id: 1, sql: '\0' },
      { type: 'batch', batch: { steps: [step('SELECT 1', { type: 'ok', step: 0 })] } },
      { type: 'batch', batch: { steps: [step('SELECT 1', { type: 'maybe' })] } },
      null,
    ];
    for (const request of malformed) {
      const { status, body } = await pipeline(url, [create, request]);
      assert.deepEqual([status, body.code], [400, 'HRANA_MALFORMED'], JSON.stringify(request));
    }
    const tables = open().prepare('SELECT * FROM sqlite_schema').all();
    assert.deepEqual(tables, []);
  });

  test('takes base64 with and without its padding', async (t) => {
    const { url } = await startTestServer(t);
    for (const [base64, hex] of Object.entries({
      '': '',
      'AQ==': '01',
      AQ: '01',
      'AQI=': '0102',
    })) {
      const { body } = await pipeline(url, [execute('SELECT hex(?)', [{ type: 'blob', base64 }])]);
      assert.ok(JSON.stringify(body).includes(`[{"type":"text","value":"${hex}"}]`), base64);
    }
  });

  test('reaches no other file, and nobody else in its process', async (t) => {
    const { url, folder } = await startTestServer(t);
    const other = `${folder}/other.db`;
    for (const sql of [
      `ATTACH '${other}' AS other`,
      `/* */ attach '${other}' as other`,
      `VACUUM INTO '${other}'`,
      `VACUUM main INTO '${other}'`,
      `PRAGMA temp_store_directory = '${folder}'`,
      `PRAGMA main."temp_store_directory" = '${folder}'`,
      `EXPLAIN PRAGMA temp_store_directory = '${folder}'`,
      `EXPLAIN QUERY PLAN PRAGMA temp_store_directory = '${folder}'`,
      'PRAGMA hard_heap_limit = 300000',
      ';EXPLAIN PRAGMA [soft_heap_limit](300000)',
    ]) {
      const { body } = await pipeline(url, [execute(sql), { type: 'sequence', sql }, CLOSE]);
      const codes = body.results.slice(0, 2).map(({ error }) => error?.code);
      assert.deepEqual(codes, ['SQL_NOT_ALLOWED', 'SQL_NOT_ALLOWED'], sql);
    }
  });

  test('leaves a connection as it was for who comes next', async (t) => {
    const { url } = await startTestServer(t, { limits: { workers: 1 } });
    const setUp = [
      'PRAGMA foreign_keys = ON',
      'PRAGMA case_sensitive_like = ON',
      'CREATE TEMP TABLE x (a)',
    ];
    await pipeline(url, [...setUp.map((sql) => execute(sql)), CLOSE]);
    await pipeline(url, [execute('BEGIN'), CLOSE]);
    const answer = await pipeline(url, [
      execute("SELECT 'a' LIKE 'A', (SELECT count(*) FROM sqlite_temp_schema)"),
      { type: 'get_autocommit' },
      CLOSE,
    ]);
    assert.deepEqual(resultOf(answer)['rows'], [
      [
        { type: 'integer', value: '1' },
        { type: 'integer', value: '0' },
      ],
    ]);
    assert.equal(answer.body.results[1]!.response!.is_autocommit, true);
  });

  test('is refused where its answer or its body is too large', async (t) => {
    const { url } = await startTestServer(t, {
      limits: { rows: 10, responseBytes: 5000, bodyBytes: 9000 },
    });
    const rows = (count: number): unknown => execute(`${COUNTING} LIMIT ${count}) SELECT x FROM c`);
    const { body } = await pipeline(url, [rows(10), CLOSE]);
    assert.equal(body.results[0]!.type, 'ok');
    for (const request of [rows(11), execute('SELECT hex(zeroblob(4000))')]) {
      const { results } = (await pipeline(url, [request, execute('SELECT 1'), CLOSE])).body;
      assert.equal(results[0]!.error!.code, 'RESPONSE_TOO_LARGE');
    }
    const large = await pipeline(url, [execute(`SELECT '${'x'.repeat(9000)}'`)]);
    assert.deepEqual([large.status, large.body.code], [413, 'SQL_TOO_LARGE']);
  });
});
