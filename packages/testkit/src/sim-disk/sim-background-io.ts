// BackgroundIo on the simulated disk: jobs wait until the test runs them, so that a crash, or any
// other work of the engine, can fall between a request and its completion.

import assert from 'node:assert/strict';

import { type BackgroundIo, checkFileRange, DiskError, type DiskFile } from '@skein/host';

import { SimFile } from './sim-file.ts';

/** As in the real one: zeros are written in pieces of this size. */
const FILL_PIECE_BYTES = 1024 * 1024;

interface Job {
  readonly run: () => void;
  readonly end: () => void;
  readonly done: (error: Error | undefined) => void;
}

export class SimBackgroundIo implements BackgroundIo {
  readonly #jobs: Job[] = [];

  /** How many jobs have been requested and not been run. */
  get waitingCount(): number {
    return this.#jobs.length;
  }

  sync(op: string, file: DiskFile, done: Job['done']): void {
    const { sync, end } = simFile(file).startJob(op);
    this.#jobs.push({ run: sync, end, done });
  }

  fill(
    op: string,
    file: DiskFile,
    range: { readonly from: number; readonly to: number },
    done: Job['done'],
  ): void {
    checkFileRange(range);
    const target = simFile(file);
    const { end } = target.startJob(op);
    const run = (): void => {
      for (let position = range.from; position < range.to; position += FILL_PIECE_BYTES) {
        target.writeZeros(op, Math.min(FILL_PIECE_BYTES, range.to - position), position);
      }
      target.sync(op);
    };
    this.#jobs.push({ run, end, done });
  }

  /**
   * Runs and reports up to `limit` jobs, also those that are requested meanwhile. A power cut is
   * thrown from here, and the job it hit is never reported.
   */
  runBackground(limit: number = Infinity): void {
    for (let count = 0; count < limit; count += 1) {
      const job = this.#jobs.shift();
      if (job === undefined) return;
      const error = catchDiskError(job.run);
      job.end();
      job.done(error);
    }
  }
}

function catchDiskError(run: () => void): DiskError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof DiskError) return error;
    throw error;
  }
}

function simFile(file: DiskFile): SimFile {
  assert(file instanceof SimFile, 'Not a file of the simulated disk');
  return file;
}
