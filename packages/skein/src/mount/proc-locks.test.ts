import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseProcLocks } from './proc-locks.ts';

describe('parseProcLocks()', () => {
  test('reads locks on ranges, and leaves out whole files and disks', () => {
    const text = [
      '1: POSIX  ADVISORY  WRITE 1234 00:2f:5 120 120',
      '1: -> POSIX  ADVISORY  WRITE 99 00:2f:5 120 120',
      '2: OFDLCK ADVISORY  READ  -1 00:01:131 1073741826 1073742335',
      '3: FLOCK  ADVISORY  WRITE 77 00:19:3 0 EOF',
      '4: POSIX  ADVISORY  READ  8 00:102:9 0 EOF',
      '5: POSIX  ADVISORY  WRITE 1234 fe:2f:5 120 120',
      '',
    ].join('\n');

    assert.deepEqual(parseProcLocks(text), [
      { isExclusive: true, pid: 1234, deviceMinor: 47, inode: 5, firstByte: 120, lastByte: 120 },
      {
        isExclusive: false,
        pid: -1,
        deviceMinor: 1,
        inode: 131,
        firstByte: 1073741826,
        lastByte: 1073742335,
      },
      { isExclusive: false, pid: 8, deviceMinor: 258, inode: 9, firstByte: 0, lastByte: Infinity },
    ]);
  });
});
