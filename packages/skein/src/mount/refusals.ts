// Tells the person who runs the node why clients get errors: they see a number only.

import { EngineError } from '@skein/engine';
import { type Clock, DiskError, type Log } from '@skein/host';

/** A client that tries again and again does not fill the log. */
const REPEAT_MS = 10_000;
const REMEMBERED_MAX = 1000;

export class Refusals {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #lastMs = new Map<string, number>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  report(error: unknown): void {
    if (!(error instanceof EngineError || error instanceof DiskError)) return;
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#lastMs.get(error.message);
    if (lastMs !== undefined && nowMs - lastMs < REPEAT_MS) return;
    if (this.#lastMs.size >= REMEMBERED_MAX) this.#lastMs.clear();
    this.#lastMs.set(error.message, nowMs);
    if (error instanceof DiskError) {
      this.#log.error(error.message, { code: error.code });
      return;
    }
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    this.#log.warn(error.message, { code: error.code, hint: error.hint, cause });
  }
}
