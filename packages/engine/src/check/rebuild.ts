// Puts databases together from their files and the log.
//
//   pages into the file → synced → sidecar made anew from the file, which proves it → checkpoint

import type { Disk, DiskFile } from '@skein/host';
import type { LtxPage } from '@skein/ltx';

import type { DataFolder } from '../data-folder/data-folder.ts';
import { writeCheckpoint } from '../recovery/checkpoint-file.ts';
import type { RebuildPlan } from './database-survey.ts';
import { type LogSurvey, surveyLog } from './log-survey.ts';
import type { Originals } from './originals.ts';
import { writeSidecar } from './sidecar-writer.ts';
import { SurveyProgress } from './survey-file.ts';

export interface RepairContext {
  readonly disk: Disk;
  readonly folder: DataFolder;
  readonly originals: Originals;
}

/** `log` is what the survey found from which the plans are. */
export function rebuildDatabases(
  context: RepairContext,
  log: LogSurvey,
  plans: readonly RebuildPlan[],
): void {
  if (plans.length === 0) return;
  syncLog(context, log);
  const rebuilds = plans.map((plan) => new Rebuild(context, plan));
  try {
    for (const rebuild of rebuilds) rebuild.keepOriginals();
    context.originals.sync();
    writeLoggedPages(context, log, rebuilds);
    for (const rebuild of rebuilds) rebuild.finish();
  } finally {
    for (const rebuild of rebuilds) rebuild.close();
  }
}

/** A checkpoint must not name a record that a power cut may still take. */
function syncLog({ disk, folder }: RepairContext, { segments }: LogSurvey): void {
  const last = segments.at(-1);
  if (last === undefined) return;
  const file = disk.open('repair.open', `${folder.log}/${last}`, 'update');
  try {
    file.sync('repair.log.sync');
  } finally {
    file.close();
  }
}

function writeLoggedPages(
  { disk, folder }: RepairContext,
  { bounds, knownLsn }: LogSurvey,
  rebuilds: readonly Rebuild[],
): void {
  const byName = new Map(rebuilds.map((rebuild) => [rebuild.name, rebuild]));
  let current: Rebuild | undefined;
  surveyLog(
    { disk, progress: new SurveyProgress(undefined), folder: folder.log, bounds, knownLsn },
    {
      begin: ({ database }) => {
        current = byName.get(database);
        return undefined;
      },
      page: (page) => current?.takePage(page),
      end: () => {},
      record: () => {},
      lose: () => {},
      expect: () => {},
      fault: () => {},
    },
  );
}

class Rebuild {
  readonly name: string;
  readonly #context: RepairContext;
  readonly #plan: RebuildPlan;
  readonly #pageSize: number;
  /** Absolute, and relative to the data folder. */
  readonly #path: string;
  readonly #folder: string;
  #file: DiskFile | undefined;

  constructor(context: RepairContext, plan: RebuildPlan) {
    this.name = plan.logged.name;
    this.#context = context;
    this.#plan = plan;
    this.#pageSize = plan.state.pageSize ?? 0;
    this.#folder = `dbs/${this.name}`;
    this.#path = `${context.folder.databases}/${this.name}`;
  }

  /** Pages that a start would put into the file are no originals of anything. */
  keepOriginals(): void {
    const { originals } = this.#context;
    const { stale, flips, logged, state } = this.#plan;
    const file = `${this.#folder}/database`;
    const keep = (pgno: number): void =>
      originals.keep(file, (pgno - 1) * this.#pageSize, this.#pageSize);
    for (let pgno = 1; pgno <= state.pageCount; pgno++) {
      if (stale.has(pgno) && !logged.pending.has(pgno)) keep(pgno);
    }
    for (const { pgno } of flips) keep(pgno);
    originals.keep(`${this.#folder}/checksums`);
    originals.keep(`${this.#folder}/checkpoint.json`);
  }

  /** Takes a page of the log if it is the newest version, and the file has another. */
  takePage({ pgno, bytes, start, end, checksumHi, checksumLo }: LtxPage): void {
    const { stale, logged } = this.#plan;
    if (end - start !== this.#pageSize || !stale.has(pgno)) return;
    if (logged.sums.hi(pgno) !== checksumHi || logged.sums.lo(pgno) !== checksumLo) return;
    const position = (pgno - 1) * this.#pageSize;
    this.#open().write('repair.page', bytes, start, this.#pageSize, position);
  }

  finish(): void {
    const { disk, originals } = this.#context;
    const { state } = this.#plan;
    if (state.pageSize === undefined) {
      originals.move(`${this.#folder}/database`);
      originals.move(`${this.#folder}/checksums`);
      this.#makeFolder();
    } else {
      this.#flipBits();
      const file = this.#open();
      file.truncate('repair.truncate', state.pageCount * this.#pageSize);
      file.sync('repair.database.sync');
      writeSidecar(disk, `${this.#path}/checksums`, file, state);
    }
    writeCheckpoint(disk, this.#path, state);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #flipBits(): void {
    const byte = new Uint8Array(1);
    for (const { pgno, bit } of this.#plan.flips) {
      const position = (pgno - 1) * this.#pageSize + bit!.offset;
      this.#open().read('repair.read', byte, 0, 1, position);
      byte[0]! ^= 1 << bit!.bit;
      this.#open().write('repair.page', byte, 0, 1, position);
    }
  }

  #open(): DiskFile {
    if (this.#file === undefined) {
      this.#makeFolder();
      const path = `${this.#path}/database`;
      this.#file = this.#context.disk.open('repair.open', path, 'open-or-create');
    }
    return this.#file;
  }

  #makeFolder(): void {
    const { disk, folder } = this.#context;
    disk.makeDirectory('repair.folder', this.#path);
    disk.syncDirectory('repair.folder.name', folder.databases);
  }
}
