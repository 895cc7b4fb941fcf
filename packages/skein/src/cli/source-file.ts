// The SQLite file that an import reads: at rest, and complete in itself.

import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

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
    checkCompanions(path);
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

/** In a data folder of LiteFS these are the names of a database's files, in a folder of its own. */
const LITEFS_DATABASE = 'database';
const LITEFS_LTX_FOLDER = 'ltx';

/** What is in a WAL, or has to be played back from a journal, would be missing in the copy. */
function checkCompanions(path: string): void {
  const folder = dirname(path);
  if (basename(path) === LITEFS_DATABASE && existsSync(join(folder, LITEFS_LTX_FOLDER))) {
    const name = basename(folder);
    const cure =
      'Export it with LiteFS, or copy it together with what is beside it: ' +
      `database as ${name}, wal as ${name}-wal, journal as ${name}-journal`;
    refuseIf(sizeOf(join(folder, 'wal')) > 0, path, join(folder, 'wal'), cure);
    refuseIf(isHotJournal(join(folder, 'journal')), path, join(folder, 'journal'), cure);
  }
  const [wal, journal] = [`${path}-wal`, `${path}-journal`];
  const cure = `Have SQLite put it back: sqlite3 ${path}`;
  refuseIf(sizeOf(wal) > 0, path, wal, `${cure} 'PRAGMA wal_checkpoint(TRUNCATE)'`);
  refuseIf(isHotJournal(journal), path, journal, `${cure} 'PRAGMA quick_check'`);
}

function refuseIf(isPart: boolean, path: string, companion: string, cure: string): void {
  if (!isPart) return;
  throw new FileError(`Cannot import ${path} alone: a part of it may be in ${companion}`, cure);
}

/** Of the mode PERSIST stay journals that begin with zeros: SQLite plays none of them back. */
function isHotJournal(path: string): boolean {
  if (sizeOf(path) === 0) return false;
  const fd = openFile(path);
  try {
    const first = new Uint8Array(1);
    readSync(fd, first, 0, first.length, 0);
    return first[0] !== 0;
  } finally {
    closeSync(fd);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
