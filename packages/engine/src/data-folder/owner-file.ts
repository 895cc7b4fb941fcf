// `owner.json` of a database: whose it is, and who else may use it. Written before the first
// transaction, or a node that crashes would come back with databases that its users may not open.

import type { Disk } from '@skein/host';

import { readAtomicFile, writeAtomicFile } from './atomic-file.ts';

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, 0o000 to 0o777. */
  readonly mode: number;
}

export function writeOwner(disk: Disk, folder: string, owner: FileOwner): void {
  writeAtomicFile(disk, 'owner', `${folder}/owner.json`, owner);
}

/** Undefined when it is missing or damaged: then the database belongs to who runs the node. */
export function maybeReadOwner(disk: Disk, folder: string): FileOwner | undefined {
  const value = readAtomicFile(disk, 'owner', `${folder}/owner.json`);
  return typeof value === 'string' ? undefined : (value as FileOwner);
}
