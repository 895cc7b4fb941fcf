// One write at a time, in the order of arrival.
//
// DuckLake's writers on one SQLite catalog fail when they overlap: the later one has read a state
// that is gone, and gives up. So nobody overlaps. Whoever waits can be told to stop, or is refused
// at once when too many wait.

import { assert } from '@skein/bytes';

import { LakeError } from './errors.ts';

interface Waiter {
  readonly start: () => void;
}

export class WriteQueue {
  readonly #waitingMax: number;
  readonly #waiting: Waiter[] = [];
  #isBusy = false;

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Runs it when all before it have ended. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** To be called by work: runs right behind it, before all who wait, however many those are. */
  follow(work: () => Promise<void>): void {
    assert(this.#isBusy, 'Nothing runs that could be followed');
    const start = (): void => {
      void work().finally(() => this.#leave());
    };
    this.#waiting.unshift({ start });
  }

  #enter(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(stopped(signal));
    if (!this.#isBusy) {
      this.#isBusy = true;
      return Promise.resolve();
    }
    if (this.#waiting.length >= this.#waitingMax) {
      return Promise.reject(
        new LakeError('busy', 'LAKE_BUSY', `${this.#waiting.length} writes are waiting already`),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      reject(stopped(signal!));
    };
    const waiter: Waiter = {
      start: () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(waiter);
    return promise;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isBusy = false;
    else next.start();
  }
}

function stopped(signal: AbortSignal): LakeError {
  const reason: unknown = signal.reason;
  if (reason instanceof LakeError) return reason;
  return new LakeError('cancelled', 'LAKE_CANCELLED', 'The request was cancelled');
}
