// What keeps this machine from mounting anything, in one line with its cure.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';

/** Undefined when nothing does. */
export function findObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'Skein mounts through FUSE, so it needs Linux';
  if (!existsSync('/dev/fuse')) {
    return 'There is no /dev/fuse: modprobe fuse, or give the container the device';
  }
  if (process.getuid?.() === 0) {
    if (hasProgram('mount')) return undefined;
    return 'There is no mount program: install it (apt-get install mount)';
  }
  if (!canUse('/dev/fuse')) return 'You may not open /dev/fuse: run this as root, or chmod 666 it';
  if (hasProgram('fusermount3')) return undefined;
  return 'You are not root, and there is no fusermount3: install it (apt-get install fuse3)';
}

export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function canUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
