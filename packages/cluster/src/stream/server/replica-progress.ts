// How far the replicas are, and who waits for them to be further.

import type { Position, Txid } from '@skein/ltx';

import { malformed } from '../../wire/fields.ts';
import type { Acknowledgement } from '../../wire/frames.ts';
import { DATABASE_COUNT_MAX } from '../../wire/limits.ts';

export type ProgressLevel = 'received' | 'durable' | 'applied';

/** How far one replica is with one database. */
export type ReplicaPosition = Omit<Acknowledgement, 'database'>;

/** One replica, kept up to date by what it acknowledges. */
export class ReplicaProgress {
  readonly #positions = new Map<string, ReplicaPosition>();

  /** What the replica had when it connected; what it has, it has durably. */
  constructor(positions: ReadonlyMap<string, Position>) {
    for (const [database, position] of positions) {
      const received = position.txid;
      this.#positions.set(database, { received, durable: position, applied: position });
    }
  }

  get positions(): ReadonlyMap<string, ReplicaPosition> {
    return this.#positions;
  }

  update({ database, received, durable, applied }: Acknowledgement): void {
    const { size } = this.#positions;
    if (size >= DATABASE_COUNT_MAX && !this.#positions.has(database)) {
      throw malformed('a replica acknowledges more databases than there can be');
    }
    this.#positions.set(database, { received, durable, applied });
  }

  has(database: string, txid: Txid, level: ProgressLevel): boolean {
    const position = this.#positions.get(database);
    if (position === undefined) return txid === 0n;
    const reached = level === 'received' ? position.received : position[level].txid;
    return reached >= txid;
  }
}

export interface ReplicaTarget {
  readonly txids: ReadonlyMap<string, Txid>;
  readonly level: ProgressLevel;
  /** How many replicas must have got there; 'all': all that are connected. */
  readonly count: number | 'all';
}

interface Waiter {
  readonly target: ReplicaTarget;
  readonly resolve: (isReached: boolean) => void;
}

/** Those who wait until replicas have got somewhere. */
export class ProgressWaiters {
  readonly #waiters = new Set<Waiter>();

  /** True as soon as the target is reached; false when the signal is aborted before. */
  wait(
    target: ReplicaTarget,
    replicas: () => Iterable<ReplicaProgress>,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (isReached(target, replicas())) return Promise.resolve(true);
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onAbort = (): void => waiter.resolve(false);
      const waiter: Waiter = {
        target,
        resolve: (isReached) => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', onAbort);
          resolve(isReached);
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort);
    });
  }

  /** To be called when a replica has got further, or is gone. */
  notify(replicas: Iterable<ReplicaProgress>): void {
    if (this.#waiters.size === 0) return;
    const all = [...replicas];
    for (const waiter of this.#waiters) {
      if (isReached(waiter.target, all)) waiter.resolve(true);
    }
  }
}

function isReached(target: ReplicaTarget, replicas: Iterable<ReplicaProgress>): boolean {
  let missing = 0;
  let count = 0;
  for (const replica of replicas) {
    const isThere = [...target.txids].every(([database, txid]) =>
      replica.has(database, txid, target.level),
    );
    if (isThere) count += 1;
    else missing += 1;
  }
  return target.count === 'all' ? missing === 0 : count >= target.count;
}
