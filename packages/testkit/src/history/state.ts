// The states that a primary had, told apart by a few sums: SQLite computes them in a reader, and
// the checker for every beginning of the final list.
//
// A row that is missing, doubled, changed or in another place gives another digest, save for a
// chance of about one in a billion. The two ways to compute it have to agree to the last digit: all
// products stay below 2^53, and so does the sum up to MAX_ROWS.

import assert from 'node:assert/strict';

import type { Glimpse } from './history.ts';

const PRIME = 1_000_000_007;
const WEIGHTS = 9973;
/** Of values, so that a product with a weight stays a whole number. */
const VALUE_MAX = 1_000_000_000;
/** So many terms below PRIME stay below 2^53. */
const MAX_ROWS = 9_000_000;

/** What the clients share. Rows are numbered from 1 on, without gaps: nothing is ever removed. */
export const HISTORY_SCHEMA: readonly string[] = [
  'CREATE TABLE entry (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)',
  'CREATE TABLE tally (count INTEGER NOT NULL)',
  'INSERT INTO tally VALUES (0)',
];

/** The statements of one write, within one transaction. The first has the value as parameter. */
export const HISTORY_WRITE: readonly [string, string] = [
  'INSERT INTO entry (value) VALUES (?)',
  'UPDATE tally SET count = count + 1',
];

/** One row: count, digest and tally, as parseGlimpse() takes them. */
export const HISTORY_READ: string = `
  SELECT count(*), ifnull(sum(((value * 31 + id) * (id % ${WEIGHTS} + 1)) % ${PRIME}), 0),
         (SELECT count FROM tally)
  FROM entry`;

/** The final list. */
export const HISTORY_LIST = 'SELECT value FROM entry ORDER BY id';

/** The row that HISTORY_READ gives. */
export function parseGlimpse(row: readonly unknown[]): Glimpse {
  const [count, digest, tally] = row.map(Number);
  const numbers = [count, digest, tally];
  assert(numbers.every(Number.isSafeInteger), `Not what HISTORY_READ gives: ${row.join(', ')}`);
  return { count: count!, digest: digest!, tally: tally! };
}

/** The digest of the first 0, 1, 2 … values. */
export function digestsOf(values: readonly number[]): number[] {
  assert(values.length <= MAX_ROWS, 'The digest of so many rows is not exact');
  const digests = [0];
  for (const [index, value] of values.entries()) {
    assert(Number.isInteger(value) && value >= 0 && value <= VALUE_MAX, `No value: ${value}`);
    const id = index + 1;
    digests.push(digests[index]! + (((value * 31 + id) * ((id % WEIGHTS) + 1)) % PRIME));
  }
  return digests;
}
