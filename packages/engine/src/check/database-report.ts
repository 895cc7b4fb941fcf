// Says what a survey of one database has found.

import { formatTxid, type Txid } from '@skein/ltx';
import { lockPgno } from '@skein/sqlite-file';

import type { DatabaseState } from '../database/database-state.ts';
import { CHECKSUMS_PER_BLOCK } from '../pages/checksum-block.ts';
import type { RebuildPlan } from './database-survey.ts';
import type { Fault, Remedy } from './fault.ts';
import type { LoggedDatabase } from './logged-database.ts';
import type { PageSurvey } from './page-survey.ts';
import type { SidecarSurvey } from './sidecar-survey.ts';

/** More findings of one file say nothing new. */
const FINDINGS_MAX = 100;

const RESTORE_HINT =
  'What this held is in no file that is left. Restore the database from an export or another copy';

/** What can be done about a fault, or why nothing can. */
type Consequence = { readonly remedy: Remedy } | { readonly hint: string };

export interface FoundContent {
  readonly state: DatabaseState;
  /** Size of the database file; undefined when there is none. */
  readonly sizeBytes: number | undefined;
  readonly pages: PageSurvey;
  readonly sidecar: SidecarSurvey;
}

export class DatabaseReport {
  readonly #logged: LoggedDatabase;
  readonly #report: (fault: Fault) => void;
  readonly #consequence: Consequence;

  /** `plan` is undefined when the database cannot be put together. */
  constructor(
    logged: LoggedDatabase,
    plan: RebuildPlan | undefined,
    report: (fault: Fault) => void,
  ) {
    this.#logged = logged;
    this.#report = report;
    this.#consequence =
      plan === undefined
        ? { hint: RESTORE_HINT }
        : { remedy: { kind: 'rebuild', database: logged.name } };
  }

  checkpoint(what: string, remedy: Remedy | undefined): void {
    this.#damage('checkpoint.json', { what, ...(remedy !== undefined && { remedy }) });
  }

  /** The database file has a transaction that is not in the log. */
  ahead({ txid }: DatabaseState): void {
    const { name } = this.#logged;
    const next = formatTxid((txid + 1n) as Txid);
    this.#report({
      kind: 'damage',
      file: 'log',
      database: name,
      txid: txid + 1n,
      what: `it ends before transaction ${next} of ${name}, which is in the database file`,
      hint: `Transaction ${next} is lost. Restore the database from an export or another copy`,
    });
  }

  /** A file that should not be there. */
  leftover(name: string): void {
    const file = this.#fileOf(name);
    this.#report({
      kind: 'leftover',
      file,
      database: this.#logged.name,
      what: 'it belongs to a database that does not exist',
      remedy: { kind: 'remove', file },
    });
  }

  content(found: FoundContent): void {
    this.#size(found);
    this.#sidecar(found);
    if (found.sizeBytes !== undefined) this.#pages(found);
  }

  #size({ state, sizeBytes }: FoundContent): void {
    const { pageCount } = state;
    const pageSize = state.pageSize!;
    if (sizeBytes !== undefined && sizeBytes > pageCount * pageSize)
      this.#tooLong(state, sizeBytes);
    const firstPgno = this.#firstMissing(Math.floor((sizeBytes ?? 0) / pageSize) + 1, state);
    if (firstPgno === undefined) return;
    const what =
      sizeBytes === undefined ? 'it is missing' : `pages ${firstPgno} to ${pageCount} are missing`;
    this.#damage('database', { pgno: firstPgno, what });
  }

  #tooLong({ pageSize, pageCount }: DatabaseState, fileBytes: number): void {
    // The next start cuts it, as it may have to after a crash.
    if (this.#logged.pending.size > 0) return;
    const file = this.#fileOf('database');
    const sizeBytes = pageCount * pageSize!;
    this.#report({
      kind: 'leftover',
      file,
      database: this.#logged.name,
      what: `it has ${fileBytes - sizeBytes} bytes behind its last page`,
      remedy: { kind: 'truncate', file, sizeBytes },
    });
  }

  /** The first page behind the end of the file that no start would put there. */
  #firstMissing(from: number, { pageSize, pageCount }: DatabaseState): number | undefined {
    const lock = lockPgno(pageSize!);
    for (let pgno = from; pgno <= pageCount; pgno++) {
      if (pgno !== lock && !this.#logged.pending.has(pgno)) return pgno;
    }
    return undefined;
  }

  #sidecar({ state, pages, sidecar }: FoundContent): void {
    const { brokenBlocks, suspects, checksumAsIs } = pages;
    if (brokenBlocks.length > 0 && !sidecar.hasHeader) {
      this.#damage('checksums', {
        what: sidecar.exists ? 'its header is damaged' : 'it is missing',
      });
    } else {
      for (const number of brokenBlocks.slice(0, FINDINGS_MAX)) {
        const pgno = (number - 1) * CHECKSUMS_PER_BLOCK + 1;
        const last = Math.min(pgno + CHECKSUMS_PER_BLOCK - 1, state.pageCount);
        const what = `the checksums of ${formatRun({ first: pgno, last })} are damaged`;
        this.#damage('checksums', { pgno, what });
      }
    }
    // The pages are right, so what the sidecar says of them is not.
    if (checksumAsIs !== state.checksum) return;
    for (const run of runsOf(suspects.map(({ pgno }) => pgno))) {
      this.#damage('checksums', {
        pgno: run.first,
        what: `it has another checksum for ${formatRun(run)}`,
      });
    }
  }

  #pages({ state, pages }: FoundContent): void {
    const { damaged, suspects, checksumAsIs, checksumAsSidecar } = pages;
    const areSuspectsRight = checksumAsIs === state.checksum;
    const pgnos = areSuspectsRight
      ? damaged
      : [...damaged, ...suspects.map(({ pgno }) => pgno)].sort((a, b) => a - b);
    for (const run of runsOf(pgnos)) {
      const what = `not as it was written: ${formatRun(run)}`;
      this.#damage('database', { pgno: run.first, what });
    }
    if (areSuspectsRight || checksumAsSidecar === state.checksum) return;
    const what = `its pages do not have the checksum of transaction ${formatTxid(state.txid)}`;
    this.#damage('database', { txid: state.txid, what });
  }

  #damage(name: string, fault: Omit<Fault, 'kind' | 'file' | 'database'>): void {
    const file = this.#fileOf(name);
    const { name: database } = this.#logged;
    this.#report({ kind: 'damage', file, database, ...this.#consequence, ...fault });
  }

  #fileOf(name: string): string {
    return `dbs/${this.#logged.name}/${name}`;
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
  return first === last ? `page ${first}` : `pages ${first} to ${last}`;
}
