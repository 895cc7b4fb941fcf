import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatBytes, formatCell, formatCount, formatMs, quoteName } from './format.ts';

test('Values and figures are written for people', () => {
  assert.equal(formatCell(null), '∅');
  assert.equal(formatCell({ a: [1] }), '{"a":[1]}');
  assert.equal(formatCell(0), '0');
  assert.equal(formatBytes(999), '999 B');
  assert.equal(formatBytes(1500), '1.5 kB');
  assert.equal(formatBytes(250_000_000), '250 MB');
  assert.equal(formatMs(12.4), '12 ms');
  assert.equal(formatMs(1234), '1.23 s');
  assert.equal(formatCount(1, 'row'), '1 row');
  assert.equal(formatCount(12_345, 'row'), '12,345 rows');
});

test('quoteName() quotes what needs it', () => {
  assert.equal(quoteName('plain_1'), 'plain_1');
  assert.equal(quoteName('Two "words"'), '"Two ""words"""');
});
