// One job at a time on one thing: a transaction of a database is compared with the state before it,
// so no other may come in between while it goes on in steps.

import type { Job } from './jobs.ts';
import { Pending } from './pending.ts';

export class JobLock {
  readonly #waiting: Pending[] = [];
  #isTaken = false;

  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Runs the job when no other holds the lock, in the order in which they came. */
  *hold<T>(job: Job<T>): Job<T> {
    if (this.#isTaken) {
      const turn = new Pending();
      this.#waiting.push(turn);
      // Whoever ends hands the lock on: it stays taken.
      yield turn;
    }
    this.#isTaken = true;
    try {
      return yield* job;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#isTaken = false;
      else next.settle();
    }
  }
}

/** Runs the job when it holds all of the locks; who needs several takes them in the same order. */
export function holdAll<T>(locks: readonly JobLock[], job: Job<T>): Job<T> {
  return locks.reduceRight((inner, lock) => lock.hold(inner), job);
}
