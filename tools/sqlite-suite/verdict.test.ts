import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isEqualVerdict, readVerdict } from './verdict.ts';

const ENDED = `
select1-1.1... Ok
select1-1.2...
! select1-1.2 expected: [1]
! select1-1.2 got:      [2]
select1-1.3... Ok
SQLite 2022-12-28 14:03:47 df5c253c
1 errors out of 3 tests on vm Linux 64-bit little-endian
!Failures on these tests: select1-1.2
All memory allocations freed - no leaks
`;

const CRASHED = `
attach-1.1... Ok
attach-1.2...
! attach-1.2 expected: [1]
! attach-1.2 got:      [2]
testfixture: invalid argument
    while executing
"db close"
`;

function verdictOf(output: string, isTimeout = false): ReturnType<typeof readVerdict> {
  return readVerdict({ file: 'test/x.test', output, isTimeout, durationMs: 1 });
}

describe('readVerdict()', () => {
  test('takes the counts and names of a file that ended from its summary', () => {
    assert.deepEqual(verdictOf(ENDED), {
      file: 'test/x.test',
      end: 'ended',
      testCount: 3,
      errorCount: 1,
      failed: ['select1-1.2'],
      durationMs: 1,
    });
  });

  test('names each failed test once, in order', () => {
    const output = '3 errors out of 9 tests on vm\n!Failures on these tests: b-1 a-2 b-1\n';
    assert.deepEqual(verdictOf(output).failed, ['a-2', 'b-1']);
  });

  test('counts what a file got to that did not end by itself', () => {
    const { end, testCount, errorCount, failed, lastLines } = verdictOf(CRASHED);
    assert.deepEqual(
      { end, testCount, errorCount },
      { end: 'crashed', testCount: 2, errorCount: 1 },
    );
    assert.deepEqual(failed, ['attach-1.2']);
    assert.match(lastLines!, /testfixture: invalid argument/);
  });

  test('calls a file that ran out of time a timeout, even with a summary', () => {
    assert.equal(verdictOf(ENDED, true).end, 'timeout');
    assert.equal(verdictOf('', true).testCount, 0);
  });
});

describe('isEqualVerdict()', () => {
  test('goes by the end, the counts and the names, not by the time', () => {
    const verdict = verdictOf(ENDED);
    assert(isEqualVerdict(verdict, { ...verdict, durationMs: 99 }));
    assert(!isEqualVerdict(verdict, { ...verdict, end: 'crashed' }));
    assert(!isEqualVerdict(verdict, { ...verdict, testCount: 4 }));
    assert(!isEqualVerdict(verdict, { ...verdict, errorCount: 0 }));
    assert(!isEqualVerdict(verdict, { ...verdict, failed: ['select1-1.3'] }));
  });
});
