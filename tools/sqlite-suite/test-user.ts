// Who runs the tests: somebody who may not everything, since SQLite's tests of missing rights fail
// when root runs them.

export interface TestUser {
  readonly uid: number;
  readonly gid: number;
}

/** Debian's nobody and nogroup. */
const NOBODY: TestUser = { uid: 65_534, gid: 65_534 };

/** Undefined: whoever we are, since we are not root. */
export function testUser(): TestUser | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}
