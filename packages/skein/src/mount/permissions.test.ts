import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { FileOwner } from '@skein/engine';

import { MountError } from './error-numbers.ts';
import {
  type Caller,
  checkAccess,
  checkOwner,
  checkRemoval,
  MAY_READ,
  MAY_WRITE,
} from './permissions.ts';

const ROOT: Caller = { uid: 0, gid: 0, pid: process.pid };
const OWNER: Caller = { uid: 1000, gid: 1000, pid: 0 };
const IN_GROUP: Caller = { uid: 1001, gid: 50, pid: 0 };
const OTHER: Caller = { uid: 1002, gid: 1002, pid: 0 };

const refuses = (code: string) => (error: unknown) =>
  error instanceof MountError && error.code === code;

function file(mode: number): FileOwner {
  return { uid: 1000, gid: 50, mode };
}

describe('checkAccess()', () => {
  test('goes by owner, group and others, in this order', () => {
    const mayWrite: ReadonlyArray<readonly [mode: number, who: Caller, isAllowed: boolean]> = [
      [0o600, OWNER, true],
      [0o600, IN_GROUP, false],
      [0o660, IN_GROUP, true],
      [0o660, OTHER, false],
      [0o666, OTHER, true],
      // The owner is nobody else, even where others may do more.
      [0o066, OWNER, false],
      [0o606, IN_GROUP, false],
      [0o000, ROOT, true],
    ];
    for (const [mode, who, isAllowed] of mayWrite) {
      const check = (): void => checkAccess(who, file(mode), MAY_READ | MAY_WRITE);
      if (isAllowed) assert.doesNotThrow(check, `0${mode.toString(8)} ${who.uid}`);
      else assert.throws(check, refuses('EACCES'), `0${mode.toString(8)} ${who.uid}`);
    }
  });
});

describe('checkOwner()', () => {
  test('lets root and the owner', () => {
    checkOwner(ROOT, file(0));
    checkOwner(OWNER, file(0));
    assert.throws(() => checkOwner(OTHER, file(0o777)), refuses('EPERM'));
  });
});

describe('checkRemoval()', () => {
  const openFolder: FileOwner = { uid: 0, gid: 0, mode: 0o777 };
  const stickyFolder: FileOwner = { uid: 0, gid: 0, mode: 0o1777 };

  test('asks for the folder, not for the file', () => {
    checkRemoval(OTHER, openFolder, file(0));
    const closed = { ...openFolder, mode: 0o755 };
    assert.throws(() => checkRemoval(OTHER, closed, file(0o777)), refuses('EACCES'));
  });

  test('asks for the owner in a sticky folder', () => {
    checkRemoval(OWNER, stickyFolder, file(0));
    checkRemoval(ROOT, stickyFolder, file(0));
    assert.throws(() => checkRemoval(OTHER, stickyFolder, file(0)), refuses('EPERM'));
  });
});
