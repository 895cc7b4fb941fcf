// A node of an earlier start that still runs. Its mount and its data are not to be touched: what
// begins anew would take them away under it.

import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { nodeFileLocks } from '@skein/host';

/** Its name, of those whose folders are in `home`; undefined when none runs. */
export function findRunningNode(home: string): string | undefined {
  if (!existsSync(home)) return undefined;
  return readdirSync(home).find((name) => isLocked(join(home, name, 'data', 'lock')));
}

/** In words, with what can be done. */
export function maybeTellRunning(home: string): string | undefined {
  const name = findRunningNode(home);
  if (name === undefined) return undefined;
  return `${name} runs already, in ${home}: end that first, or take another folder: --folder`;
}

/** A daemon has the lock of its data folder for as long as it lives. */
function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const fd = openSync(path, 'r');
  try {
    return !nodeFileLocks.tryLockFile(fd);
  } finally {
    closeSync(fd);
  }
}
