import assert from 'node:assert/strict';
import { test } from 'node:test';

import { translateError } from './translate-error.ts';

const kindOf = (message: string): string =>
  translateError(new Error(message), { privatePaths: [] }).kind;

test('translateError() knows a full disk from a mistake of the client', () => {
  const commit = `TransactionContext Error: Failed to commit: Failed to commit DuckLake transaction.
Failed to commit: Failed to execute query "COMMIT": database or disk is full`;
  assert.equal(kindOf(commit), 'unavailable');
  assert.equal(
    kindOf('IO Error: Could not write file "x": No space left on device'),
    'unavailable',
  );
  assert.equal(kindOf(`Conversion Error: Could not convert string 'disk is full'`), 'execution');
});

test('translateError() keeps folders of this machine to itself', () => {
  const options = { privatePaths: ['/srv/lake/data/'] };
  const { message } = translateError(new Error('IO Error: "/srv/lake/data/t/a.parquet"'), options);
  assert.equal(message, 'IO Error: "…/t/a.parquet"');
});
