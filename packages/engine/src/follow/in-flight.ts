// What was sent to a peer and is not durable there, as far as it has said: a connection that breaks
// now will have to begin there again.
//
// A peer that never says what it has (LiteFS) is taken to have what was sent.

import type { Position } from '@skein/ltx';

interface Sent {
  readonly firstLsn: number;
  /** The last transaction of the batch: a peer takes them in this order. */
  readonly database: string;
  readonly txid: bigint;
}

/** A peer that acknowledges this many batches late needs not find all of them in the log. */
const BATCHES_MAX = 1024;

export class InFlight {
  readonly #batches: Sent[] = [];
  #acknowledges = false;

  /** The first record of what may be missing; undefined: the peer has all that was sent. */
  get firstLsn(): number | undefined {
    return this.#acknowledges ? this.#batches[0]?.firstLsn : undefined;
  }

  add(batch: Sent): void {
    if (this.#batches.length === BATCHES_MAX) this.#batches.shift();
    this.#batches.push(batch);
  }

  acknowledged(database: string, { txid }: Position): void {
    this.#acknowledges = true;
    const count =
      this.#batches.findLastIndex((sent) => sent.database === database && sent.txid <= txid) + 1;
    this.#batches.splice(0, count);
  }
}
