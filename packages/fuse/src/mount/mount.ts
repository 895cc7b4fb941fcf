// Mounting a FUSE file system: as root by mount(2), otherwise with the help of fusermount3, a
// set-user-id program of Debian's fuse3 that mounts on our behalf and hands us the descriptor.
//
// mount(2) rather than mount(8): it needs no program and tells what is wrong by an error number,
// not in some language. The kernel's INIT request waits in the device until the loop runs.

import { closeSync, openSync, constants, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { mountFilesystem, MS_NODEV, MS_NOSUID, SyscallError } from '@skein/host';

import { FuseMountError, type FuseMountErrorCode } from '../errors.ts';
import { findContents } from './folder-contents.ts';
import { mountWithFusermount } from './fusermount.ts';
import type { MountOptions } from './mount-options.ts';
import { findMount } from './mount-table.ts';
import { clearStaleMounts } from './stale-mount.ts';

/** A mount that was made. The descriptor is ours to close, after the mount is gone. */
export interface FuseMount {
  /** The descriptor of /dev/fuse, non-blocking; its number is valid in every thread. */
  readonly fd: number;
  /** Absolute and without symbolic links. */
  readonly mountpoint: string;
  /** Names the connection in /sys/fs/fuse/connections. */
  readonly deviceMinor: number;
  /** How many mounts of dead daemons were found at the mountpoint and detached. */
  readonly staleMountsDetached: number;
}

const DEVICE = '/dev/fuse';

/** Makes a mount. Throws FuseMountError, with a hint where there is a remedy. */
export function mountFuse(options: MountOptions): FuseMount {
  const mountpoint = resolveMountpoint(options.mountpoint);
  const staleMountsDetached = clearStaleMounts(mountpoint);
  checkFolder(mountpoint, options.mustBeEmpty ?? false);

  const fd =
    process.geteuid?.() === 0
      ? mountAsRoot(mountpoint, options)
      : mountWithFusermount(mountpoint, options);
  const entry = findMount(mountpoint);
  if (entry === undefined) {
    closeSync(fd);
    throw mountError('FUSE_MOUNT_FAILED', mountpoint, 'It is not in the mount table');
  }
  return { fd, mountpoint, deviceMinor: entry.deviceMinor, staleMountsDetached };
}

function mountError(
  code: FuseMountErrorCode,
  mountpoint: string,
  reason: string,
  details: { readonly hint?: string; readonly cause?: unknown } = {},
): FuseMountError {
  const message = `Cannot mount on ${mountpoint}: ${reason}`;
  return new FuseMountError(code, message, { mountpoint, ...details });
}

/** The path as the mount table will show it, found without touching what may be mounted there. */
function resolveMountpoint(path: string): string {
  const absolute = resolve(path);
  try {
    const parent = realpathSync.native(dirname(absolute));
    const unresolved = join(parent, basename(absolute));
    return findMount(unresolved) === undefined ? realpathSync.native(unresolved) : unresolved;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT') {
      throw mountError('FUSE_MOUNT_FAILED', absolute, `Looking for it gives ${code}`, { cause });
    }
    const hint = `Create it: mkdir -p ${absolute}`;
    throw mountError('FUSE_MOUNTPOINT_MISSING', absolute, 'There is no such folder', {
      hint,
      cause,
    });
  }
}

function checkFolder(mountpoint: string, mustBeEmpty: boolean): void {
  if (!statSync(mountpoint).isDirectory()) {
    throw mountError('FUSE_MOUNTPOINT_NOT_A_FOLDER', mountpoint, 'It is not a folder');
  }
  const [first, ...more] = mustBeEmpty ? findContents(mountpoint) : [];
  if (first === undefined) return;
  const what = more.length === 0 ? first : `${first} and ${more.length} more`;
  throw mountError('FUSE_MOUNTPOINT_NOT_EMPTY', mountpoint, `The folder has ${what} in it`, {
    hint:
      'The mount would hide that. Was it written while nothing was mounted? ' +
      'Then look what is in it, and move it away; else choose an empty folder',
  });
}

function openDevice(mountpoint: string): number {
  try {
    return openSync(DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO') {
      throw mountError('FUSE_DEVICE_MISSING', mountpoint, `There is no ${DEVICE}`, {
        hint: 'Load the module: modprobe fuse. In a container: --device /dev/fuse',
        cause,
      });
    }
    throw mountError('FUSE_NOT_PERMITTED', mountpoint, `Opening ${DEVICE} gives ${code}`, {
      hint: 'In a container: --device /dev/fuse --cap-add SYS_ADMIN',
      cause,
    });
  }
}

function mountAsRoot(mountpoint: string, options: MountOptions): number {
  const fd = openDevice(mountpoint);
  const data = [
    `fd=${fd}`,
    // The type of the root: a folder. Permissions come with its attributes.
    'rootmode=40000',
    'user_id=0',
    'group_id=0',
    ...(options.allowOther === true ? ['allow_other'] : []),
    ...(options.defaultPermissions === true ? ['default_permissions'] : []),
  ].join(',');
  const type = `fuse.${options.subtype}`;
  const flags = MS_NOSUID | MS_NODEV;
  try {
    mountFilesystem({ source: options.source, target: mountpoint, type, flags, data });
    return fd;
  } catch (cause) {
    closeSync(fd);
    const code = cause instanceof SyscallError ? cause.code : String(cause);
    if (code === 'EPERM' || code === 'EACCES') {
      throw mountError('FUSE_NOT_PERMITTED', mountpoint, `The kernel says ${code}`, {
        hint: 'Root without CAP_SYS_ADMIN cannot mount. In a container: --cap-add SYS_ADMIN',
        cause,
      });
    }
    throw mountError('FUSE_MOUNT_FAILED', mountpoint, `The kernel says ${code}`, { cause });
  }
}
