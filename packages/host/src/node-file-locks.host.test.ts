import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';

import { nodeFileLocks as locks } from './node-file-locks.ts';

const folder = mkdtempSync(join(tmpdir(), 'skein-locks-'));
const path = join(folder, 'file');
after(() => rmSync(folder, { recursive: true }));

/** Another process that takes a POSIX lock, as SQLite does, and keeps it until it is killed. */
async function lockElsewhere(kind: string, start: number, length: number): Promise<ChildProcess> {
  const program = `
import fcntl, sys, time
f = open(sys.argv[1], 'r+b')
fcntl.lockf(f, fcntl.${kind}, ${length}, ${start})
print('locked', flush=True)
time.sleep(60)`;
  const child = spawn('python3', ['-c', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('nodeFileLocks', () => {
  let first = -1;
  let second = -1;
  beforeEach(() => {
    first = openSync(path, 'a+');
    second = openSync(path, 'a+');
  });
  // Closing drops what a test left locked.
  afterEach(() => {
    closeSync(first);
    closeSync(second);
  });

  test('tryLockFile() is exclusive between descriptors of one process', () => {
    assert.equal(locks.tryLockFile(first), true);
    assert.equal(locks.tryLockFile(first), true);
    assert.equal(locks.tryLockFile(second), false);
  });

  test('tryLockRange() lets readers share and keeps a writer out', () => {
    assert.equal(locks.tryLockRange(first, 'shared', 120, 8), true);
    assert.equal(locks.tryLockRange(second, 'shared', 120, 8), true);
    assert.equal(locks.tryLockRange(second, 'exclusive', 127, 1), false);
    assert.equal(locks.tryLockRange(second, 'exclusive', 128, 1), true);
  });

  test('tryLockRange() changes the kind of a lock that is held', () => {
    assert.equal(locks.tryLockRange(first, 'exclusive', 0, 10), true);
    assert.equal(locks.tryLockRange(second, 'shared', 0, 10), false);
    assert.equal(locks.tryLockRange(first, 'shared', 0, 10), true);
    assert.equal(locks.tryLockRange(second, 'shared', 0, 10), true);
  });

  test('unlockRange() drops a part of what is held', () => {
    locks.tryLockRange(first, 'exclusive', 0, 10);
    locks.unlockRange(first, 4, 2);
    assert.equal(locks.tryLockRange(second, 'exclusive', 4, 2), true);
    assert.equal(locks.tryLockRange(second, 'exclusive', 3, 1), false);
  });

  test('findHolder() reports an OFD lock without a pid', () => {
    locks.tryLockRange(first, 'shared', 5, 1);
    assert.deepEqual(locks.findHolder(second, 'exclusive', 0, 10), { kind: 'shared', pid: -1 });
    assert.equal(locks.findHolder(second, 'shared', 0, 10), undefined);
  });

  test('conflicts with the POSIX lock of another process and names its pid', async () => {
    const child = await lockElsewhere('LOCK_EX', 0x40000000, 512);
    assert.equal(locks.tryLockRange(first, 'shared', 0x40000002, 510), false);
    assert.deepEqual(locks.findHolder(first, 'shared', 0x40000002, 510), {
      kind: 'exclusive',
      pid: child.pid,
    });
    await kill(child);
    assert.equal(locks.tryLockRange(first, 'shared', 0x40000002, 510), true);
  });

  test('keeps a range lock when another descriptor of the file is closed', async () => {
    assert.equal(locks.tryLockRange(first, 'exclusive', 0, 1), true);
    closeSync(openSync(path, 'r'));
    assert.equal(locks.tryLockRange(second, 'exclusive', 0, 1), false);
  });

  test('locks beyond 4 GiB', () => {
    const far = 2 ** 40;
    assert.equal(locks.tryLockRange(first, 'exclusive', far, 1), true);
    assert.equal(locks.tryLockRange(second, 'exclusive', far, 1), false);
    assert.equal(locks.tryLockRange(second, 'exclusive', far - 1, 1), true);
  });

  test('throws for a descriptor that is closed and for an empty range', () => {
    const closed = openSync(path, 'r');
    closeSync(closed);
    assert.throws(() => locks.tryLockRange(closed, 'shared', 0, 1), { code: 'EBADF' });
    assert.throws(() => locks.findHolder(closed, 'shared', 0, 1), { code: 'EBADF' });
    assert.throws(() => locks.tryLockFile(closed), { code: 'EBADF' });
    assert.throws(() => locks.tryLockRange(first, 'shared', 0, 0), { code: 'ASSERTION_FAILED' });
    assert.throws(() => locks.unlockRange(first, 0, 0), { code: 'ASSERTION_FAILED' });
  });
});
