// A folder that one process has for itself. What another would do in it could not be noticed.

import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { nodeFileLocks } from '@skein/host';

import { StoreError } from './errors.ts';

/**
 * Makes the folder if it is not there. Returns what gives it back; the lock ends with the process,
 * whatever becomes of it. `what`: for whoever reads the message. Throws StoreError.
 */
export function lockFolder(folder: string, what: string): () => void {
  let fd: number;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    fd = openSync(join(folder, 'lock'), 'a');
  } catch (cause) {
    const message = `The folder of ${what} cannot be used: ${folder}`;
    throw new StoreError('LAKE_STORE_START', message, { cause });
  }
  if (nodeFileLocks.tryLockFile(fd)) return () => closeSync(fd);
  closeSync(fd);
  const message = `Another process has the folder of ${what}: ${folder}`;
  const hint =
    'Ask the lake that runs (skein lake query --url), or give this one folders of its own';
  throw new StoreError('LAKE_STORE_START', message, { hint });
}
