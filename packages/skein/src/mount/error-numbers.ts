// What a client is told when something fails: the engine's errors as error numbers of Linux.
//
// SQLite turns them into its own: EIO into SQLITE_IOERR, ENOSPC into SQLITE_FULL, EROFS at an open
// into a read-only connection, EACCES at the creation of a journal into SQLITE_CANTOPEN.

import { EngineError, type EngineErrorCode } from '@skein/engine';
import { DiskError, ERRNO, type ErrnoName } from '@skein/host';

const OF_ENGINE: Readonly<Record<EngineErrorCode, ErrnoName>> = {
  CHECKPOINT_CORRUPT: 'EIO',
  DATABASE_BROKEN: 'EROFS',
  DATABASE_CORRUPT: 'EIO',
  DATABASE_IN_USE: 'EBUSY',
  DATABASE_NAME: 'EINVAL',
  DATABASE_NOT_FOUND: 'ENOENT',
  DATA_DIRECTORY_FORMAT: 'EIO',
  DATA_DIRECTORY_IN_USE: 'EBUSY',
  EPOCH_TOO_LOW: 'EIO',
  IMAGE_FORMAT: 'EINVAL',
  IMAGE_PAGE_SIZE: 'EINVAL',
  LOG_CORRUPT: 'EIO',
  LOG_FAILED: 'EROFS',
  LOG_TRIMMED: 'EIO',
  NODE_SUSPENDED: 'EROFS',
  OPERATION_NOT_SUPPORTED: 'EPERM',
  POSITION_MISMATCH: 'EIO',
  RECEIVED_CORRUPT: 'EIO',
  REPLICA_READ_ONLY: 'EACCES',
  SNAPSHOT_FAILED: 'EIO',
  WAL_BEHIND_LOG: 'EIO',
  WRITE_NOT_IN_LOG: 'EIO',
  WRITE_WITHOUT_JOURNAL: 'EIO',
};

/** The positive error number for what was thrown; undefined for a bug. */
export function maybeErrorNumber(error: unknown): number | undefined {
  if (error instanceof EngineError) return ERRNO[OF_ENGINE[error.code]];
  if (error instanceof MountError) return ERRNO[error.code];
  if (error instanceof DiskError) return ERRNO[error.code as ErrnoName] ?? ERRNO.EIO;
  return undefined;
}

/** A request that the mount refuses by itself, in words that need no explanation. */
export class MountError extends Error {
  override readonly name = 'MountError';
  readonly code: ErrnoName;

  constructor(code: ErrnoName) {
    super(code);
    this.code = code;
  }
}
