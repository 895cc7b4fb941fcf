// A folder of its own for a test, gone when the test is over.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { detachMount, listMounts } from './mounts.ts';
import { onTestEnd, type TestScope } from './test-cleanup.ts';

/** What statfs calls a FUSE file system: linux/magic.h. */
const FUSE_SUPER_MAGIC = 0x65735546;

/**
 * Creates an empty folder on the machine's own disk. If the test leaves a mount below it, the mount
 * is detached and the test fails: removing what is inside would go through to the daemon, or hang.
 */
export function tempDir(t: TestScope): string {
  assert.notEqual(statfsSync(tmpdir()).type, FUSE_SUPER_MAGIC, 'TMPDIR must not be on a mount');
  const path = mkdtempSync(join(tmpdir(), 'skein-test-'));
  onTestEnd(t, () => {
    const left = listMounts().filter((mount) => mount.path.startsWith(`${path}/`));
    for (const mount of left.toReversed()) detachMount(mount);
    rmSync(path, { recursive: true, force: true });
    assert.deepEqual(left, [], 'The test left mounts behind');
  });
  return path;
}
