// Faults by plan: an operation of the simulated disk that fails, or at which the power goes out.
//
// Operations are numbered from 1 in the order in which they happen. A point names the n-th
// operation that matches from the moment on when the fault was planned; without conditions every
// one matches.

import assert from 'node:assert/strict';

export type OperationKind =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'size'
  | 'sync'
  | 'close'
  | 'rename'
  | 'remove'
  | 'remove-directory'
  | 'make-directory'
  | 'list'
  | 'stat'
  | 'sync-directory'
  | 'space'
  /** A job handed to BackgroundIo; its own writes and syncs follow when it runs. */
  | 'request';

export interface Operation {
  readonly kind: OperationKind;
  /** The name that the caller gave the operation it is part of; "close" for a close. */
  readonly op: string;
  readonly path: string;
}

const READING_KINDS: ReadonlySet<OperationKind> = new Set<OperationKind>([
  'read',
  'size',
  'close',
  'list',
  'stat',
  'space',
  'request',
]);

/** Whether a crash after the operation can be told from a crash before it. */
export function changesDisk(operation: Operation): boolean {
  return !READING_KINDS.has(operation.kind);
}

/** The n-th operation that has all the properties given. */
export interface FaultPoint {
  readonly n: number;
  readonly op?: string;
  readonly kind?: OperationKind;
  readonly path?: string;
}

export interface Failure extends FaultPoint {
  /** What the operation reports: "EIO", "ENOSPC". */
  readonly error: string;
  /**
   * `before`: nothing was done. `midway`: half of a write was, some of a sync. `after`: all was
   * done, but an error is reported all the same. Operations without a middle fail before.
   */
  readonly when?: 'before' | 'midway' | 'after';
  /** How many matching operations in a row fail, from the n-th on. Default 1. */
  readonly times?: number;
}

export interface Stop extends FaultPoint {
  readonly when: 'before' | 'after';
}

/**
 * Every moment of a run at which a crash is worth a look, for `stopAt` on a fresh disk. After one
 * operation and before the next the disk is the same, but only then has the caller seen the first
 * succeed, and perhaps told its client so.
 */
export function crashPoints(operations: readonly Operation[]): Stop[] {
  return operations.flatMap((operation, index): Stop[] =>
    changesDisk(operation)
      ? [
          { n: index + 1, when: 'before' },
          { n: index + 1, when: 'after' },
        ]
      : [],
  );
}

/** The power went out. Thrown by the operation concerned and by every later one. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
  readonly code = 'POWER_CUT';

  constructor(operation: Operation) {
    super(`The power went out at ${operation.kind} (${operation.op}) of ${operation.path}`);
  }
}

/** What is planned for the operation at hand. */
export interface Verdict {
  readonly stop: 'before' | 'after' | undefined;
  readonly failure:
    | { readonly error: string; readonly when: 'before' | 'midway' | 'after' }
    | undefined;
}

interface Planned<Plan extends FaultPoint> {
  readonly plan: Plan;
  /** Matching operations that will still pass unharmed. */
  passes: number;
  /** Matching operations that will then be hit. */
  hits: number;
}

export class Faults {
  #failures: Planned<Failure>[] = [];
  #stops: Planned<Stop>[] = [];

  planFailure(failure: Failure): void {
    assert(failure.n >= 1, 'Operations are counted from 1');
    this.#failures.push({ plan: failure, passes: failure.n - 1, hits: failure.times ?? 1 });
  }

  planStop(stop: Stop): void {
    assert(stop.n >= 1, 'Operations are counted from 1');
    this.#stops.push({ plan: stop, passes: stop.n - 1, hits: 1 });
  }

  /** Faults that were planned and have not happened, so that no test passes for want of a match. */
  get unused(): readonly FaultPoint[] {
    return [...this.#failures, ...this.#stops].map((planned) => planned.plan);
  }

  clear(): void {
    this.#failures = [];
    this.#stops = [];
  }

  /** Counts the operation and says what happens to it. */
  judge(operation: Operation): Verdict {
    const stop = takeHit(this.#stops, operation);
    const failure = takeHit(this.#failures, operation);
    this.#stops = this.#stops.filter((planned) => planned.hits > 0);
    this.#failures = this.#failures.filter((planned) => planned.hits > 0);
    return {
      stop: stop?.when,
      failure: failure && { error: failure.error, when: failure.when ?? 'before' },
    };
  }
}

/** The first plan that hits the operation; all plans that match it count it. */
function takeHit<Plan extends FaultPoint>(
  plans: readonly Planned<Plan>[],
  operation: Operation,
): Plan | undefined {
  let hit: Plan | undefined;
  for (const planned of plans) {
    if (!matches(planned.plan, operation)) continue;
    if (planned.passes > 0) {
      planned.passes -= 1;
    } else if (hit === undefined) {
      planned.hits -= 1;
      hit = planned.plan;
    }
  }
  return hit;
}

function matches(point: FaultPoint, operation: Operation): boolean {
  return (
    (point.op === undefined || point.op === operation.op) &&
    (point.kind === undefined || point.kind === operation.kind) &&
    (point.path === undefined || point.path === operation.path)
  );
}
