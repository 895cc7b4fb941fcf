// Tells the person who runs the node why clients get errors: they see a number only.

import { EngineError } from '@skein/engine';
import { type Clock, DiskError, type Log } from '@skein/host';

/** A client that tries again and again does not fill the log. */
const REPEAT_MS = 10_000;
const REMEMBERED_MAX = 1000;

export interface RefusalsOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Of a replica that is connected. */
  readonly primaryName: () => string | undefined;
}

export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #lastMs = new Map<string, number>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  report(error: unknown): void {
    if (!(error instanceof EngineError || error instanceof DiskError)) return;
    const { log } = this.#options;
    if (error instanceof EngineError && error.code === 'REPLICA_READ_ONLY') {
      this.#reportReplica(error);
      return;
    }
    if (!this.#isDue(error.message, REPEAT_MS)) return;
    if (error instanceof DiskError) {
      log.error(error.message, { code: error.code });
      return;
    }
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    log.warn(error.message, { code: error.code, hint: error.hint, cause });
  }

  /**
   * SQLite tries to open every database for writing, readers do too, and is content with less: that
   * is told once, for those who wonder later why they cannot write.
   */
  #reportReplica({ message, code, hint }: EngineError): void {
    const primary = this.#options.primaryName();
    if (!this.#isDue(`${message} ${primary}`, Number.POSITIVE_INFINITY)) return;
    this.#options.log.info(message, { code, primary, hint });
  }

  #isDue(what: string, repeatMs: number): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const lastMs = this.#lastMs.get(what);
    if (lastMs !== undefined && nowMs - lastMs < repeatMs) return false;
    if (this.#lastMs.size >= REMEMBERED_MAX) this.#lastMs.clear();
    this.#lastMs.set(what, nowMs);
    return true;
  }
}
