// Whether this machine lets us mount, and what its kernel can do.

import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';

import type { CheckResult } from './check-result.ts';

const DEVICE = '/dev/fuse';
const HELPER = 'fusermount3';
const HELPER_CONFIG = '/etc/fuse.conf';

/** FUSE_PASSTHROUGH came with this version. */
const PASSTHROUGH_SINCE = [6, 9] as const;
/** What we ask of INIT (FUSE 7.31) came with this one. */
const KERNEL_MIN = [5, 4] as const;

/** CAP_SYS_ADMIN in capabilities(7). */
const CAP_SYS_ADMIN = 21n;

export function checkDevice(): CheckResult {
  const name = 'device';
  try {
    closeSync(openSync(DEVICE, constants.O_RDWR | constants.O_NONBLOCK));
    return { name, level: 'ok', message: `${DEVICE} opens` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO';
    return {
      name,
      level: 'fail',
      message: isMissing ? `there is no ${DEVICE}` : `opening ${DEVICE} gives ${code}`,
      fix: isMissing
        ? 'modprobe fuse; in a container: --device /dev/fuse'
        : `chmod 666 ${DEVICE}; in a container: --device /dev/fuse --cap-add SYS_ADMIN`,
    };
  }
}

export function checkRights(isRoot: boolean): CheckResult {
  const name = 'rights';
  if (!isRoot) return checkHelper(name);
  const status = readFileSync('/proc/self/status', 'latin1');
  const effective = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if (((effective >> CAP_SYS_ADMIN) & 1n) === 1n) {
    return { name, level: 'ok', message: 'root with CAP_SYS_ADMIN mounts directly' };
  }
  const message = 'root without CAP_SYS_ADMIN cannot mount';
  return { name, level: 'fail', message, fix: 'in a container: --cap-add SYS_ADMIN' };
}

/** Who is not root needs the helper, which must be a set-user-id program. */
function checkHelper(name: string): CheckResult {
  const path = findProgram(HELPER);
  if (path === undefined) {
    const message = `this user is not root, and ${HELPER} is not installed`;
    return { name, level: 'fail', message, fix: 'apt-get install fuse3' };
  }
  const { mode, uid } = statSync(path);
  if (uid !== 0 || (mode & 0o4000) === 0) {
    const message = `${path} is not a set-user-id program of root`;
    return { name, level: 'fail', message, fix: `chown root ${path} && chmod u+s ${path}` };
  }
  const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim();
  return { name, level: 'ok', message: `${path} mounts for this user (${version})` };
}

/** Asked only where the configuration says that other users are let in. */
export function checkAllowOther(isRoot: boolean): CheckResult {
  const name = 'allow-other';
  if (isRoot || /^\s*user_allow_other\s*$/m.test(readTextOrNothing(HELPER_CONFIG))) {
    return { name, level: 'ok', message: 'other users can be let in' };
  }
  const message = `${HELPER_CONFIG} does not let this user let others in`;
  const fix = `echo user_allow_other >> ${HELPER_CONFIG} as root, or say --no-allow-other`;
  return { name, level: 'fail', message, fix };
}

export function checkKernel(isRoot: boolean, version: string = release()): CheckResult {
  const name = 'kernel';
  if (!isAtLeast(version, KERNEL_MIN)) {
    const message = `Linux ${version} is too old`;
    return { name, level: 'fail', message, fix: `run Linux ${KERNEL_MIN.join('.')} or later` };
  }
  if (!isAtLeast(version, PASSTHROUGH_SINCE)) {
    const message = `Linux ${version} cannot pass journals through: commits take more round trips`;
    return { name, level: 'warn', message, fix: 'run Linux 6.9 or later' };
  }
  if (!isRoot) {
    const message = `Linux ${version} passes journals through, but only for root`;
    return { name, level: 'warn', message, fix: 'run skein mount as root' };
  }
  return { name, level: 'ok', message: `Linux ${version} passes journals through` };
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => canRun(path));
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readTextOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
