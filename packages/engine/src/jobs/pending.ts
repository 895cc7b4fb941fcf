// An answer that comes later: what a promise is for, but without the event loop, which the thread
// that serves the mount never turns. Whoever waits is called in the middle of what settles it.

import { assert } from '@skein/bytes';

export type Settled = (error: Error | undefined) => void;

export class Pending {
  #callback: Settled | undefined;
  #isSettled = false;
  #error: Error | undefined;

  /** Calls back once: now if it is settled already. One caller only. */
  onSettled(callback: Settled): void {
    assert(this.#callback === undefined, 'Somebody waits for this answer already');
    this.#callback = callback;
    if (this.#isSettled) callback(this.#error);
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Why it failed; undefined when it has not, or not yet. */
  get error(): Error | undefined {
    return this.#error;
  }

  settle(error?: Error): void {
    assert(!this.#isSettled, 'An answer came twice');
    this.#isSettled = true;
    this.#error = error;
    this.#callback?.(error);
  }
}

/** Does something more when an answer has come and is no error; later callers wait for that too. */
export function afterwards(pending: Pending | undefined, then: () => void): Pending | undefined {
  if (pending === undefined) {
    then();
    return undefined;
  }
  const both = new Pending();
  pending.onSettled((error) => {
    if (error !== undefined) return both.settle(error);
    try {
      then();
      both.settle();
    } catch (failure) {
      both.settle(failure as Error);
    }
  });
  return both;
}
