// The SQLite file that an import reads: at rest, and complete in itself.

import { closeSync, openSync, statSync } from 'node:fs';

import { nodeFileLocks } from '@skein/host';
import { SHARED_FIRST, SHARED_SIZE } from '@skein/sqlite-file';

import { FileError } from './errors.ts';

/**
 * Makes sure that no transaction is only in a file beside it, and keeps SQLite from beginning one,
 * with the lock that a reader has, until the answer is called.
 */
export function holdStill(path: string): () => void {
  const fd = openFile(path);
  try {
    if (!nodeFileLocks.tryLockRange(fd, 'shared', SHARED_FIRST, SHARED_SIZE)) {
      throw new FileError(`Cannot read ${path}: a program is writing to it`, 'Try again');
    }
    checkCompanion(path, '-wal', 'PRAGMA wal_checkpoint(TRUNCATE)');
    checkCompanion(path, '-journal', 'PRAGMA quick_check');
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return () => closeSync(fd);
}

function openFile(path: string): number {
  try {
    if (!statSync(path).isFile()) throw new FileError(`Cannot read ${path}: it is no file`);
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`Cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** What is in a WAL, or has to be played back from a journal, would be missing in the copy. */
function checkCompanion(path: string, suffix: string, cure: string): void {
  const size = statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return;
  throw new FileError(
    `Cannot import ${path} alone: a part of it may be in ${path}${suffix}`,
    `Have SQLite put it back: sqlite3 ${path} '${cure}'`,
  );
}
