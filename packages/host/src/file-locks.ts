// Locks on files, as the kernel keeps them.

export type LockKind = 'shared' | 'exclusive';

export interface LockHolder {
  readonly kind: LockKind;
  /** Process that holds the lock; -1 when it is an open file description's (OFD) lock. */
  readonly pid: number;
}

/**
 * `fd` is a descriptor that the caller keeps open. Ranges are in bytes. Range locks are open file
 * description locks (fcntl F_OFD_*): they conflict with the POSIX locks that SQLite takes, belong
 * to the descriptor rather than to the process, and vanish when it is closed.
 */
export interface FileLocks {
  /** Locks the whole file for this descriptor (flock); false when somebody else has it. */
  tryLockFile(fd: number): boolean;
  /** Takes a range, or changes its kind; false when a conflicting lock is held. */
  tryLockRange(fd: number, kind: LockKind, start: number, length: number): boolean;
  unlockRange(fd: number, start: number, length: number): void;
  /** Who would be in the way of taking the range; undefined when nobody. */
  findHolder(fd: number, kind: LockKind, start: number, length: number): LockHolder | undefined;
}
