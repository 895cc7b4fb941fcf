// What goes wrong with peers, counted by reason, and told once in a while for each reason and peer:
// a peer that comes back every second must not fill the log.

import type { Clock, Counter, Log, Metrics } from '@skein/host';

import { REPLICATION_ERROR_CODES, type ReplicationError } from '../errors.ts';

/** Each reason of each peer is told once in so long. */
const REPEAT_MS = 60_000;

/** Reasons and peers that are remembered; the oldest are forgotten. */
const REMEMBERED_MAX = 256;

export interface ComplaintOptions {
  /** Which end of the stream this is. */
  readonly side: 'primary' | 'replica';
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class Complaints {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counters: ReadonlyMap<string, Counter>;
  readonly #lastMs = new Map<string, number>();

  constructor({ side, clock, log, metrics }: ComplaintOptions) {
    this.#clock = clock;
    this.#log = log;
    const help = 'Streams that were refused or ended, by reason';
    this.#counters = new Map(
      REPLICATION_ERROR_CODES.map((reason) => [
        reason,
        metrics.counter('skein_stream_errors_total', help, { reason, side }),
      ]),
    );
  }

  /** `message` says what failed; the error says why. */
  report(message: string, error: ReplicationError, peer: string): void {
    this.#counters.get(error.code)!.add(1);
    const key = `${error.code} ${peer}`;
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#lastMs.get(key);
    if (lastMs !== undefined && nowMs - lastMs < REPEAT_MS) return;
    this.#lastMs.delete(key);
    this.#lastMs.set(key, nowMs);
    if (this.#lastMs.size > REMEMBERED_MAX) {
      const [oldest] = this.#lastMs.keys();
      this.#lastMs.delete(oldest!);
    }
    const { code, message: reason, hint } = error;
    this.#log.warn(message, { peer, code, reason, hint });
  }
}
