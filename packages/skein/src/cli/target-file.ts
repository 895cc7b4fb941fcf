// The file that an export makes: there as a whole, or not at all.

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import type { CommandContext } from './command-context.ts';
import { FileError } from './errors.ts';

const COMPANIONS = ['-journal', '-wal', '-shm'];

/**
 * Runs `write` with the path of an empty file, which then takes the place of `path`. Where a
 * database is already, `isForced` decides; what SQLite left beside it would be applied to the new
 * one, and goes.
 */
export async function writeWhole(
  { interrupts }: Pick<CommandContext, 'interrupts'>,
  path: string,
  isForced: boolean,
  write: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  if (!isForced) checkFree(path);
  const temporary = `${path}.${process.pid}.tmp`;
  createEmpty(temporary, path);
  const remove = (): void => rmSync(temporary, { force: true });
  const release = interrupts.onInterrupt(remove);
  try {
    await write(temporary);
    syncPath(temporary);
    for (const suffix of COMPANIONS) rmSync(path + suffix, { force: true });
    renameSync(temporary, path);
    syncPath(dirname(resolve(path)));
  } catch (error) {
    remove();
    throw error;
  } finally {
    release();
  }
}

function checkFree(path: string): void {
  const existing = ['', ...COMPANIONS].map((suffix) => path + suffix).find(existsSync);
  if (existing === undefined) return;
  throw new FileError(`Cannot write ${path}: ${existing} exists`, 'Replace it: --force');
}

function createEmpty(temporary: string, path: string): void {
  try {
    closeSync(openSync(temporary, 'wx'));
  } catch (error) {
    throw new FileError(`Cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
