// `log/start.json`: the first record that the log must have. What came before it was given up;
// without this file nobody could tell that from a segment that is missing.
//
// Written when the log gets its first segment, and before segments are given up.

import type { Disk } from '@skein/host';

import { readAtomicFile, writeAtomicFile } from '../atomic-file.ts';

export const LOG_START_NAME = 'start.json';

interface LogStartJson {
  readonly version: number;
  readonly firstLsn: number;
}

const VERSION = 1;

export function writeLogStart(disk: Disk, folder: string, firstLsn: number): void {
  const json: LogStartJson = { version: VERSION, firstLsn };
  writeAtomicFile(disk, 'log.start', `${folder}/${LOG_START_NAME}`, json);
}

/** The segment did not come about. */
export function removeLogStart(disk: Disk, folder: string): void {
  disk.remove('log.start.remove', `${folder}/${LOG_START_NAME}`);
}

/** The LSN of the first record; undefined in a log that never had one. */
export function readLogStart(disk: Disk, folder: string): number | 'damaged' | undefined {
  const value = readAtomicFile(disk, 'log.start', `${folder}/${LOG_START_NAME}`);
  if (value === 'missing') return undefined;
  const { version, firstLsn } = value as LogStartJson;
  return version === VERSION && Number.isSafeInteger(firstLsn) ? firstLsn : 'damaged';
}
