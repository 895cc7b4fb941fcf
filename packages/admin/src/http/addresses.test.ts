import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { decodeName, encodeName, safeNext } from './addresses.ts';

test('encodeName() takes any name, to letters that mean nothing in a path', () => {
  assert.equal(encodeName('messages'), 'messages');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      assert.match(encodeName(name), /^~?[\w-]*$/);
      assert.equal(decodeName(encodeName(name)), name);
    }),
  );
});

test('safeNext() stays in the site', () => {
  assert.equal(safeNext('/admin/t/x?q=1', '/admin'), '/admin/t/x?q=1');
  assert.equal(safeNext('/admin', '/admin'), '/admin');
  assert.equal(safeNext(null, '/admin'), '/admin/');
  assert.equal(safeNext('/x', ''), '/x');
  for (const next of [
    '//evil',
    '/\\evil',
    'https://evil/admin/',
    '/adminx',
    '/admin/../x',
    '\t//e',
  ]) {
    assert.equal(safeNext(next, '/admin'), '/admin/', next);
  }
  assert.equal(safeNext('/.//evil', ''), '/');
});
