// `log/bounds.json`: what of the log there must be, and what of it nobody needs.
//
// Without this file nobody could tell records that were given up from a segment that is missing,
// nor a damaged record that is of no consequence from one that is.
//
// Written when the log gets its first segment, before segments are given up, and whenever databases
// were brought up to date.

import type { Disk } from '@skein/host';

import { readAtomicFile, writeAtomicFile } from '../data-folder/atomic-file.ts';

export const LOG_BOUNDS_NAME = 'bounds.json';

const VERSION = 1;

export interface LogBounds {
  /** The first record that the log must have. */
  readonly firstLsn: number;
  /**
   * Every transaction up to this record is in the checkpoint of its database. The record was
   * durable, too.
   */
  readonly coveredLsn: number;
}

export function writeLogBounds(disk: Disk, folder: string, bounds: LogBounds): void {
  writeAtomicFile(disk, 'log.bounds', pathOf(folder), { version: VERSION, ...bounds });
}

/** The segment did not come about. */
export function removeLogBounds(disk: Disk, folder: string): void {
  disk.remove('log.bounds.remove', pathOf(folder));
}

export function readLogBounds(disk: Disk, folder: string): LogBounds | 'missing' | 'damaged' {
  const value = readAtomicFile(disk, 'log.bounds', pathOf(folder));
  if (value === 'missing' || value === 'damaged') return value;
  const { version, firstLsn, coveredLsn } = value as LogBounds & { readonly version: number };
  const isOurs =
    version === VERSION && Number.isSafeInteger(firstLsn) && Number.isSafeInteger(coveredLsn);
  return isOurs ? { firstLsn, coveredLsn } : 'damaged';
}

function pathOf(folder: string): string {
  return `${folder}/${LOG_BOUNDS_NAME}`;
}
