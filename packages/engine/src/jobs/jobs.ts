// Work that is too long for one request: it goes on in steps between requests, so that the mount
// stays alive while a transaction of gigabytes is committed or a database is copied.
//
// A job is a generator. It yields where a step ends; with a Pending it yields until something that
// runs elsewhere has finished.

import { Pending } from './pending.ts';

/** Undefined: go on when there is time. A Pending: go on when it is settled, or throw its error. */
export type JobStep = Pending | undefined;
export type Job<T> = Generator<JobStep, T, void>;

interface RunningJob {
  readonly job: Job<void>;
  readonly pending: Pending;
  isWaiting: boolean;
  failure: Error | undefined;
}

export class Jobs {
  readonly #running: RunningJob[] = [];

  /** Whether there is work that could go on right now. */
  get hasWork(): boolean {
    return this.#running.some((running) => !running.isWaiting);
  }

  /**
   * Runs the first step of a job at once. Undefined when that was all of it; a job that fails right
   * there throws. Else what settles when it ends.
   */
  run(job: Job<void>): Pending | undefined {
    const first = job.next();
    if (first.done === true) return undefined;
    const pending = new Pending();
    const running: RunningJob = { job, pending, isWaiting: false, failure: undefined };
    this.#running.push(running);
    if (first.value !== undefined) this.#wait(running, first.value);
    return pending;
  }

  /** One step of every job that has something to do. */
  step(): void {
    for (const running of this.#running.slice()) {
      // The end of one job may have taken another, which waited for it, to its end as well.
      if (!running.isWaiting && this.#running.includes(running)) this.#step(running);
    }
  }

  #step(running: RunningJob): void {
    let result: IteratorResult<JobStep, void>;
    const { failure } = running;
    running.failure = undefined;
    try {
      result = failure === undefined ? running.job.next() : running.job.throw(failure);
    } catch (error) {
      this.#finish(running, error as Error);
      return;
    }
    if (result.done === true) this.#finish(running, undefined);
    else if (result.value !== undefined) this.#wait(running, result.value);
  }

  #wait(running: RunningJob, pending: Pending): void {
    running.isWaiting = true;
    pending.onSettled((error) => {
      running.isWaiting = false;
      running.failure = error;
      this.#step(running);
    });
  }

  #finish(running: RunningJob, error: Error | undefined): void {
    this.#running.splice(this.#running.indexOf(running), 1);
    running.pending.settle(error);
  }
}

/** Runs a job that never waits to its end, in one go. */
export function runToEnd<T>(job: Job<T>): T {
  for (;;) {
    const step = job.next();
    if (step.done === true) return step.value;
    if (step.value !== undefined) throw new Error('Cannot wait in a job that runs in one go');
  }
}
