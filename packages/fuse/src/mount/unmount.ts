// Taking a mount down so that it always ends, within a bounded time, whatever the clients do.
//
// First politely, for as long as the grace lasts: while files are open in it a mount is busy. Then
// the connection is aborted, which fails all requests of the clients, and only then the mount is
// detached lazily: in the other order nothing would reach the connection any more.

import { setTimeout as sleep } from 'node:timers/promises';

import { MNT_DETACH, MNT_FORCE, SyscallError, UMOUNT_NOFOLLOW, unmountTarget } from '@skein/host';

import { FuseMountError } from '../errors.ts';
import { tryAbortConnection } from './connection.ts';
import { unmountWithFusermount } from './fusermount.ts';
import type { FuseMount } from './mount.ts';
import { findMount } from './mount-table.ts';

/**
 * `clean`: nobody had a file open any more.
 * `aborted`: the connection was aborted; clients that still had files open get ENOTCONN from them,
 *   and ECONNABORTED from calls that were under way.
 * `detached`: out of the tree, but not aborted, for want of privileges: the clients can go on until
 *   the descriptor of the device is closed, which must be done now.
 * `gone`: it was not mounted any more.
 */
export type UnmountWay = 'clean' | 'aborted' | 'detached' | 'gone';

export interface UnmountOptions {
  /** How long to wait for clients to close their files. Default: 2 s. */
  readonly graceMs?: number;
}

const DEFAULT_GRACE_MS = 2_000;
const RETRY_MS = 50;
/** After an abort nothing waits for anybody; a call that still does not return never will. */
const FORCED_TIMEOUT_MS = 3_000;

type MountPlace = Pick<FuseMount, 'mountpoint' | 'deviceMinor'>;

/** Takes the mount down and says how. Throws FUSE_UNMOUNT_FAILED when it stays in the tree. */
export async function unmountFuse(
  mount: MountPlace,
  options: UnmountOptions = {},
): Promise<UnmountWay> {
  if (!isMounted(mount)) return 'gone';
  const deadlineMs = performance.now() + (options.graceMs ?? DEFAULT_GRACE_MS);
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    await callUnmount(mount, 0, Math.max(leftMs, RETRY_MS));
    if (!isMounted(mount)) return 'clean';
    if (performance.now() + RETRY_MS > deadlineMs) break;
    await sleep(RETRY_MS);
  }

  // As root MNT_FORCE aborts the connection too, then stops half-way if files are open.
  const isAborted = tryAbortConnection(mount.deviceMinor) || isRoot();
  await callUnmount(mount, MNT_FORCE, FORCED_TIMEOUT_MS);
  if (isMounted(mount)) await callUnmount(mount, MNT_DETACH, FORCED_TIMEOUT_MS);
  if (isMounted(mount)) {
    const { mountpoint } = mount;
    throw new FuseMountError(
      'FUSE_UNMOUNT_FAILED',
      `Cannot unmount ${mountpoint}: it stays mounted after abort and detach`,
      { mountpoint, hint: `As root: umount -l ${mountpoint}` },
    );
  }
  return isAborted ? 'aborted' : 'detached';
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Whether it is still this mount that covers the mountpoint, and not another one. */
function isMounted(mount: MountPlace): boolean {
  return findMount(mount.mountpoint)?.deviceMinor === mount.deviceMinor;
}

/**
 * Asks for the unmount and waits for the answer, but not for ever: the kernel may be waiting for a
 * daemon that hangs. What came of it the mount table tells, whatever the error.
 */
async function callUnmount(mount: MountPlace, flags: number, timeoutMs: number): Promise<void> {
  const call = isRoot()
    ? unmountTarget(mount.mountpoint, flags | UMOUNT_NOFOLLOW)
    : unmountWithFusermount(mount.mountpoint, (flags & MNT_DETACH) !== 0);
  const timer = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    await Promise.race([call, timeout]);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  } finally {
    timer.abort();
  }
}
