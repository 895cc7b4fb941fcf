// What lies on a mountpoint already: the mount of a daemon that died, which is cleared away, or one
// that lives, which is not.
//
// A dead daemon leaves its mount in the tree; every call on it gives ENOTCONN. Whether it is dead
// can only be found out by a call, and a daemon that hangs would hang the caller too: so the call
// is made by a child, which can be killed as long as the daemon has not taken up its request. The
// call is statfs(2): a stat(2) may be answered by the kernel, from what it remembers.

import { spawnSync } from 'node:child_process';

import { detachTarget, SyscallError } from '@skein/host';

import { FuseMountError } from '../errors.ts';
import { tryDetachWithFusermount } from './fusermount.ts';
import { findMount, type MountTableEntry } from './mount-table.ts';

const PROBE_TIMEOUT_MS = 3_000;
/** More stacked dead mounts than this are not an accident that we should clean up. */
const STALE_MOUNTS_MAX = 16;

const PROBE = `
  try { require('node:fs').statfsSync(process.argv[1]); }
  catch (error) { process.exit(error.code === 'ENOTCONN' ? 3 : 0); }`;

function isFuse(entry: MountTableEntry): boolean {
  return entry.type === 'fuse' || entry.type.startsWith('fuse.');
}

function isDead(mountpoint: string): boolean {
  const probe = spawnSync(process.execPath, ['-e', PROBE, mountpoint], {
    stdio: 'ignore',
    timeout: PROBE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  return probe.status === 3;
}

function tryDetach(mountpoint: string): boolean {
  if (process.geteuid?.() !== 0) return tryDetachWithFusermount(mountpoint);
  try {
    detachTarget(mountpoint);
    return true;
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}

/**
 * Detaches the mounts of dead daemons from a mountpoint and returns how many there were. Throws
 * FUSE_ALREADY_MOUNTED when a FUSE mount lives there. Other file systems are left alone: one mounts
 * over them.
 */
export function clearStaleMounts(mountpoint: string): number {
  for (let detached = 0; ; detached += 1) {
    const entry = findMount(mountpoint);
    if (entry === undefined || !isFuse(entry)) return detached;
    const isStale = detached < STALE_MOUNTS_MAX && isDead(mountpoint);
    if (isStale && tryDetach(mountpoint)) continue;
    const state = isStale ? 'is left there by a daemon that died' : 'is mounted there';
    const remedy = isStale ? 'Detach it as root: umount -l' : 'Stop its daemon, or: umount';
    throw new FuseMountError(
      'FUSE_ALREADY_MOUNTED',
      `Cannot mount on ${mountpoint}: ${entry.source} (${entry.type}) ${state}`,
      { mountpoint, hint: `${remedy} ${mountpoint}` },
    );
  }
}
