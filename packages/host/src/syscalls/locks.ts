// Advisory locks: open file description locks (fcntl F_OFD_*) and flock.
//
// OFD locks conflict with the POSIX locks of other processes, SQLite's among them, but belong to
// the open file description: closing some other descriptor of the same file does not drop them,
// which is the trap of plain POSIX locks.

import { ERRNO } from './errno.ts';
import { checkResult, lastErrno, libcFunction, syscallError } from './libc.ts';

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const LOCK_EX = 2;
const LOCK_NB = 4;

export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;

/** What F_OFD_GETLK found in the way. `pid` is -1 for an OFD lock. */
export interface FoundLock {
  readonly type: number;
  readonly pid: number;
}

export interface LockRange {
  readonly start: number;
  readonly length: number;
}

const libcFcntl = libcFunction<(fd: number, command: number, lock: Uint8Array) => number>(
  'int fcntl(int fd, int command, void *lock)',
);
const libcFlock = libcFunction<(fd: number, operation: number) => number>(
  'int flock(int fd, int operation)',
);

/** struct flock: 0 short type, 2 short whence, 8 off_t start, 16 off_t length, 24 pid_t pid. */
function encodeFlock(type: number, range: LockRange): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, type, true);
  view.setBigInt64(8, BigInt(range.start), true);
  view.setBigInt64(16, BigInt(range.length), true);
  return bytes;
}

/** Takes, changes or drops (F_UNLCK) a lock on a range without waiting; false when it conflicts. */
export function trySetOfdLock(fd: number, type: number, range: LockRange): boolean {
  if (libcFcntl(fd, F_OFD_SETLK, encodeFlock(type, range)) !== -1) return true;
  const errno = lastErrno();
  if (errno === ERRNO.EAGAIN || errno === ERRNO.EACCES) return false;
  throw syscallError('fcntl', errno);
}

/** The first lock that would keep one of `type` from being taken; undefined when there is none. */
export function findConflictingLock(
  fd: number,
  type: number,
  range: LockRange,
): FoundLock | undefined {
  const bytes = encodeFlock(type, range);
  checkResult('fcntl', libcFcntl(fd, F_OFD_GETLK, bytes));
  const view = new DataView(bytes.buffer);
  const found = view.getInt16(0, true);
  return found === F_UNLCK ? undefined : { type: found, pid: view.getInt32(24, true) };
}

/**
 * flock(2) of the whole file, exclusive and without waiting; false when somebody else has it. It is
 * dropped when the file is closed.
 */
export function tryFlock(fd: number): boolean {
  if (libcFlock(fd, LOCK_EX | LOCK_NB) !== -1) return true;
  const errno = lastErrno();
  if (errno === ERRNO.EAGAIN) return false;
  throw syscallError('flock', errno);
}
