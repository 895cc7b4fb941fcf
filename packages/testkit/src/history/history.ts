// What clients of a cluster did and saw, as it is written down while faults go on, to be judged
// afterwards by checkHistory().
//
// The clients share one table to which each write adds a row with a number of its own; nothing is
// ever changed or removed. The order of the rows is then the order of the commits, a state of the
// database is a beginning of the final list, and which one a reader saw can be told from a few sums
// (state.ts). All times are of one clock that never goes back, in milliseconds.

/** `failed`: told to be not executed. `unknown`: it may have happened, or happen yet. */
export type WriteOutcome = 'acknowledged' | 'failed' | 'unknown';

/** Where the database stood after a commit, as the node told it. */
export interface CommitPosition {
  readonly epoch: number;
  readonly txid: number;
}

export interface WriteOperation {
  readonly kind: 'write';
  readonly client: string;
  /** No other write has it. */
  readonly value: number;
  readonly outcome: WriteOutcome;
  readonly startMs: number;
  readonly endMs: number;
  /** Writes and reads of one session are promised to fit together; undefined: of none. */
  readonly session?: string | undefined;
  readonly position?: CommitPosition | undefined;
}

/** What a reader saw of the table in one statement. */
export interface Glimpse {
  readonly count: number;
  /** Of all rows and their order, see digestOf(). */
  readonly digest: number;
  /** A count of its own that each write raises in the same transaction. */
  readonly tally: number;
}

export interface ReadOperation {
  readonly kind: 'read';
  readonly client: string;
  /** Whose database was read. */
  readonly node: string;
  /** Whether that node was the primary all the time. */
  readonly isPrimary: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly seen: Glimpse;
  readonly session?: string | undefined;
  /** Reads of one read transaction, which show one state. */
  readonly transaction?: string | undefined;
}

export type Operation = WriteOperation | ReadOperation;

/**
 * What is promised to a session that moves between nodes: that it sees what it wrote itself, or
 * besides that it never sees an earlier state than before.
 */
export type SessionPromise = 'own-writes' | 'monotonic-reads';

export interface History {
  readonly operations: readonly Operation[];
  /** Default: both. */
  readonly sessionPromise?: SessionPromise;
  /** The numbers in the table of the primary at the end, in the order of the rows. */
  readonly final: readonly number[];
}

export type ViolationKind =
  /** An acknowledged write is not there at the end. */
  | 'lost-write'
  /** A write that was told to have failed is there. */
  | 'failed-write-present'
  /** A write is there twice. */
  | 'executed-twice'
  /** There is a row that nobody wrote. */
  | 'phantom-write'
  /** A write that ended before another began comes after it. */
  | 'writes-out-of-order'
  /** The positions of two acknowledged writes say another order than the rows, or are equal. */
  | 'positions-out-of-order'
  /** The rows do not agree with the count of the same transaction. */
  | 'torn-state'
  /** What was seen is no state that the primary ever had. */
  | 'no-such-state'
  /** A read shows a write that had not begun when it ended. */
  | 'read-of-the-future'
  /** A node showed an earlier state than to a reader before. */
  | 'node-went-back'
  /** A session saw an earlier state than before. */
  | 'session-went-back'
  /** A session did not see what it had written. */
  | 'own-write-unseen'
  /** The primary did not show a write that it had acknowledged. */
  | 'stale-primary'
  /** A read transaction saw two states. */
  | 'snapshot-moved';

export interface Violation {
  readonly kind: ViolationKind;
  readonly message: string;
}

/** For messages: `read by r1 on node2 at 120–121 ms: 17 rows`. */
export function describeOperation(operation: Operation): string {
  const { client, startMs, endMs } = operation;
  const when = `at ${startMs.toFixed(0)}–${endMs.toFixed(0)} ms`;
  if (operation.kind === 'write') {
    return `write of ${operation.value} by ${client} ${when} (${operation.outcome})`;
  }
  return `read by ${client} on ${operation.node} ${when}: ${operation.seen.count} rows`;
}
