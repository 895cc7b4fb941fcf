// Who waits until a database stands somewhere.

import { SkeinError } from '../errors.ts';
import type { NodeState, Position, PositionTarget, WaitOptions } from '../node-view.ts';

const WAIT_TIMEOUT_MS = 5_000;

interface Waiter {
  readonly database: string;
  readonly target: PositionTarget;
  readonly settle: (error?: unknown) => void;
}

export class PositionWaiters {
  readonly #waiters = new Set<Waiter>();

  /** Rejects with POSITION_TIMEOUT, what end() is given, or the signal's reason. */
  wait(
    state: NodeState,
    { database, target }: Pick<Waiter, 'database' | 'target'>,
    { timeoutMs = WAIT_TIMEOUT_MS, signal }: WaitOptions,
  ): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (isReached(target, state.position(database))) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#waiters.delete(waiter);
        if (error === undefined) resolve();
        else reject(error);
      };
      const abort = (): void => settle(signal!.reason);
      const timer = setTimeout(() => settle(tooLate(database, target, timeoutMs)), timeoutMs);
      const waiter: Waiter = { database, target, settle };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  update(state: NodeState): void {
    for (const { database, target, settle } of this.#waiters) {
      if (isReached(target, state.position(database))) settle();
    }
  }

  end(error: SkeinError): void {
    for (const { settle } of this.#waiters) settle(error);
  }
}

/**
 * Whether readers are as far. In a later term everything is reached that can be: what an old
 * primary had beyond it is lost, and nobody can wait for it.
 */
export function isReached(target: PositionTarget, position: Position | undefined): boolean {
  if (position === undefined) return target.txid === 0n;
  const { epoch = position.epoch, txid } = target;
  return position.epoch > epoch || (position.epoch === epoch && position.txid >= txid);
}

function tooLate(database: string, { txid }: PositionTarget, timeoutMs: number): SkeinError {
  return new SkeinError(
    'POSITION_TIMEOUT',
    `Database ${database} has not reached transaction ${txid} within ${timeoutMs} ms`,
    { hint: 'Read from the primary, or wait longer' },
  );
}
