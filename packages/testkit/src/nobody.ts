// User nobody, for what is different when one is not root.

import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

import { requirePart, skipTest } from './require-part.ts';

/** As user and as group. */
export const NOBODY = 65_534;

/** A command that runs what follows as nobody. */
export const AS_NOBODY: readonly [string, ...string[]] = [
  'setpriv',
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  '--clear-groups',
];

/**
 * Whether a test can run programs of this checkout as nobody, who must be able to read `source`,
 * one of its files, and Node: not where it lies below root's home. Skips it if not.
 */
export function canRunAsNobody(t: Pick<TestContext, 'skip'>, source: string): boolean {
  if (!requirePart(t, 'fuse', 'root', 'setpriv')) return false;
  const [program, ...args] = AS_NOBODY;
  const script = 'test -r "$1" -a -x "$2"';
  const test = spawnSync(program, [...args, 'sh', '-c', script, 'sh', source, process.execPath]);
  return test.status === 0 || skipTest(t, 'User nobody may not read this checkout');
}
