// Passthrough: files that the kernel reads and writes by itself, without asking the daemon
// (FUSE_PASSTHROUGH, Linux 6.9).
//
// The daemon registers an open file of some other file system and gets an id for it; an OPEN or
// CREATE that is answered with FOPEN.PASSTHROUGH and that id has its reads, writes and mappings
// done on that file. GETATTR, SETATTR, FSYNC and FLUSH are still asked. All handles that are open
// on one node at a time must be passed through, and to the same file.
//
// Needs CAP_SYS_ADMIN, and excludes WRITEBACK_CACHE.

import { ioctl, SyscallError } from '@skein/host';

import type { Negotiated } from './wire/init.ts';

// _IOW(229, 1, struct fuse_backing_map) and _IOW(229, 2, uint32_t). Cannot change.
const FUSE_DEV_IOC_BACKING_OPEN = 0x4010_e501;
const FUSE_DEV_IOC_BACKING_CLOSE = 0x4004_e502;

/**
 * Registers an open file for passthrough and returns its id, which is greater than 0. The
 * descriptor may be closed afterwards. Throws SyscallError: EPERM without privileges, ELOOP when
 * the file lies on a file system that is itself stacked on another.
 */
export function registerBackingFile(deviceFd: number, fileFd: number): number {
  // struct fuse_backing_map: 0 i32 fd, 4 u32 flags, 8 u64 padding.
  const map = new Uint8Array(16);
  new DataView(map.buffer).setInt32(0, fileFd, true);
  return ioctl(deviceFd, FUSE_DEV_IOC_BACKING_OPEN, map);
}

/** Gives an id back. Handles that were opened with it go on until they are closed. */
export function unregisterBackingFile(deviceFd: number, backingId: number): void {
  const id = new Uint8Array(4);
  new DataView(id.buffer).setUint32(0, backingId, true);
  ioctl(deviceFd, FUSE_DEV_IOC_BACKING_CLOSE, id);
}

/**
 * Why passthrough to the file system of `fileFd` cannot be used, for people to read; undefined when
 * it can. To be asked once, after the connection has been negotiated.
 */
export function findPassthroughObstacle(
  negotiated: Negotiated,
  deviceFd: number,
  fileFd: number,
): string | undefined {
  if (!negotiated.offered.has('PASSTHROUGH'))
    return 'the kernel does not offer it (Linux 6.9 does)';
  if (!negotiated.flags.has('PASSTHROUGH')) return 'it was not asked for';
  try {
    unregisterBackingFile(deviceFd, registerBackingFile(deviceFd, fileFd));
    return undefined;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.code === 'EPERM') return 'it needs root (CAP_SYS_ADMIN) and no writeback cache';
    return `the kernel refuses this file: ${error.code}`;
  }
}
