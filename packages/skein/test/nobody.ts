// User nobody, for what is different when one is not root.

import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

import { requirePart } from '@skein/testkit';

export const NOBODY = 65_534;

/** A command that runs what follows as nobody. */
export const AS_NOBODY: readonly [string, ...string[]] = [
  'setpriv',
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  '--clear-groups',
];

/** The same in a world of its own where everybody may open /dev/fuse, as udev arranges it. */
export function asNobodyWithFuse(folder: string): readonly string[] {
  const device = `${folder}/fuse`;
  const script =
    `mknod -m 666 ${device} c 10 229 && mount --bind ${device} /dev/fuse && ` +
    `exec ${AS_NOBODY.join(' ')} "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
}

/** A command that runs what follows as nobody, with the mounts that process `pid` sees. */
export function besideAsNobody(pid: number): readonly string[] {
  return ['nsenter', '--mount', '--target', String(pid), ...AS_NOBODY];
}

/** Sources and Node must be readable to nobody, which a checkout below root's home is not. */
export function canRunAsNobody(t: TestContext): boolean {
  if (!requirePart(t, 'fuse', 'root', 'setpriv', 'sqlite3')) return false;
  const test = `test -r ${import.meta.filename} -a -x ${process.execPath}`;
  const [program, ...args] = [...AS_NOBODY, 'sh', '-c', test];
  if (spawnSync(program, args).status === 0) return true;
  t.skip('User nobody may not read this checkout');
  return false;
}
