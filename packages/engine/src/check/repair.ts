// Repairs a data folder from what is sound in it: `skein check --deep --repair`.
//
// In rounds: look at everything, do the simplest of what can be done, and look again, since every
// step lets more be seen. A step is taken only when a checksum proves what it leads to; what cannot
// be proved is not touched. Every step leaves a folder that another repair can go on from, so a
// crash in the middle is no harm.

import type { Clock, Random } from '@skein/host';

import type { DataFolder } from '../data-folder/data-folder.ts';
import { createIdentity } from '../data-folder/node-file.ts';
import { LOG_BOUNDS_NAME, writeLogBounds } from '../log/log-bounds.ts';
import { type CheckPorts, lockExisting, toReport } from './check-deep.ts';
import type { Remedy } from './fault.ts';
import type { CheckOptions, RepairReport } from './finding.ts';
import { beginLogAnew } from './new-log.ts';
import { Originals } from './originals.ts';
import { rebuildDatabases, type RepairContext } from './rebuild.ts';
import { type Survey, surveyFolder } from './survey.ts';

export interface RepairPorts extends CheckPorts {
  readonly clock: Clock;
  readonly random: Random;
}

/** Each round does away with one kind of fault; what is left then stays. */
const ROUNDS_MAX = 8;

/** Simple ones first: they may show that the others are not needed. */
const STAGES: readonly (readonly Remedy['kind'][])[] = [
  ['write', 'truncate', 'remove', 'log-bounds', 'new-node'],
  ['rebuild'],
  ['new-log'],
];

/**
 * Throws EngineError when there is no data folder or a node runs on it, and DiskError when the disk
 * fails. A repair of what is repaired does nothing.
 */
export function repair(ports: RepairPorts, options: CheckOptions): RepairReport {
  const { disk, fileLocks, clock } = ports;
  const folder = lockExisting(disk, fileLocks, options.dataFolder);
  try {
    const originals = new Originals(disk, folder.path, clock.wallMs());
    const before = surveyFolder(disk, folder, options.onProgress);
    let survey = before;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const remedies = nextRemedies(survey);
      if (remedies.length === 0) break;
      new Repairer(ports, folder, survey, originals).apply(remedies);
      survey = surveyFolder(disk, folder, options.onProgress);
    }
    return {
      before: toReport(before),
      after: toReport(survey),
      savedTo: originals.savedTo,
    };
  } finally {
    folder.lock.close();
  }
}

function nextRemedies({ faults }: Survey): readonly Remedy[] {
  const remedies = faults.flatMap(({ remedy }) => remedy ?? []);
  for (const stage of STAGES) {
    const found = remedies.filter(({ kind }) => stage.includes(kind));
    if (found.length > 0) return found;
  }
  return [];
}

class Repairer {
  readonly #ports: RepairPorts;
  readonly #folder: DataFolder;
  readonly #survey: Survey;
  readonly #originals: Originals;
  readonly #context: RepairContext;

  constructor(ports: RepairPorts, folder: DataFolder, survey: Survey, originals: Originals) {
    this.#ports = ports;
    this.#folder = folder;
    this.#survey = survey;
    this.#originals = originals;
    this.#context = { disk: ports.disk, folder, originals };
  }

  /** All of one stage. */
  apply(remedies: readonly Remedy[]): void {
    const rebuilt = new Set<string>();
    for (const remedy of remedies) {
      switch (remedy.kind) {
        case 'write':
          this.#write(remedy);
          break;
        case 'truncate':
          this.#truncate(remedy);
          break;
        case 'remove':
          this.#originals.move(remedy.file);
          break;
        case 'log-bounds':
          this.#writeBounds(remedy.firstLsn);
          break;
        case 'new-node':
          this.#keep('node.json');
          createIdentity(
            this.#ports.disk,
            this.#ports.random,
            this.#folder.path,
            this.#survey.epoch,
          );
          break;
        case 'rebuild':
          rebuilt.add(remedy.database);
          break;
        case 'new-log':
          // One of them does for all.
          return beginLogAnew(this.#context, this.#survey);
      }
    }
    rebuildDatabases(
      this.#context,
      this.#survey.log,
      [...rebuilt].flatMap((name) => this.#survey.databases.get(name)?.plan ?? []),
    );
  }

  /** Without them nothing is known to be of no consequence but what was given up. */
  #writeBounds(firstLsn: number): void {
    this.#keep(`log/${LOG_BOUNDS_NAME}`);
    const bounds = { firstLsn, coveredLsn: firstLsn - 1 };
    writeLogBounds(this.#ports.disk, this.#folder.log, bounds);
  }

  #keep(file: string, offset?: number, length?: number): void {
    this.#originals.keep(file, offset, length);
    this.#originals.sync();
  }

  #write({ file, offset, bytes }: Extract<Remedy, { kind: 'write' }>): void {
    this.#keep(file, offset, bytes.length);
    const { disk } = this.#ports;
    const target = disk.open('repair.open', `${this.#folder.path}/${file}`, 'update');
    try {
      target.write('repair.write', bytes, 0, bytes.length, offset);
      target.sync('repair.sync');
    } finally {
      target.close();
    }
  }

  #truncate({ file, sizeBytes }: Extract<Remedy, { kind: 'truncate' }>): void {
    this.#keep(file, sizeBytes);
    const target = this.#ports.disk.open('repair.open', `${this.#folder.path}/${file}`, 'update');
    try {
      target.truncate('repair.truncate', sizeBytes);
      target.sync('repair.sync');
    } finally {
      target.close();
    }
  }
}
