import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { tempDir } from '@skein/testkit';

import { FuseMountError } from '../errors.ts';
import { tryAbortConnection, trySetReadahead } from './connection.ts';
import { mountFuse } from './mount.ts';
import { findMount } from './mount-table.ts';
import { unmountFuse } from './unmount.ts';

/** What is said about a mountpoint that cannot be one. */
function refusal(mountpoint: string, mustBeEmpty = false): FuseMountError {
  try {
    mountFuse({ mountpoint, source: 'test', subtype: 'test', mustBeEmpty });
  } catch (error) {
    if (error instanceof FuseMountError) return error;
    throw error;
  }
  return assert.fail('It was mounted');
}

describe('mountFuse() refuses', () => {
  test('a mountpoint that does not exist, and says how to create it', (t) => {
    const missing = join(tempDir(t), 'a', 'b');
    const { code, message, hint, mountpoint } = refusal(missing);
    assert.equal(code, 'FUSE_MOUNTPOINT_MISSING');
    assert.equal(message, `Cannot mount on ${missing}: There is no such folder`);
    assert.equal(hint, `Create it: mkdir -p ${missing}`);
    assert.equal(mountpoint, missing);
  });

  test('a mountpoint that is a file', (t) => {
    const file = join(tempDir(t), 'file');
    writeFileSync(file, '');
    assert.equal(refusal(file).code, 'FUSE_MOUNTPOINT_NOT_A_FOLDER');
  });

  test('a symbolic link that leads nowhere', (t) => {
    const link = join(tempDir(t), 'link');
    symlinkSync('nowhere', link);
    assert.equal(refusal(link).code, 'FUSE_MOUNTPOINT_MISSING');
  });

  test('what lies behind a file', (t) => {
    const file = join(tempDir(t), 'file');
    writeFileSync(file, '');
    const { code, message } = refusal(join(file, 'below'));
    assert.equal(code, 'FUSE_MOUNT_FAILED');
    assert.match(message, /Looking for it gives ENOTDIR$/);
  });

  test('a folder that is not empty, if that was asked for', (t) => {
    const folder = tempDir(t);
    mkdirSync(join(folder, 'something'));
    writeFileSync(join(folder, 'app.db'), 'x');
    const { code, message } = refusal(folder, true);
    assert.equal(code, 'FUSE_MOUNTPOINT_NOT_EMPTY');
    assert.match(message, /The folder has (?:something|app\.db) and 1 more in it$/);
  });
});

describe('what is not mounted', () => {
  test('is not found, and is gone for unmountFuse()', async (t) => {
    const mountpoint = tempDir(t);
    assert.equal(findMount(mountpoint), undefined);
    assert.equal(await unmountFuse({ mountpoint, deviceMinor: 4095 }), 'gone');
  });

  test('is not confused with the mount that is there', async () => {
    const proc = findMount('/proc');
    assert.equal(proc?.type, 'proc');
    assert.equal(await unmountFuse({ mountpoint: '/proc', deviceMinor: -1 }), 'gone');
    assert.equal(findMount('/proc')?.deviceMinor, proc?.deviceMinor);
  });

  test('has no connection to abort and no readahead to set', () => {
    assert.equal(tryAbortConnection(1 << 20), false);
    assert.equal(trySetReadahead(1 << 20, 4096), false);
  });
});
