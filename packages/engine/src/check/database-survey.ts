// One database under survey: its file, its sidecar and its checkpoint, against the log.

import type { Disk } from '@skein/host';

import type { DatabaseState } from '../database/database-state.ts';
import { DatabaseReport } from './database-report.ts';
import type { Fault, Remedy } from './fault.ts';
import type { LoggedDatabase } from './logged-database.ts';
import { PageSet } from './page-sum-map.ts';
import { type PageSurvey, surveyPages, type SuspectPage } from './page-survey.ts';
import { SidecarSurvey } from './sidecar-survey.ts';
import { SurveyFile, type SurveyProgress } from './survey-file.ts';

/** How a database is put together from what is there. */
export interface RebuildPlan {
  readonly logged: LoggedDatabase;
  /** What it leads to. */
  readonly state: DatabaseState;
  /** Pages that are taken from the log. */
  readonly stale: PageSet;
  /** Pages in which one bit is flipped. */
  readonly flips: readonly SuspectPage[];
}

export interface DatabaseContext {
  readonly disk: Disk;
  readonly progress: SurveyProgress;
  /** The data folder. */
  readonly path: string;
  readonly report: (fault: Fault) => void;
}

export interface DatabaseOptions {
  readonly logged: LoggedDatabase;
  /** What is wrong with checkpoint.json. */
  readonly checkpointFault: string | undefined;
  /** If one bit is wrong in checkpoint.json. */
  readonly checkpointRemedy: Remedy | undefined;
}

export interface DatabaseSurvey {
  readonly logged: LoggedDatabase;
  /** There is or was such a database; else a folder in which nothing ever was committed. */
  readonly isKnown: boolean;
  readonly pageCount: number;
  /** Undefined when something is missing that it would take. */
  readonly plan: RebuildPlan | undefined;
}

export function surveyDatabase(context: DatabaseContext, options: DatabaseOptions): DatabaseSurvey {
  const { finalState, state, checkpoint } = options.logged;
  const best = finalState ?? state ?? checkpoint;
  if (best === undefined) return surveyUnknown(context, options);
  return best.pageSize === undefined
    ? surveyNothing(context, options, best)
    : surveyContent(context, options, best);
}

/** Neither checkpoint nor log know the database. */
function surveyUnknown(context: DatabaseContext, options: DatabaseOptions): DatabaseSurvey {
  const { logged, checkpointFault, checkpointRemedy } = options;
  const folder = `dbs/${logged.name}`;
  const hasContent = (sizeOf(context, logged.name, 'database') ?? 0) > 0;
  if (checkpointFault !== undefined && (hasContent || checkpointRemedy !== undefined)) {
    context.report({
      kind: 'damage',
      file: `${folder}/checkpoint.json`,
      database: logged.name,
      what: `${checkpointFault}, and the log has nothing of the database`,
      ...(checkpointRemedy === undefined
        ? { hint: `${folder}/database is a SQLite database: import it into a new data folder` }
        : { remedy: checkpointRemedy }),
    });
  }
  return { logged, isKnown: hasContent, pageCount: 0, plan: undefined };
}

/** The database was dropped, or never had a transaction. */
function surveyNothing(
  context: DatabaseContext,
  options: DatabaseOptions,
  state: DatabaseState,
): DatabaseSurvey {
  const { logged } = options;
  const isCertain = logged.finalState !== undefined;
  const plan = isCertain ? { logged, state, stale: new PageSet(), flips: [] } : undefined;
  const report = new DatabaseReport(logged, plan, context.report);
  reportCheckpoint(report, options);
  for (const name of isCertain ? ['database', 'checksums'] : []) {
    if ((sizeOf(context, logged.name, name) ?? 0) > 0) report.leftover(name);
  }
  return { logged, isKnown: true, pageCount: 0, plan };
}

function surveyContent(
  context: DatabaseContext,
  options: DatabaseOptions,
  state: DatabaseState,
): DatabaseSurvey {
  const { logged } = options;
  const pageSize = state.pageSize!;
  const { pageCount } = state;
  const file = maybeOpen(context, logged.name, 'database');
  const sidecarFile = maybeOpen(context, logged.name, 'checksums');
  try {
    const sidecar = new SidecarSurvey(sidecarFile, pageSize);
    const pages = surveyPages({ logged, pageSize, pageCount, file, sidecar });
    const plan = planRebuild(logged, pages);
    const report = new DatabaseReport(logged, plan, context.report);
    reportCheckpoint(report, options);
    // Else a page may be of a transaction that is lost, and nobody can tell.
    if (logged.isPendingKnown) {
      const sizeBytes = file?.size('check.size');
      if (pages.isAhead) report.ahead(state);
      else report.content({ state, sizeBytes, pages, sidecar });
    }
    return { logged, isKnown: true, pageCount, plan };
  } finally {
    file?.close();
    sidecarFile?.close();
  }
}

/** What can be put together, provided that it has the right checksum. */
function planRebuild(
  logged: LoggedDatabase,
  { stale, suspects, ...pages }: PageSurvey,
): RebuildPlan | undefined {
  const state = logged.finalState;
  if (state === undefined || pages.isAhead) return undefined;
  if (pages.checksumAsIs === state.checksum) return { logged, state, stale, flips: [] };
  const areFlips = suspects.every(({ bit }) => bit !== undefined);
  if (!areFlips || pages.checksumAsSidecar !== state.checksum) return undefined;
  return { logged, state, stale, flips: suspects };
}

function reportCheckpoint(
  report: DatabaseReport,
  { checkpointFault, checkpointRemedy }: DatabaseOptions,
): void {
  if (checkpointFault !== undefined) report.checkpoint(checkpointFault, checkpointRemedy);
}

function maybeOpen(
  context: DatabaseContext,
  database: string,
  name: string,
): SurveyFile | undefined {
  if (sizeOf(context, database, name) === undefined) return undefined;
  const { disk, progress, path } = context;
  return new SurveyFile(disk, `${path}/dbs/${database}/${name}`, progress);
}

/** Undefined when there is no such file. */
function sizeOf(
  { disk, path }: DatabaseContext,
  database: string,
  name: string,
): number | undefined {
  const stat = disk.stat('check.stat', `${path}/dbs/${database}/${name}`);
  return stat?.isDirectory === false ? stat.sizeBytes : undefined;
}
