import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { makeReference, REFERENCE_PATH } from './make-reference.ts';

test('docs/api/client.md is what the sources say', () => {
  const page = readFileSync(REFERENCE_PATH, 'utf8');
  assert.equal(page, makeReference(), 'It is out of date: npm run api-reference');
});
