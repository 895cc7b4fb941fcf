// Looks at every byte of a data folder, and finds what is wrong with it and what can be done.
//
// Changes nothing. The folder must be locked, so that nobody else changes it meanwhile.

import type { Disk } from '@skein/host';

import type { DataFolder } from '../data-folder/data-folder.ts';
import type { DatabaseState } from '../database/database-state.ts';
import { LOG_BOUNDS_NAME } from '../log/log-bounds.ts';
import { type DatabaseSurvey, surveyDatabase } from './database-survey.ts';
import type { Fault } from './fault.ts';
import type { CheckOptions } from './finding.ts';
import { type LogSurvey, surveyLog } from './log-survey.ts';
import type { LoggedDatabase } from './logged-database.ts';
import { LoggedDatabases } from './logged-databases.ts';
import { withProspects } from './prospects.ts';
import {
  maybeFlipSmall,
  type SmallFileContext,
  surveyBeside,
  surveyBounds,
  surveyCheckpoint,
  surveyNames,
  surveyNode,
  surveyOwner,
} from './small-files.ts';
import { SurveyProgress } from './survey-file.ts';

type SurveyContext = SmallFileContext & { readonly progress: SurveyProgress };

export interface Survey {
  readonly faults: readonly Fault[];
  readonly log: LogSurvey;
  readonly databases: ReadonlyMap<string, DatabaseSurvey>;
  readonly transactionCount: number;
  /** The highest that a record of the log was written in. */
  readonly epoch: number;
  readonly readBytes: number;
}

export function surveyFolder(
  disk: Disk,
  { path, log: logFolder }: DataFolder,
  onProgress: CheckOptions['onProgress'],
): Survey {
  const faults: Fault[] = [];
  const progress = new SurveyProgress(onProgress);
  const report = (fault: Fault): void => void faults.push(fault);
  const context: SurveyContext = { disk, path, progress, report };
  const names = surveyNames(context);
  expectBytes(context, logFolder, names);
  const checkpoints = new Map(names.map((name) => [name, surveyCheckpoint(context, name)]));
  const foundBounds = surveyBounds(context);
  const bounds = typeof foundBounds === 'string' ? undefined : foundBounds;
  const logged = new LoggedDatabases(checkpoints, bounds?.coveredLsn ?? 0, report);
  const knownLsn = Math.max(bounds?.coveredLsn ?? 0, lastLsnOf(checkpoints.values()));
  const log = surveyLog({ disk, progress, folder: logFolder, bounds, knownLsn }, logged);
  if (typeof foundBounds === 'string' && log.firstLsn !== undefined) {
    reportBounds(context, foundBounds, log.firstLsn);
  }
  surveyNode(context, names.length > 0 || log.segments.length > 0);
  if (!logged.isDamaged) surveyBeside(context, log.besideIds);
  const databases = new Map<string, DatabaseSurvey>();
  for (const database of logged.all) {
    const { name } = database;
    surveyOwner(context, name);
    databases.set(name, surveyOne(context, database, checkpoints.get(name) ?? 'missing'));
  }
  progress.end();
  return {
    faults: withProspects(faults, log, databases),
    log,
    databases,
    transactionCount: logged.transactionCount,
    epoch: logged.epoch,
    readBytes: progress.doneBytes,
  };
}

function surveyOne(
  context: SurveyContext,
  logged: LoggedDatabase,
  checkpoint: DatabaseState | 'missing' | 'damaged',
): DatabaseSurvey {
  const disagreement = logged.finish();
  return surveyDatabase(context, {
    logged,
    checkpointFault: typeof checkpoint === 'string' ? `it is ${checkpoint}` : disagreement,
    checkpointRemedy:
      checkpoint === 'damaged'
        ? maybeFlipSmall(context, `dbs/${logged.name}/checkpoint.json`)
        : undefined,
  });
}

/** What is missing before the first record can only have been given up. */
function reportBounds(context: SurveyContext, found: string, firstLsn: number): void {
  const file = `log/${LOG_BOUNDS_NAME}`;
  const remedy = maybeFlipSmall(context, file) ?? { kind: 'log-bounds', firstLsn };
  context.report({ kind: 'damage', file, what: `it is ${found}`, remedy });
}

function lastLsnOf(checkpoints: Iterable<DatabaseState | string>): number {
  let lsn = 0;
  for (const state of checkpoints) if (typeof state !== 'string') lsn = Math.max(lsn, state.lsn);
  return lsn;
}

/** The log is read twice: to see whether a transaction is whole, and for its pages. */
function expectBytes(
  { disk, path, progress }: SurveyContext,
  logFolder: string,
  databases: readonly string[],
): void {
  const sizeOf = (file: string): number => disk.stat('check.stat', file)?.sizeBytes ?? 0;
  if (disk.stat('check.stat', logFolder) !== undefined) {
    for (const name of disk.list('check.list', logFolder)) {
      if (name.includes('.ltx')) progress.expect(2 * sizeOf(`${logFolder}/${name}`));
    }
  }
  for (const name of databases) {
    const folder = `${path}/dbs/${name}`;
    progress.expect(sizeOf(`${folder}/database`) + sizeOf(`${folder}/checksums`));
  }
}
