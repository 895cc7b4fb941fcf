// Making mounts and taking them down.

import { checkResult, lastErrno, libcFunction, syscallError } from './libc.ts';

/** No set-user-id programs on this mount. */
export const MS_NOSUID = 2;
/** No device files on this mount. */
export const MS_NODEV = 4;
/** Aborts what the file system has under way; for FUSE this ends the connection to its daemon. */
export const MNT_FORCE = 1;
/** Takes the mount out of the tree at once; it lives on for whoever still has files open in it. */
export const MNT_DETACH = 2;
/** Does not follow a symbolic link at the mountpoint. */
export const UMOUNT_NOFOLLOW = 8;

const libcMount = libcFunction<
  (source: string, target: string, type: string, flags: number, data: string) => number
>('int mount(str source, str target, str type, ulong flags, str data)');
const libcUmount2 = libcFunction<(target: string, flags: number) => number>(
  'int umount2(str target, int flags)',
);

export interface MountCall {
  /** What the mount table shows as mounted. */
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly flags: number;
  /** Options of the file system: "fd=3,rootmode=40000". */
  readonly data: string;
}

/** mount(2). Needs privileges: throws SyscallError EPERM without. */
export function mountFilesystem(call: MountCall): void {
  const { source, target, type, flags, data } = call;
  checkResult('mount', libcMount(source, target, type, flags, data));
}

/** Takes a mount out of the tree at once (MNT_DETACH). Waits for nobody. Throws SyscallError. */
export function detachTarget(target: string): void {
  checkResult('umount2', libcUmount2(target, MNT_DETACH | UMOUNT_NOFOLLOW));
}

/**
 * umount2(2) on a thread of the pool, since the kernel may wait for the file system's daemon, which
 * may be this very process. Rejects with SyscallError: EBUSY while files are open in it, EINVAL
 * when nothing is mounted there.
 */
export function unmountTarget(target: string, flags: number): Promise<void> {
  return new Promise((resolve, reject) => {
    libcUmount2.async(target, flags, (error: Error | null, result: number) => {
      if (error !== null) reject(error);
      else if (result === -1) reject(syscallError('umount2', lastErrno()));
      else resolve();
    });
  });
}
