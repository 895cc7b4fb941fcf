import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseMountTable } from './mount-table.ts';

const TABLE = String.raw`22 28 0:21 / /sys rw,nosuid - sysfs sysfs rw
28 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw
40 28 0:52 / /srv/my\040data\011x rw,nosuid,nodev - fuse.skein skein\040one rw,user_id=0
41 28 0:53 / /srv/back\134slash rw - fuse.skein skein rw
`;

describe('parseMountTable()', () => {
  test('reads mountpoint, type, source and device', () => {
    assert.deepEqual(parseMountTable(TABLE).slice(0, 2), [
      { mountpoint: '/sys', type: 'sysfs', source: 'sysfs', deviceMinor: 21 },
      { mountpoint: '/', type: 'ext4', source: '/dev/vda', deviceMinor: 0 },
    ]);
  });

  test('undoes the escapes', () => {
    const [, , spaces, backslash] = parseMountTable(TABLE);
    assert.deepEqual(spaces, {
      mountpoint: '/srv/my data\tx',
      type: 'fuse.skein',
      source: 'skein one',
      deviceMinor: 52,
    });
    assert.equal(backslash?.mountpoint, String.raw`/srv/back\slash`);
  });

  test('skips lines that it does not understand', () => {
    assert.deepEqual(parseMountTable(''), []);
    assert.deepEqual(parseMountTable('nonsense\n1 2 3\na - b\n'), []);
  });
});
