// CSV files as they come: nothing of one is left out without a word, neither of an upload nor of an
// external table.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { DuckDBInstance } from '@duckdb/node-api';

import { tempDir, type TestScope } from '@skein/testkit';

import { readerQuery } from '../src/sql/external-reader.ts';
import { parseExternalTable } from '../src/sql/external-table.ts';
import { splitStatements } from '../src/sql/split.ts';
import { formOf } from './conformance/uploads.ts';
import { createRealEngine } from './real-engine.ts';
import { type Answer, startTestServer } from './test-server.ts';

type Fields = Readonly<Record<string, string>>;

interface Uploads {
  readonly upload: (table: string, content: string, fields?: Fields) => Promise<Answer>;
  readonly rows: (sql: string) => Promise<readonly unknown[]>;
  readonly run: (sql: string) => Promise<void>;
}

async function startUploads(t: TestScope): Promise<Uploads> {
  const scratchFolder = tempDir(t);
  const engine = await createRealEngine(t, { scratchFolder });
  const server = await startTestServer(t, engine, { scratchFolder });
  return {
    upload: (table, content, fields = {}) => {
      const parts = Object.entries(fields).map(([name, value]) => ({ name, content: value }));
      return server.send(`/upload/public/${table}`, {
        method: 'POST',
        headers: { 'Content-Type': 'multipart/form-data; boundary=----skein-test' },
        body: formOf([...parts, { name: 'data', fileName: 'rows.csv', content }]),
      });
    },
    rows: async (sql) => (await server.query(sql)).rows,
    run: async (sql) => assert.equal((await server.query(sql)).status, 200),
  };
}

/** A reader that guesses skips lines in each of them, or takes them for comments. */
const MISFITS: readonly string[] = [
  'a,b\n1,2\n3\n4,5,6\n',
  'a,b\n1,2\n4,5,6\n',
  'a\n1,2\n3,4\n5,6\n',
  'a,b\n1,2\n#3\n5,6\n',
  'a title\na,b\n1,2\n3,4\n',
];

test('a file whose rows differ in length is refused, whichever row it is', async (t) => {
  const { upload, rows } = await startUploads(t);
  for (const content of MISFITS) {
    for (const has_header of ['true', 'false']) {
      const answer = await upload('misfit', content, { has_header });
      assert.equal(answer.status, 400, `${content} gives ${answer.text}`);
      assert.match(answer.text, /same number of fields in each row/);
    }
  }
  assert.deepEqual(await rows('SHOW TABLES'), []);
});

test('each line is a row, also one that begins with a #', async (t) => {
  const { upload, rows } = await startUploads(t);
  const { status, text } = await upload('marks', 'a,b\r\n1,"x\r\ny"\r\n#3,4\r\n5,6#7\r\n');
  assert.equal(status, 200, text);
  assert.deepEqual(await rows('SELECT * FROM marks ORDER BY a DESC'), [
    { a: '5', b: '6#7' },
    { a: '1', b: 'x\r\ny' },
    { a: '#3', b: '4' },
  ]);
});

test('an empty file, one of other columns, and an unclear has_header are refused', async (t) => {
  const { upload, rows, run } = await startUploads(t);
  const refused = async (content: string, fields: Fields, reason: RegExp): Promise<void> => {
    const { status, text } = await upload('t', content, fields);
    assert.equal(status, 400, text);
    assert.match(text, reason);
  };
  await refused('', {}, /^File rows\.csv is empty$/);
  await refused('a\n1\n', { has_header: 'maybe' }, /^Invalid has_header/);
  await run('CREATE TABLE t (a INT, b INT)');
  await refused('c,d\n1,2\n', {}, /\(c, d\).*t \(a, b\)/);
  await refused('1,2\n', { has_header: 'false' }, /\(column_1, column_2\)/);
  assert.deepEqual(await rows('SELECT * FROM t'), []);
  assert.equal((await upload('t', 'B\n2\n', { has_header: 'True' })).status, 200);
  assert.deepEqual(await rows('SELECT * FROM t'), [{ a: null, b: 2 }]);
});

test('an external table loses no line either', async (t) => {
  const path = join(tempDir(t), 'rows.csv');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const read = async (content: string, options: string): Promise<unknown> => {
    writeFileSync(path, content);
    const sql = `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'https://host/x' ${options}`;
    const query = readerQuery(parseExternalTable(splitStatements(sql)[0]!.tokens), path);
    return (await connection.runAndReadAll(query)).getRowsJson();
  };
  for (const content of MISFITS) {
    for (const options of ['', 'OPTIONS (has_header true)']) {
      await assert.rejects(read(content, options), `${content} ${options}`);
    }
  }
  const header = 'OPTIONS (has_header true)';
  assert.deepEqual(await read('a,b\nx,1\n#y,2\n', header), [
    ['x', '1'],
    ['#y', '2'],
  ]);
  const said = `OPTIONS (has_header true, comment '#', quote '''')`;
  assert.deepEqual(await read(`a,b\n'it''s, yes',1\n#y\n`, said), [[`it's, yes`, '1']]);
});
