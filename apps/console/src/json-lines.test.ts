import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JsonLines } from './json-lines.ts';

test('JsonLines gives rows as soon as they are whole', () => {
  const lines = new JsonLines();
  assert.deepEqual(lines.push('{"a":1}\n{"a"'), [{ a: 1 }]);
  assert.deepEqual(lines.push(':2}\n'), [{ a: 2 }]);
  assert.deepEqual(lines.push('{"a":3}'), []);
  assert.deepEqual(lines.end(), [{ a: 3 }]);
  assert.deepEqual(lines.end(), []);
});

test('JsonLines keeps integers that numbers cannot hold', () => {
  const [row] = new JsonLines().push('{"a":9223372036854775807,"b":1.5,"c":9007199254740991}\n');
  assert.deepEqual(row, { a: '9223372036854775807', b: 1.5, c: 9_007_199_254_740_991 });
});

test('JsonLines tells a late error from a row of that name', () => {
  const lines = new JsonLines();
  assert.deepEqual(lines.push('{"skein_error":"x"}\n'), [{ skein_error: 'x' }]);
  assert.equal(lines.error, undefined);
  assert.deepEqual(lines.push('{"skein_error":{"code":"LAKE_EXECUTION","message":"no"}}\n'), []);
  assert.deepEqual(lines.error, { code: 'LAKE_EXECUTION', message: 'no' });
});
