import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lockPgno, PENDING_BYTE, SHARED_FIRST, SHARED_SIZE } from './lock-bytes.ts';
import { isPageSize } from './page-size.ts';

test('lockPgno() is the page that holds all lock bytes, for every page size', () => {
  for (let pageSize = 512; pageSize <= 65_536; pageSize *= 2) {
    const start = (lockPgno(pageSize) - 1) * pageSize;
    assert.ok(start <= PENDING_BYTE && SHARED_FIRST + SHARED_SIZE <= start + pageSize);
  }
  assert.equal(lockPgno(4096), 262_145);
});

test('isPageSize() accepts the eight page sizes and no other number up to 2**17', () => {
  const accepted = Array.from({ length: 2 ** 17 + 1 }, (_, n) => n).filter(isPageSize);
  assert.deepEqual(accepted, [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]);
  assert.equal(isPageSize(2 ** 32 + 512), false);
});
