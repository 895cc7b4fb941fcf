import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseMountinfo } from './mounts.ts';

describe('parseMountinfo()', () => {
  test('reads paths with blanks, any number of optional fields, and the device', () => {
    const text = [
      '22 27 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw',
      '36 35 98:0 /mnt1 /mnt/with\\040blank\\134and\\012more rw master:1 - ext3 /dev/vda rw',
      '90 27 0:57 / /mnt/db rw - fuse.skein skein rw,user_id=0',
      '',
    ].join('\n');
    assert.deepEqual(parseMountinfo(text), [
      { path: '/sys', type: 'sysfs', deviceMinor: 20 },
      { path: '/mnt/with blank\\and\nmore', type: 'ext3', deviceMinor: 0 },
      { path: '/mnt/db', type: 'fuse.skein', deviceMinor: 57 },
    ]);
  });
});
