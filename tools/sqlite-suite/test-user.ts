// Who runs the tests: somebody who may not everything, since SQLite's tests of missing rights fail
// when root runs them.

import { chownSync, mkdirSync, rmSync } from 'node:fs';

import { NOBODY } from '@skein/testkit';

export interface TestUser {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined: whoever we are, since we are not root. */
export function testUser(): TestUser | undefined {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;
}

/** An empty folder that belongs to the test user, in place of what was there. */
export function makeTestFolder(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  const user = testUser();
  if (user !== undefined) chownSync(path, user.uid, user.gid);
  return path;
}
