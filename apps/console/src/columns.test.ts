import assert from 'node:assert/strict';
import { test } from 'node:test';

import { guessColumns, maybeColumnsOf } from './columns.ts';

test('maybeColumnsOf() reads the schema in a Content-Type', () => {
  const schema = {
    fields: [
      { name: 'month', data_type: { Timestamp: ['Microsecond', null] } },
      { name: 'avg; "x"', data_type: 'Float64' },
      { name: 'd', data_type: { Decimal128: [38, 10] } },
      { name: 's', data_type: 'Utf8' },
    ],
  };
  const type = `application/json; arrow-schema=${encodeURIComponent(JSON.stringify(schema))}`;
  assert.deepEqual(maybeColumnsOf(type), [
    { name: 'month', type: 'Timestamp', kind: 'time' },
    { name: 'avg; "x"', type: 'Float64', kind: 'number' },
    { name: 'd', type: 'Decimal128', kind: 'number' },
    { name: 's', type: 'Utf8', kind: 'text' },
  ]);
  assert.equal(maybeColumnsOf('application/json'), undefined);
  assert.equal(maybeColumnsOf('application/json; arrow-schema=%7B'), undefined);
});

test('guessColumns() takes what the rows have', () => {
  assert.deepEqual(
    guessColumns([
      { a: 1, b: null },
      { a: null, b: 'x' },
    ]),
    [
      { name: 'a', type: '', kind: 'number' },
      { name: 'b', type: '', kind: 'text' },
    ],
  );
  assert.deepEqual(guessColumns([]), []);
});
