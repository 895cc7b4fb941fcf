// G: GET /q/…, ETag and Cache-Control.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { DEFAULT_CACHE_CONTROL } from '../../src/http/options.ts';
import { conforms, pathOf, type Target } from './target.ts';

const hashOf = (sql: string): string => createHash('sha256').update(sql).digest('hex');
const SQL = "SELECT 'Hello, Seafowl' AS x";
const HASH = '7468d08fa2c3a2dc59905511dc478784a550e2d4ad67d101802a6411099d690f';

const etagOf = async (lake: Target, sql: string): Promise<string> => {
  const answer = await lake.get(pathOf(sql));
  assert.equal(answer.status, 200, answer.text);
  return String(answer.headers.etag);
};

export function checkCachedReads(target: () => Target): void {
  conforms('G-01', target, async (lake) => {
    assert.deepEqual((await lake.get(pathOf(SQL))).rows, [{ x: 'Hello, Seafowl' }]);
  });
  conforms('G-02', target, async (lake) => {
    const answer = await lake.get(`/q/${hashOf(SQL)}`, { body: JSON.stringify({ query: SQL }) });
    assert.deepEqual(answer.rows, [{ x: 'Hello, Seafowl' }]);
  });
  conforms('G-03', target, async (lake) => {
    for (const name of ['X-Seafowl-Query', 'X-Skein-Query']) {
      const answer = await lake.get(`/q/${hashOf(SQL)}`, { headers: { [name]: SQL } });
      assert.deepEqual(answer.rows, [{ x: 'Hello, Seafowl' }]);
    }
    // A hash that is known from Seafowl.
    const plain = "SELECT 'Hello, Seafowl'";
    const known = await lake.get(`/q/${HASH}`, { headers: { 'X-Seafowl-Query': plain } });
    assert.equal(known.status, 200);
  });
  conforms('G-04', target, async (lake) => {
    const sql = "SELECT '%41\né' AS x";
    const headers = { 'X-Seafowl-Query': encodeURIComponent(sql) };
    assert.deepEqual((await lake.get(`/q/${hashOf(sql)}`, { headers })).rows, [{ x: '%41\né' }]);
    const body = JSON.stringify({ query: sql });
    assert.deepEqual((await lake.get(`/q/${hashOf(sql)}`, { body })).rows, [{ x: '%41\né' }]);
  });
  conforms('G-05', target, async (lake) => {
    for (const extension of ['csv', 'bin', 'json', 'tar.gz']) {
      const headers = { 'X-Seafowl-Query': SQL };
      const answer = await lake.get(`/q/${hashOf(SQL)}.${extension}`, { headers });
      assert.deepEqual(answer.rows, [{ x: 'Hello, Seafowl' }]);
    }
  });
  conforms('G-06', target, async (lake) => {
    const wrong = hashOf('something else');
    const answer = await lake.get(`/q/${wrong}`, { headers: { 'X-Seafowl-Query': SQL } });
    assert.equal(answer.status, 400);
    const right = hashOf(SQL);
    assert.equal(
      answer.text,
      `Invalid hash: expected "${right}", got "${wrong}". Resend your query with "${right}"`,
    );
  });
  conforms('G-07', target, async (lake) => {
    const answer = await lake.get(`/q/${hashOf(SQL)}`);
    assert.equal(answer.status, 400);
    assert.match(answer.text, /^SQL error/);
  });
  conforms('G-08', target, async (lake) => {
    assert.deepEqual((await lake.get(pathOf("SELECT 1.5 AS x, 'a/b' AS y"))).rows, [
      { x: 1.5, y: 'a/b' },
    ]);
  });
  conforms('G-09', target, async (lake) => {
    const sql = "SELECT 'xaby' LIKE '%ab%' AS x";
    for (const sent of [sql, encodeURIComponent(sql)]) {
      const answer = await lake.get(`/q/${hashOf(sql)}`, { headers: { 'X-Seafowl-Query': sent } });
      assert.deepEqual(answer.rows, [{ x: true }], answer.text);
    }
  });
  checkEtags(target);
}

function checkEtags(target: () => Target): void {
  conforms('G-10', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS x`);
    const etags = new Set<string>();
    // Through an ingress each of them may be answered by another node.
    for (let i = 0; i < 6; i++) etags.add(await etagOf(lake, `SELECT * FROM ${table}`));
    assert.equal(etags.size, 1);
    assert.match([...etags][0]!, /^"[\w-]+"$/);
  });
  conforms('G-11', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS x`);
    const etags = [await etagOf(lake, `SELECT * FROM ${table}`)];
    for (const sql of [
      `INSERT INTO ${table} VALUES (2)`,
      `UPDATE ${table} SET x = 3 WHERE x = 2`,
      `DELETE FROM ${table} WHERE x = 3`,
      `TRUNCATE TABLE ${table}`,
      `DROP TABLE ${table}; CREATE TABLE ${table} AS SELECT 1 AS x`,
    ]) {
      await lake.run(sql);
      etags.push(await etagOf(lake, `SELECT * FROM ${table}`));
    }
    assert.equal(new Set(etags).size, etags.length);
  });
  conforms('G-12', target, async (lake) => {
    const [table, view] = [lake.name(), lake.name()];
    await lake.run(`CREATE TABLE ${table} AS SELECT 1 AS x`);
    await lake.run(`CREATE VIEW ${view} AS SELECT * FROM ${table}`);
    for (const sql of [
      `SELECT 1 AS y WHERE 1 IN (SELECT x FROM ${table})`,
      `SELECT (SELECT max(x) FROM ${table}) AS y`,
      `SELECT * FROM ${view}`,
    ]) {
      const before = await etagOf(lake, sql);
      await lake.run(`INSERT INTO ${table} VALUES (2)`);
      assert.notEqual(await etagOf(lake, sql), before, sql);
    }
  });
  checkConditions(target);
}

function checkConditions(target: () => Target): void {
  conforms('G-13', target, async (lake) => {
    const sql = 'SELECT 13 AS x';
    const etag = await etagOf(lake, sql);
    const bare = etag.slice(1, -1);
    for (const sent of [etag, bare, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await lake.get(pathOf(sql), { headers: { 'If-None-Match': sent } });
      assert.equal(answer.status, 304, sent);
      assert.equal(answer.headers.etag, etag);
      assert.equal(answer.text, '');
    }
    const other = await lake.get(pathOf(sql), { headers: { 'If-None-Match': '"other"' } });
    assert.equal(other.status, 200);
  });
  conforms('G-14', target, async (lake) => {
    const good = await lake.get(pathOf('SELECT 1'));
    assert.equal(good.headers['cache-control'], DEFAULT_CACHE_CONTROL);
    const bad = await lake.get(pathOf('SELECT * FROM missing_table'));
    assert.equal(bad.status, 400);
    assert.equal(bad.headers['cache-control'], undefined);
    assert.equal(bad.headers.etag, undefined);
  });
  conforms('G-15', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (x INT)`);
    for (const sql of [`INSERT INTO ${table} VALUES (1)`, `EXPLAIN ANALYZE DELETE FROM ${table}`]) {
      const answer = await lake.get(pathOf(sql));
      assert.deepEqual([answer.status, answer.text], [405, 'NOT_READ_ONLY_QUERY'], sql);
    }
  });
  conforms('G-16', target, async (lake) => {
    const answer = await lake.get(pathOf('SELECT 1; SELECT 2'));
    assert.equal(answer.status, 400);
    assert.match(answer.text, /single SQL statement$/);
  });
  conforms('G-17', target, async (lake) => {
    for (const sql of ['SELECT now() AS x', 'SELECT random() AS x']) {
      const answer = await lake.get(pathOf(sql));
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.etag, undefined, sql);
      assert.equal(answer.headers['cache-control'], 'no-store');
    }
  });
}
