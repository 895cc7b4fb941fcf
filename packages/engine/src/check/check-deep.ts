// Verifies every byte of a data folder while no node runs on it: `skein check --deep`.

import type { Disk, FileLocks } from '@skein/host';

import { type DataFolder, lockDataFolder } from '../data-folder/data-folder.ts';
import { EngineError } from '../errors.ts';
import { toFinding } from './fault.ts';
import type { CheckOptions, CheckReport } from './finding.ts';
import { type Survey, surveyFolder } from './survey.ts';

export interface CheckPorts {
  readonly disk: Disk;
  readonly fileLocks: FileLocks;
}

/**
 * Changes nothing, and throws for no damage, but EngineError when there is no data folder or a node
 * runs on it. What is read is held in memory neither as a whole nor by the database: a few bytes a
 * page.
 */
export function checkDeep({ disk, fileLocks }: CheckPorts, options: CheckOptions): CheckReport {
  const folder = lockExisting(disk, fileLocks, options.dataFolder);
  try {
    return toReport(surveyFolder(disk, folder, options.onProgress));
  } finally {
    folder.lock.close();
  }
}

/** Throws EngineError: there is none, or it is in use. */
export function lockExisting(disk: Disk, fileLocks: FileLocks, path: string): DataFolder {
  if (disk.stat('check.stat', `${path}/node.json`) === undefined && !isUsed(disk, path)) {
    throw new EngineError('DATA_DIRECTORY_FORMAT', `Cannot check ${path}: it is no data folder`);
  }
  return lockDataFolder(disk, fileLocks, path);
}

export function toReport(survey: Survey): CheckReport {
  let pageCount = 0;
  let databaseCount = 0;
  for (const database of survey.databases.values()) {
    pageCount += database.pageCount;
    if (database.pageCount > 0) databaseCount++;
  }
  return {
    findings: survey.faults.map(toFinding),
    databaseCount,
    transactionCount: survey.transactionCount,
    pageCount,
    readBytes: survey.readBytes,
  };
}

function isUsed(disk: Disk, path: string): boolean {
  return ['log', 'dbs'].some((name) => disk.stat('check.stat', `${path}/${name}`) !== undefined);
}
