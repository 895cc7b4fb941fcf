// The parts of the server that only read what a request says.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isNamedBy } from './etag.ts';
import { uniqueNames } from './formats/json-lines.ts';
import { parseLenientJson } from './lenient-json.ts';
import { encodingOf, formatOf } from './negotiate.ts';
import { routeOf } from './routes.ts';

test('routeOf() finds databases, schemas and tables, percent-encoded or not', () => {
  assert.deepEqual(routeOf('POST', '/q/'), { kind: 'query', database: 'default' });
  assert.deepEqual(routeOf('POST', '/my%20db/q'), { kind: 'query', database: 'my db' });
  assert.deepEqual(routeOf('GET', '/q/a%2Fb.csv'), {
    kind: 'cached-query',
    database: 'default',
    segment: 'a%2Fb.csv',
  });
  assert.deepEqual(routeOf('POST', '/db/upload/s/t%22'), {
    kind: 'upload',
    database: 'db',
    schema: 's',
    table: 't"',
  });
  assert.deepEqual(routeOf('GET', '/'), { kind: 'page', file: 'index.html' });
  for (const path of ['/assets/../x.js', '/%2e%2e/x.js', '/a//b.js', '/%ff/q', '//q']) {
    assert.throws(() => routeOf('GET', path), { status: 404 }, path);
  }
});

test('formatOf() takes the most wanted format that there is', () => {
  assert.equal(formatOf(null, undefined), 'json');
  assert.equal(formatOf(null, 'text/html, */*;q=0.8'), 'json');
  assert.equal(formatOf(null, 'application/json;q=0.5, text/csv'), 'csv');
  assert.equal(formatOf(null, 'text/csv;q=0, application/vnd.apache.parquet;q=0.1'), 'parquet');
  assert.equal(formatOf('ARROW', 'text/csv'), 'arrow');
});

test('encodingOf() takes the best that is wanted most', () => {
  assert.equal(encodingOf(undefined), 'identity');
  assert.equal(encodingOf('gzip, deflate, br, zstd'), 'zstd');
  assert.equal(encodingOf('gzip;q=1.0, br;q=0.5'), 'gzip');
  assert.equal(encodingOf('identity, gzip;q=0'), 'identity');
});

test('isNamedBy() compares weakly, in lists, quoted or not', () => {
  for (const header of ['"a"', 'a', 'W/"a"', '"b" , "a"', '*']) assert.ok(isNamedBy(header, 'a'));
  for (const header of [undefined, '', '"b"', '"aa"', 'W/"b"']) assert.ok(!isNamedBy(header, 'a'));
});

test('parseLenientJson() takes raw line breaks in strings, and nothing else', () => {
  assert.deepEqual(parseLenientJson('{"a": "x\n\ty\\n\\"z\r"}'), { a: 'x\n\ty\n"z\r' });
  assert.deepEqual(parseLenientJson('{\n"a":\t1}'), { a: 1 });
  for (const text of ['{"a": 1,}', '{"a\n": ', "{'a': 1}", '"\\\n"']) {
    assert.throws(() => parseLenientJson(text), SyntaxError, text);
  }
});

test('uniqueNames() numbers what comes twice, past names that are taken', () => {
  assert.deepEqual(uniqueNames(['a', 'a', 'a:1', 'a']), ['a', 'a:2', 'a:1', 'a:3']);
});
