// H: POST /q, and what rows look like.

import assert from 'node:assert/strict';

import { conforms, type Target } from './target.ts';

interface ArrowSchema {
  readonly fields: readonly { readonly name: string; readonly data_type: unknown }[];
}

export function checkRows(target: () => Target): void {
  const prints = (id: string, expression: string, expected: string): void => {
    conforms(id, target, async (lake) => {
      const { text, status } = await lake.query(`SELECT ${expression} AS x`);
      assert.equal(status, 200, text);
      assert.equal(text, `{"x":${expected}}\n`);
    });
  };
  conforms('H-01', target, async (lake) => {
    const answer = await lake.query('SELECT 1 AS one');
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '{"one":1}\n');
    assert.match(answer.headers['content-type']!, /^application\/json; arrow-schema=/);
  });
  conforms('H-02', target, async (lake) => {
    const answer = await lake.query('SELECT 1 AS one WHERE false');
    assert.deepEqual([answer.status, answer.text], [200, '']);
  });
  prints('H-03', 'NULL::INT', 'null');
  conforms('H-04', target, async (lake) => {
    const { text } = await lake.query('SELECT 1 AS z, 2 AS a, 3 AS m');
    assert.equal(text, '{"z":1,"a":2,"m":3}\n');
  });
  prints('H-05', '9223372036854775807::BIGINT', '9223372036854775807');
  conforms('H-06', target, async (lake) => {
    const { text } = await lake.query(
      `SELECT 42::DOUBLE AS a, 17.900000000000002::DOUBLE AS b, 1e300::DOUBLE AS c,
        'nan'::DOUBLE AS d`,
    );
    assert.equal(text, '{"a":42.0,"b":17.900000000000002,"c":1e300,"d":null}\n');
  });
  prints('H-07', '0.1::FLOAT', '0.1');
  prints('H-08', '1::DECIMAL(38,10)', '1.0000000000');
  prints('H-09', "DATE '2022-01-01'", '"2022-01-01"');
  conforms('H-10', target, async (lake) => {
    const { text } = await lake.query(`SELECT TIMESTAMP '2022-01-01 12:03:11' AS a,
      TIMESTAMP '2022-01-01 12:03:11.5' AS b, TIMESTAMP '2022-01-01 12:03:11.123456' AS c`);
    assert.equal(
      text,
      '{"a":"2022-01-01T12:03:11","b":"2022-01-01T12:03:11.500",' +
        '"c":"2022-01-01T12:03:11.123456"}\n',
    );
  });
  prints('H-11', "{'a': [1, 2, NULL], 'b': {'c': 'd'}}", '{"a":[1,2,null],"b":{"c":"d"}}');
  conforms('H-12', target, async (lake) => {
    const name = ` !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~é`;
    const { rows, headers } = await lake.query(`SELECT 1 AS "${name.replaceAll('"', '""')}"`);
    assert.deepEqual(rows, [{ [name]: 1 }]);
    const [, parameter] = headers['content-type']!.split('arrow-schema=');
    assert.match(parameter!, /^[A-Za-z0-9%]+$/);
    const schema = JSON.parse(decodeURIComponent(parameter!)) as ArrowSchema;
    assert.deepEqual(schema.fields[0]?.name, name);
    assert.deepEqual(schema.fields[0]?.data_type, 'Int32');
  });
  conforms('H-13', target, async (lake) => {
    const { headers } = await lake.query('SELECT 1');
    assert.match(String(headers['x-seafowl-query-time']), /^\d+$/);
  });
  checkRequests(target);
}

function checkRequests(target: () => Target): void {
  const fails = (id: string, sql: string, status: number, expected: RegExp): void => {
    conforms(id, target, async (lake) => {
      const answer = await lake.query(sql);
      assert.equal(answer.status, status);
      assert.match(answer.text, expected);
    });
  };
  conforms('H-14', target, async (lake) => {
    const answer = await lake.run(`CREATE TABLE ${lake.name()} (x INT)`);
    assert.equal(answer.text, '');
    assert.equal(answer.headers['content-type'], undefined);
  });
  fails('H-15', ' ; ', 400, /^Empty query received$/);
  fails('H-16', 'SELECT 1; SELECT 2', 400, /^Only one read statement is allowed/);
  conforms('H-17', target, async (lake) => {
    const table = lake.name();
    const answer = await lake.write(`SELECT 1; CREATE TABLE ${table} (x INT)`);
    assert.equal(answer.status, 400);
    assert.equal((await lake.write(`SELECT * FROM ${table}`)).status, 400);
  });
  conforms('H-18', target, async (lake) => {
    const table = lake.name();
    const answer = await lake.write(
      `CREATE TABLE ${table} (x INT); INSERT INTO ${table} VALUES (1); INSERT INTO ${table}
        SELECT 'no number'::INT`,
    );
    assert.equal(answer.status, 400);
    assert.equal(answer.headers['x-skein-statement'], '3');
    assert.match(answer.text, /statement 3/);
    assert.equal((await lake.query(`SELECT * FROM ${table}`)).status, 400);
  });
  conforms('H-19', target, async (lake) => {
    const answer = await lake.get('/q/', {
      method: 'POST',
      body: JSON.stringify({ query: 'SELECT 1 AS x;' }),
    });
    assert.deepEqual(answer.rows, [{ x: 1 }]);
  });
  conforms('H-20', target, async (lake) => {
    const post = (body: string, headers: Readonly<Record<string, string>> = {}) =>
      lake.get('/q', { method: 'POST', body, headers });
    for (const body of ['{"query": "SELECT 1"', '{"sql": "SELECT 1"}', '{"query": 1}', '[]']) {
      const answer = await post(body);
      assert.equal(answer.status, 400, body);
      assert.match(answer.text, /^No query found in the request:/);
    }
    const good = '{"query": "SELECT 1 AS x"}';
    assert.equal((await post(good, { 'Content-Type': 'text/plain' })).status, 400);
    assert.equal((await post(good)).status, 200);
    const broken = await post('{"query": "\nSELECT 1 AS x\n\t-- a comment\n"}');
    assert.deepEqual(broken.rows, [{ x: 1 }]);
  });
  fails('H-21', 'SLEECT 1', 400, /^SQL error: .*SLEECT/s);
  fails('H-22', 'SELECT * FROM missing_table', 400, /missing_table/);
  fails('H-23', "SELECT 'notanint'::INT", 400, /notanint/);
}
