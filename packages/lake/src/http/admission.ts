// How many requests work at once, and how many wait for that. Beyond both a request is refused at
// once, with 429: whoever waits for minutes has long gone, and what waits takes memory.

import { assert } from '@skein/bytes';

import { LakeHttpError } from './errors.ts';

export interface AdmissionLimits {
  readonly atOnce: number;
  readonly waiting: number;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #waiting = new Set<() => void>();
  #working = 0;

  constructor(limits: AdmissionLimits) {
    assert(limits.atOnce > 0, 'somebody has to get in');
    this.#limits = limits;
  }

  get working(): number {
    return this.#working;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves when it is the caller's turn, to what ends it. Rejects with LakeHttpError when too
   * many wait, and with the signal's reason when the client leaves.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#working < this.#limits.atOnce) {
      this.#working += 1;
    } else {
      if (this.#waiting.size >= this.#limits.waiting) {
        throw new LakeHttpError(
          429,
          'LAKE_QUEUE_FULL',
          'Too many requests are waiting already: try again later',
        );
      }
      await this.#turn(signal);
    }
    let isInside = true;
    return () => {
      assert(isInside, 'a request leaves once');
      isInside = false;
      this.#leave();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(onTurn);
        reject(signal.reason as Error);
      };
      // Its place is handed over: who leaves does not count down.
      const onTurn = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      this.#waiting.add(onTurn);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#working -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
