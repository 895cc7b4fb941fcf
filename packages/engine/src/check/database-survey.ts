// One database under survey: its file, its sidecar and its checkpoint, against the log.

import type { Disk } from '@skein/host';
import { formatTxid, type Txid } from '@skein/ltx';
import { lockPgno } from '@skein/sqlite-file';

import { CHECKSUMS_PER_BLOCK } from '../checksum-block.ts';
import type { DatabaseState } from '../database-state.ts';
import type { Fault, Remedy } from './fault.ts';
import type { LoggedDatabase } from './logged-database.ts';
import { type PageSurvey, surveyPages, type SuspectPage } from './page-survey.ts';
import { PageSet } from './page-sums.ts';
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

/** More findings of one file say nothing new. */
const FINDINGS_MAX = 100;

const RESTORE_HINT =
  'What this page held is lost. Restore the database from an export or another copy';

export function surveyDatabase(context: DatabaseContext, options: DatabaseOptions): DatabaseSurvey {
  return new DatabaseSurveyor(context, options).survey();
}

class DatabaseSurveyor {
  readonly #context: DatabaseContext;
  readonly #options: DatabaseOptions;
  readonly #logged: LoggedDatabase;
  /** Relative to the data folder. */
  readonly #folder: string;

  constructor(context: DatabaseContext, options: DatabaseOptions) {
    this.#context = context;
    this.#options = options;
    this.#logged = options.logged;
    this.#folder = `dbs/${options.logged.name}`;
  }

  survey(): DatabaseSurvey {
    const logged = this.#logged;
    const { state, finalState, checkpoint } = logged;
    const best = finalState ?? state ?? checkpoint;
    if (best === undefined) return this.#surveyUnknown();
    if (best.pageSize === undefined) return this.#surveyNothing(best);
    const { pageSize, pageCount } = best;
    const file = this.#open('database');
    const sidecarFile = this.#open('checksums');
    try {
      const sidecar = new SidecarSurvey(sidecarFile, pageSize);
      const pages = surveyPages({ logged, pageSize, pageCount, file, sidecar });
      const plan = this.#plan(pages);
      this.#reportCheckpoint(plan);
      if (logged.isPendingKnown) {
        if (pages.isAhead) this.#reportAhead(best);
        this.#reportFile(best, file, plan);
        this.#reportSidecar(pages, sidecar, plan);
        if (file !== undefined && !pages.isAhead) this.#reportPages(pages, best, plan);
      }
      return { logged, isKnown: true, pageCount, plan };
    } finally {
      file?.close();
      sidecarFile?.close();
    }
  }

  /** Neither checkpoint nor log know the database. */
  #surveyUnknown(): DatabaseSurvey {
    const { checkpointFault, checkpointRemedy } = this.#options;
    const sizeBytes = this.#sizeOf('database') ?? 0;
    if (checkpointFault !== undefined && (sizeBytes > 0 || checkpointRemedy !== undefined)) {
      this.#report({
        file: 'checkpoint.json',
        what: `${checkpointFault}, and the log has nothing of the database`,
        ...(checkpointRemedy !== undefined && { remedy: checkpointRemedy }),
        hint: `Import ${this.#folder}/database, which is a SQLite database, into a new data folder`,
      });
    }
    const isKnown = checkpointFault !== undefined && sizeBytes > 0;
    return { logged: this.#logged, isKnown, pageCount: 0, plan: undefined };
  }

  /** The database was dropped, or never had a transaction. */
  #surveyNothing(state: DatabaseState): DatabaseSurvey {
    const logged = this.#logged;
    const isCertain = logged.finalState !== undefined;
    for (const name of isCertain ? ['database', 'checksums'] : []) {
      if ((this.#sizeOf(name) ?? 0) === 0) continue;
      this.#report({
        kind: 'leftover',
        file: name,
        what: 'it belongs to a database that does not exist',
        remedy: { kind: 'remove', file: `${this.#folder}/${name}` },
      });
    }
    const plan = isCertain ? { logged, state, stale: new PageSet(), flips: [] } : undefined;
    this.#reportCheckpoint(plan);
    return { logged, isKnown: true, pageCount: 0, plan };
  }

  /** What can be put together, provided that it has the right checksum. */
  #plan({ stale, suspects, ...pages }: PageSurvey): RebuildPlan | undefined {
    const logged = this.#logged;
    const state = logged.finalState;
    if (state === undefined || pages.isAhead) return undefined;
    if (pages.checksumAsIs === state.checksum) return { logged, state, stale, flips: [] };
    const areFlips = suspects.every(({ bit }) => bit !== undefined);
    if (!areFlips || pages.checksumAsSidecar !== state.checksum) return undefined;
    return { logged, state, stale, flips: suspects };
  }

  #reportCheckpoint(plan: RebuildPlan | undefined): void {
    const { checkpointFault, checkpointRemedy } = this.#options;
    if (checkpointFault === undefined) return;
    const remedy =
      checkpointRemedy === undefined ? this.#rebuild(plan) : { remedy: checkpointRemedy };
    this.#report({ file: 'checkpoint.json', what: checkpointFault, ...remedy });
  }

  #reportAhead({ txid }: DatabaseState): void {
    const { name } = this.#logged;
    const next = formatTxid((txid + 1n) as Txid);
    this.#context.report({
      kind: 'damage',
      file: 'log',
      database: name,
      txid: txid + 1n,
      what: `it ends before transaction ${next} of ${name}, which is in the database file`,
      hint: `Transaction ${next} is lost. Restore the database from an export or another copy`,
    });
  }

  #reportFile(
    state: DatabaseState,
    file: SurveyFile | undefined,
    plan: RebuildPlan | undefined,
  ): void {
    const { pageCount } = state;
    const pageSize = state.pageSize!;
    const sizeBytes = file?.size('check.size') ?? 0;
    if (sizeBytes > pageCount * pageSize && this.#logged.pending.size === 0) {
      this.#report({
        kind: 'leftover',
        file: 'database',
        what: `it has ${sizeBytes - pageCount * pageSize} bytes behind its last page`,
        remedy: {
          kind: 'truncate',
          file: `${this.#folder}/database`,
          sizeBytes: pageCount * pageSize,
        },
      });
    }
    const firstPgno = this.#firstMissing(Math.floor(sizeBytes / pageSize) + 1, state);
    if (firstPgno === undefined) return;
    const what =
      file === undefined ? 'it is missing' : `pages ${firstPgno} to ${pageCount} are missing`;
    this.#report({ file: 'database', pgno: firstPgno, what, ...this.#rebuild(plan) });
  }

  /** The first page behind the end of the file that no start would put there. */
  #firstMissing(from: number, { pageSize, pageCount }: DatabaseState): number | undefined {
    const lock = lockPgno(pageSize!);
    for (let pgno = from; pgno <= pageCount; pgno++) {
      if (pgno !== lock && !this.#logged.pending.has(pgno)) return pgno;
    }
    return undefined;
  }

  #reportSidecar(
    { brokenBlocks, suspects }: PageSurvey,
    sidecar: SidecarSurvey,
    plan: RebuildPlan | undefined,
  ): void {
    const remedy = this.#rebuild(plan);
    if (brokenBlocks.length > 0 && !sidecar.hasHeader) {
      const what = sidecar.exists ? 'its header is damaged' : 'it is missing';
      this.#report({ file: 'checksums', what, ...remedy });
    } else {
      for (const number of brokenBlocks.slice(0, FINDINGS_MAX)) {
        const pgno = (number - 1) * CHECKSUMS_PER_BLOCK + 1;
        const what = `the checksums of pages ${pgno} to ${pgno + CHECKSUMS_PER_BLOCK - 1} are damaged`;
        this.#report({ file: 'checksums', pgno, what, ...remedy });
      }
    }
    // The pages are right, so what the sidecar says of them is not.
    if (plan === undefined || plan.flips.length > 0) return;
    for (const run of runsOf(suspects.map(({ pgno }) => pgno))) {
      const what = `the checksum of ${formatRun(run)} is another one`;
      this.#report({ file: 'checksums', pgno: run.first, what, ...remedy });
    }
  }

  #reportPages(pages: PageSurvey, state: DatabaseState, plan: RebuildPlan | undefined): void {
    const { damaged, suspects, checksumAsIs, checksumAsSidecar } = pages;
    const areSuspectsRight = checksumAsIs === state.checksum;
    const pgnos = areSuspectsRight
      ? damaged
      : [...damaged, ...suspects.map(({ pgno }) => pgno)].sort((a, b) => a - b);
    const consequence = plan === undefined ? { hint: RESTORE_HINT } : this.#rebuild(plan);
    for (const run of runsOf(pgnos)) {
      const what = `${formatRun(run)} is not as it was written`;
      this.#report({ file: 'database', pgno: run.first, what, ...consequence });
    }
    if (areSuspectsRight || checksumAsSidecar === state.checksum) return;
    this.#report({
      file: 'database',
      txid: state.txid,
      what: `its pages do not have the checksum that they had after transaction ${formatTxid(state.txid)}`,
      hint: RESTORE_HINT,
    });
  }

  #rebuild(plan: RebuildPlan | undefined): { readonly remedy?: Remedy } {
    if (plan === undefined) return {};
    return { remedy: { kind: 'rebuild', database: this.#logged.name } };
  }

  #report(fault: Omit<Fault, 'kind' | 'database'> & { readonly kind?: Fault['kind'] }): void {
    const { name } = this.#logged;
    const file = `${this.#folder}/${fault.file}`;
    this.#context.report({ kind: 'damage', database: name, ...fault, file });
  }

  #open(name: string): SurveyFile | undefined {
    const { disk, progress, path } = this.#context;
    if (this.#sizeOf(name) === undefined) return undefined;
    return new SurveyFile(disk, `${path}/${this.#folder}/${name}`, progress);
  }

  /** Undefined when there is no such file. */
  #sizeOf(name: string): number | undefined {
    const { disk, path } = this.#context;
    const stat = disk.stat('check.stat', `${path}/${this.#folder}/${name}`);
    return stat?.isDirectory === false ? stat.sizeBytes : undefined;
  }
}

interface Run {
  readonly first: number;
  last: number;
}

/** Page numbers that follow each other, together; not more than anybody would read. */
function runsOf(pgnos: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (const pgno of pgnos) {
    const run = runs.at(-1);
    if (run?.last === pgno - 1) run.last = pgno;
    else if (runs.length === FINDINGS_MAX) break;
    else runs.push({ first: pgno, last: pgno });
  }
  return runs;
}

function formatRun({ first, last }: Run): string {
  return first === last ? `page ${first}` : `every page from ${first} to ${last}`;
}
