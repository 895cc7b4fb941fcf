import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readerQuery } from './external-reader.ts';
import { type ExternalTable, parseExternalTable } from './external-table.ts';
import { maybeParseCreateFunction, maybeParseDropFunction } from './function-definition.ts';
import { splitStatements } from './split.ts';

function parse(sql: string): ExternalTable {
  return parseExternalTable(splitStatements(sql)[0]!.tokens);
}

test('parseExternalTable() reads the statement of the walk-through', () => {
  const table = parse(`CREATE EXTERNAL TABLE Weather (
      timestamp TIMESTAMP, temp INT, amount NUMERIC, "a b" DOUBLE PRECISION NOT NULL,
      n TINYINT UNSIGNED
    ) STORED AS CSV LOCATION 'https://host/weather.csv'
    OPTIONS (has_header true, 'format.delimiter' ';', format.null_value 'NA')`);
  assert.equal(table.name, 'weather');
  assert.equal(table.format, 'csv');
  assert.deepEqual(table.columns, [
    { name: 'timestamp', type: 'TIMESTAMP' },
    { name: 'temp', type: 'INTEGER' },
    { name: 'amount', type: 'DECIMAL(38, 10)' },
    { name: 'a b', type: 'DOUBLE' },
    { name: 'n', type: 'UTINYINT' },
  ]);
  assert.deepEqual(Object.fromEntries(table.options), {
    has_header: 'true',
    delimiter: ';',
    null_value: 'NA',
  });
});

test('parseExternalTable() refuses other schemas, formats, types and old forms', () => {
  const tail = `LOCATION 'https://host/x'`;
  const cases: readonly (readonly [string, string])[] = [
    [`CREATE EXTERNAL TABLE public.x STORED AS CSV ${tail}`, 'LAKE_PLAN'],
    [`CREATE EXTERNAL TABLE x STORED AS AVRO ${tail}`, 'LAKE_PLAN'],
    [`CREATE EXTERNAL TABLE x (a COLOUR) STORED AS CSV ${tail}`, 'LAKE_PLAN'],
    [`CREATE EXTERNAL TABLE x ${tail}`, 'LAKE_PARSE'],
    [`CREATE EXTERNAL TABLE x STORED AS CSV`, 'LAKE_PARSE'],
    [`CREATE EXTERNAL TABLE x STORED AS CSV WITH HEADER ROW ${tail}`, 'LAKE_PARSE'],
    [`CREATE EXTERNAL TABLE x STORED AS CSV ${tail} OPTIONS (has_header)`, 'LAKE_PARSE'],
  ];
  for (const [sql, code] of cases) assert.throws(() => parse(sql), { code }, sql);
});

test('readerQuery() quotes whatever a client wrote, and knows its options', () => {
  const table = parse(`CREATE EXTERNAL TABLE x ("a'b" INT) STORED AS CSV
    LOCATION 'https://host/x.csv.gz' OPTIONS (delimiter '''', null_value 'it''s')`);
  const sql = readerQuery(table, `/scratch/it's`);
  assert.ok(sql.includes(`read_csv('/scratch/it''s'`));
  assert.ok(sql.includes(`delim = ''''`) && sql.includes(`nullstr = 'it''s'`));
  assert.ok(sql.includes(`columns = {'a''b': 'INTEGER'}`) && sql.includes(`compression = 'gzip'`));
  assert.ok(sql.includes('header = false'));
  const wrong = `CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'https://h/x'
    OPTIONS (colour 'red')`;
  assert.throws(() => readerQuery(parse(wrong), '/x'), { code: 'LAKE_PLAN' });
});

test("CREATE FUNCTION is Seafowl's with a text, DuckDB's with brackets", () => {
  const tokens = (sql: string): ReturnType<typeof splitStatements>[0]['tokens'] =>
    splitStatements(sql)[0]!.tokens;
  const json = JSON.stringify({
    entrypoint: 'f',
    input_types: ['INT'],
    return_type: 'Text',
    data: '',
  });
  const seafowl = maybeParseCreateFunction(tokens(`CREATE OR REPLACE FUNCTION F AS '${json}'`));
  assert.deepEqual(seafowl, {
    name: 'f',
    isReplace: true,
    details: {
      entrypoint: 'f',
      language: 'wasmmessagepack',
      input_types: ['int'],
      return_type: 'text',
      data: '',
      volatility: 'volatile',
    },
  });
  assert.equal(maybeParseCreateFunction(tokens('CREATE FUNCTION f(a) AS a + 1')), undefined);
  assert.equal(maybeParseCreateFunction(tokens('CREATE TABLE f (a INT)')), undefined);
  for (const text of ['{', '{}', '{"entrypoint": "f", "return_type": "colour"}']) {
    const sql = `CREATE FUNCTION f AS '${text}'`;
    assert.throws(() => maybeParseCreateFunction(tokens(sql)), { code: 'LAKE_FUNCTION' }, text);
  }
  assert.deepEqual(maybeParseDropFunction(tokens('DROP FUNCTION IF EXISTS a, "B"')), {
    names: ['a', 'b'],
    isIfExists: true,
  });
});
