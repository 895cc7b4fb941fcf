// How requests are answered: now or when what is pending has settled, and with an error number when
// something failed.

import type { Pending } from '@skein/engine';

import { maybeErrorNumber } from './error-numbers.ts';
import type { Refusals } from './refusals.ts';

interface Failing {
  error(errno: number): void;
}

interface Holding<R> extends Failing {
  hold(): R;
}

export class Answers {
  readonly #refusals: Refusals;
  #bug: unknown;

  constructor(refusals: Refusals) {
    this.#refusals = refusals;
  }

  /** Throws what went wrong in an answer that came later, if it is a bug. */
  throwBug(): void {
    if (this.#bug !== undefined) throw this.#bug;
  }

  /** Serves a request; what is thrown and has an error number is its answer. */
  try(reply: Failing, serve: () => void): void {
    try {
      serve();
    } catch (error) {
      const errno = maybeErrorNumber(error);
      if (errno === undefined) throw error;
      this.#refusals.report(error);
      reply.error(errno);
    }
  }

  /** Answers now, or when what is pending has settled. */
  when<R extends Holding<R>>(
    reply: R,
    pending: Pending | undefined,
    answer: (reply: R) => void,
  ): void {
    if (pending === undefined) return answer(reply);
    const held = reply.hold();
    pending.onSettled((error) => {
      try {
        this.try(held, () => {
          if (error !== undefined) throw error;
          answer(held);
        });
      } catch (bug) {
        // Not here: whoever settles must not fail because of who waits.
        this.#bug ??= bug;
      }
    });
  }
}
