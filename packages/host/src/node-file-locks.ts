// FileLocks on the locks of the Linux kernel.

import { assert } from '@skein/bytes';

import type { FileLocks, LockKind } from './file-locks.ts';
import {
  F_RDLCK,
  F_UNLCK,
  F_WRLCK,
  findConflictingLock,
  tryFlock,
  trySetOfdLock,
} from './syscalls/locks.ts';

function lockType(kind: LockKind): number {
  return kind === 'shared' ? F_RDLCK : F_WRLCK;
}

export const nodeFileLocks: FileLocks = {
  tryLockFile: tryFlock,

  tryLockRange: (fd, kind, start, length) => {
    // To the kernel a length of 0 means "up to the end of the file, wherever that will be".
    assert(length > 0, 'Locks an empty range');
    return trySetOfdLock(fd, lockType(kind), { start, length });
  },

  unlockRange: (fd, start, length) => {
    assert(length > 0, 'Unlocks an empty range');
    const dropped = trySetOfdLock(fd, F_UNLCK, { start, length });
    assert(dropped, 'Dropping a lock met a conflict');
  },

  findHolder: (fd, kind, start, length) => {
    const found = findConflictingLock(fd, lockType(kind), { start, length });
    if (found === undefined) return undefined;
    return { kind: found.type === F_RDLCK ? 'shared' : 'exclusive', pid: found.pid };
  },
};
