import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { nodeFileLocks as locks } from '@skein/host';
import { SHARED_FIRST, SHARED_SIZE, WAL_DMS_LOCK, WAL_WRITE_LOCK } from '@skein/sqlite-file';
import { onTestEnd, requirePart, startSqlite, tempDir, type TestScope } from '@skein/testkit';

import { PresenceLocks } from './presence-locks.ts';

function makeFiles(t: TestScope): string {
  const path = join(tempDir(t), 'app.db');
  writeFileSync(path, '');
  writeFileSync(`${path}-shm`, Buffer.from('the index'));
  return path;
}

function openFor(t: TestScope, path: string): number {
  const fd = openSync(path, 'r+');
  onTestEnd(t, () => closeSync(fd));
  return fd;
}

describe('PresenceLocks', () => {
  test('holds what says that there is a connection, and lets readers be', async (t) => {
    const path = makeFiles(t);
    const presence = new PresenceLocks(locks);
    onTestEnd(t, () => presence.leaveAll());
    const shmFd = await presence.join(1, path);

    const database = openFor(t, path);
    const shm = openFor(t, `${path}-shm`);
    assert.equal(locks.tryLockRange(database, 'exclusive', SHARED_FIRST, SHARED_SIZE), false);
    assert.equal(locks.tryLockRange(database, 'shared', SHARED_FIRST, SHARED_SIZE), true);
    assert.equal(locks.tryLockRange(shm, 'exclusive', WAL_DMS_LOCK, 1), false);
    assert.equal(locks.tryLockRange(shm, 'shared', WAL_DMS_LOCK, 1), true);
    // The descriptor that is handed over may take the writer's place.
    assert.equal(locks.tryLockRange(shmFd, 'exclusive', WAL_WRITE_LOCK, 1), true);
    assert.equal(locks.tryLockRange(shm, 'exclusive', WAL_WRITE_LOCK, 1), false);

    await presence.leave(1);
    assert.equal(locks.tryLockRange(database, 'exclusive', SHARED_FIRST, SHARED_SIZE), true);
    assert.equal(locks.tryLockRange(shm, 'exclusive', WAL_WRITE_LOCK, 1), true);
  });

  test('reads the index, and says when it is shorter than it must be', async (t) => {
    const path = makeFiles(t);
    const presence = new PresenceLocks(locks);
    onTestEnd(t, () => presence.leaveAll());
    await presence.join(1, path);
    assert.equal(Buffer.from(await presence.readIndex(1, 9)).toString(), 'the index');
    await assert.rejects(presence.readIndex(1, 10), /ends after 9 bytes/);
  });

  test('waits for who is alone for a moment', async (t) => {
    const path = makeFiles(t);
    const presence = new PresenceLocks(locks);
    onTestEnd(t, () => presence.leaveAll());
    const shm = openSync(`${path}-shm`, 'r+');
    assert.equal(locks.tryLockRange(shm, 'exclusive', WAL_DMS_LOCK, 1), true);
    setTimeout(() => closeSync(shm), 50);
    await presence.join(1, path);
  });

  test('gives up when the mount is taken down, and leaves nothing open', async (t) => {
    const path = makeFiles(t);
    const presence = new PresenceLocks(locks);
    const shm = openFor(t, `${path}-shm`);
    assert.equal(locks.tryLockRange(shm, 'exclusive', WAL_DMS_LOCK, 1), true);
    const joined = presence.join(1, path);
    setTimeout(() => void presence.leaveAll(), 20);
    await assert.rejects(joined, { code: 'DATABASE_IN_USE' });
    const database = openFor(t, path);
    assert.equal(locks.tryLockRange(database, 'exclusive', SHARED_FIRST, SHARED_SIZE), true);
  });

  test('keeps SQLite from removing a WAL with the last connection', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const path = join(tempDir(t), 'wal.db');
    const client = startSqlite(t);
    await client.open(path);
    await client.exec('PRAGMA journal_mode = wal');
    await client.exec('CREATE TABLE t (a)');
    const presence = new PresenceLocks(locks);
    onTestEnd(t, () => presence.leaveAll());
    await presence.join(1, path);
    await client.close();
    assert.ok((await presence.readIndex(1, 32_768)).some((byte) => byte !== 0));
    closeSync(openSync(`${path}-wal`, 'r'));
  });
});
