import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CHECKSUM_FLAG, type Checksum, type Position, toTxid } from '@skein/ltx';

import type { FollowedState } from './log-catalog.ts';
import { findStartPoint, type StartPoint } from './start-point.ts';

const CHECKSUM = (CHECKSUM_FLAG | 7n) as Checksum;
const OTHER = (CHECKSUM_FLAG | 8n) as Checksum;

function at(txid: number, checksum: Checksum = CHECKSUM): Position {
  return { txid: toTxid(txid), checksum };
}

/** Transactions 11 to 20 are in the log, from record 100 on; the database has ten pages. */
function own(pageCount = 10): FollowedState {
  return { position: at(20), pageCount, pageSize: 4096, lsn: 200 };
}

function findFirst(txid: bigint): number | undefined {
  return txid >= 11n && txid <= 20n ? 100 : undefined;
}

const CASES: readonly (readonly [
  string,
  Position | undefined,
  FollowedState | undefined,
  StartPoint,
])[] = [
  ['nothing to do', at(20), own(), { kind: 'there' }],
  ['one behind', at(19), own(), { kind: 'log', lsn: 100 }],
  ['as far behind as the log reaches', at(10), own(), { kind: 'log', lsn: 100 }],
  ['further behind', at(9), own(), { kind: 'snapshot' }],
  ['it never had it', undefined, own(), { kind: 'snapshot' }],
  ['it has it without a transaction', at(0, 0n as Checksum), own(), { kind: 'snapshot' }],
  ['another checksum', at(20, OTHER), own(), { kind: 'snapshot' }],
  ['ahead', at(21), own(), { kind: 'snapshot' }],
  ['never here', at(3), undefined, { kind: 'unknown' }],
  ['dropped, and it had it not long ago', at(19), own(0), { kind: 'log', lsn: 100 }],
  ['dropped, and it had it long ago', at(5), own(0), { kind: 'dropped' }],
  ['dropped, and it is ahead', at(22), own(0), { kind: 'dropped' }],
  ['dropped, and it never had it', undefined, own(0), { kind: 'there' }],
  ['dropped there as well', at(20), own(0), { kind: 'there' }],
];

describe('findStartPoint()', () => {
  for (const [title, from, state, expected] of CASES) {
    test(`${title}: ${expected.kind}`, () => {
      const options = { from, own: state, findFirst, prefersSmaller: true };
      assert.deepEqual(findStartPoint(options), expected);
    });
  }

  test('a database of some size is sent whole to whoever has nothing of it', () => {
    const find = (fields: Partial<FollowedState>, prefersSmaller = true): string => {
      const options = { from: undefined, findFirst: () => 1, prefersSmaller };
      return findStartPoint({ ...options, own: { ...own(300), ...fields } }).kind;
    };
    assert.equal(find({}), 'snapshot');
    assert.equal(find({ pageCount: 256 }), 'log');
    assert.equal(find({ position: at(1) }), 'log');
    assert.equal(find({}, false), 'log');
  });

  test('a database is sent whole that is smaller than its transactions at the least', () => {
    const far = { position: at(10_000), pageCount: 3000, pageSize: 4096, lsn: 1 };
    const find = (from: number, prefersSmaller = true): string => {
      const options = { from: at(from), own: far, findFirst: () => 1, prefersSmaller };
      return findStartPoint(options).kind;
    };
    assert.equal(find(6999), 'snapshot');
    assert.equal(find(7000), 'log');
    assert.equal(find(6999, false), 'log');
    // A few transactions are sent at once, however small the database is.
    const small = { ...far, pageCount: 2 };
    const options = { from: at(9000), own: small, findFirst: () => 1, prefersSmaller: true };
    assert.equal(findStartPoint(options).kind, 'log');
  });
});
