// U: POST /upload/<schema>/<table>; C: other origins.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

import type { Answer } from '../test-server.ts';
import { conforms, pathOf, type Target } from './target.ts';

const BOUNDARY = '----skein-test';

interface Part {
  readonly name: string;
  readonly fileName?: string;
  readonly content: string | Buffer;
}

export function formOf(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ name, fileName, content }) => {
    const file = fileName === undefined ? '' : `; filename="${fileName}"`;
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
    return [Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')];
  });
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

function upload(lake: Target, table: string, parts: readonly Part[]): Promise<Answer> {
  return lake.sendWrite(`/upload/${table}`, {
    method: 'POST',
    headers: { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: formOf(parts),
  });
}

const csv = (content: string, fields: Readonly<Record<string, string>> = {}): Part[] => [
  ...Object.entries(fields).map(([name, value]) => ({ name, content: value })),
  { name: 'data', fileName: 'rows.csv', content },
];

async function uploaded(lake: Target, table: string, parts: readonly Part[]): Promise<Answer> {
  const answer = await upload(lake, table, parts);
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

export function checkUploads(target: () => Target): void {
  conforms('U-01', target, async (lake) => {
    const table = lake.name();
    await uploaded(lake, `public/${table}`, csv('id,name\n1,one\n2,two\n'));
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table} ORDER BY id`), [
      { id: 1, name: 'one' },
      { id: 2, name: 'two' },
    ]);
  });
  conforms('U-02', target, async (lake) => {
    const table = lake.name();
    await uploaded(lake, `public/${table}`, csv('1,one\n2,two\n', { has_header: 'false' }));
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table} ORDER BY 1 LIMIT 1`), [
      { column_1: 1, column_2: 'one' },
    ]);
  });
  conforms('U-03', target, async (lake) => {
    const table = lake.name();
    const field = (name: string, type: unknown) => ({ name, data_type: type, nullable: true });
    const schema = JSON.stringify({ fields: [field('id', 'Int64'), field('code', 'Utf8')] });
    await uploaded(lake, `public/${table}`, csv('1,007\n', { has_header: 'false', schema }));
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), [{ id: 1, code: '007' }]);
  });
  conforms('U-04', target, async (lake) => {
    const table = lake.name();
    const parquet = await parquetOf("SELECT 7 AS id, 'seven' AS name");
    await uploaded(lake, `public/${table}`, [
      { name: 'file', fileName: 'rows.parquet', content: parquet },
    ]);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), [{ id: 7, name: 'seven' }]);
  });
  conforms('U-05', target, async (lake) => {
    const table = lake.name();
    for (let i = 0; i < 2; i++) await uploaded(lake, `public/${table}`, csv('id\n1\n'));
    assert.deepEqual(await lake.rows(`SELECT count(*) AS n FROM ${table}`), [{ n: 2 }]);
  });
  conforms('U-06', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (a INT, b INT)`);
    await uploaded(lake, `public/${table}`, csv('unknown,b\n1,2\n'));
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), [{ a: null, b: 2 }]);
  });
  conforms('U-07', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (a DOUBLE, b TIMESTAMP)`);
    await uploaded(lake, `public/${table}`, csv('a,b\n1,2022-01-01\n'));
    assert.equal(
      (await lake.query(`SELECT * FROM ${table}`)).text,
      '{"a":1.0,"b":"2022-01-01T00:00:00"}\n',
    );
  });
  conforms('U-08', target, async (lake) => {
    const table = lake.name();
    await lake.run(`CREATE TABLE ${table} (a TIMESTAMP)`);
    const answer = await upload(lake, `public/${table}`, csv('a\ntrue\n'));
    assert.equal(answer.status, 400, answer.text);
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table}`), []);
  });
  checkPlaces(target);
}

function checkPlaces(target: () => Target): void {
  conforms('U-09', target, async (lake) => {
    const schema = lake.name();
    await uploaded(lake, `${schema}/rows`, csv('id\n1\n'));
    assert.deepEqual(await lake.rows(`SELECT * FROM ${schema}.rows`), [{ id: 1 }]);
  });
  conforms('U-10', target, async (lake) => {
    const table = lake.name();
    const { text } = await uploaded(lake, `public/${table}`, csv('id\n1\n'));
    assert.match(text, new RegExp(`^rows\\.csv appended to table ${table} version \\d+\\n$`));
  });
  conforms('U-11', target, async (lake) => {
    const schema = lake.name();
    for (let i = 0; i < 2; i++) await uploaded(lake, `${schema}/rows`, csv('id\n1\n'));
    assert.deepEqual(await lake.rows(`SELECT count(*) AS n FROM ${schema}.rows`), [{ n: 2 }]);
  });
  conforms('U-13', target, async (lake) => {
    const answer = await upload(lake, `public/${lake.name()}`, [{ name: 'schema', content: '{}' }]);
    assert.equal(answer.status, 400);
    assert.equal(answer.text, 'No part containing file found in the request!');
  });
  conforms('U-14', target, async (lake) => {
    const parts = [{ name: 'data', fileName: 'rows.xlsx', content: 'x' }];
    const answer = await upload(lake, `public/${lake.name()}`, parts);
    assert.deepEqual([answer.status, answer.text], [400, 'File rows.xlsx not supported']);
  });
  conforms('C-01', target, async (lake) => {
    const headers = { Origin: 'https://page.example', 'Access-Control-Request-Method': 'POST' };
    const answer = await lake.get('/q', { method: 'OPTIONS', headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['access-control-allow-origin'], 'https://page.example');
    assert.match(String(answer.headers['access-control-allow-methods']), /GET, POST/);
    assert.match(String(answer.headers['access-control-allow-headers']), /X-Seafowl-Query/);
    assert.equal(answer.headers['access-control-max-age'], '86400');
  });
  conforms('C-02', target, async (lake) => {
    for (const headers of [{}, { Authorization: 'Basic x' }]) {
      const answer = await lake.get(pathOf('SELECT * FROM missing_table'), {
        headers: { Origin: 'https://page.example', ...headers },
      });
      assert.ok(answer.status >= 400);
      assert.equal(answer.headers['access-control-allow-origin'], 'https://page.example');
      assert.match(String(answer.headers.vary), /X-Seafowl-Query/);
    }
  });
}

async function parquetOf(sql: string): Promise<Buffer> {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(join(tmpdir(), 'skein-parquet-'));
  const path = join(folder, 'rows.parquet');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`);
  const content = await readFile(path);
  await rm(folder, { recursive: true });
  return content;
}
