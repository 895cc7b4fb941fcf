// What an application knows of its node. The node tells it, as it changes: a view never guesses,
// and what it says was true of the node at some moment, in the order of those moments.

import type { PrimaryAddress } from './errors.ts';

export type NodeRole =
  | 'primary'
  /** Follows a primary that is known. */
  | 'replica'
  /** Nobody is known to be primary, or the daemon of this node is gone. */
  | 'no-primary'
  /** There may be a primary, but nobody may write: two nodes claim it, or the disk failed. */
  | 'fenced';

/** Where a database stands for readers of a node. */
export interface Position {
  /** Of the primary that leads; 0 where there is no log. */
  readonly epoch: number;
  /** Number of the last transaction. */
  readonly txid: bigint;
}

/** One moment of a node; another object at each change. */
export interface NodeState {
  readonly name: string;
  readonly role: NodeRole;
  /** The term of the primary; it only grows. */
  readonly epoch: number;
  /** Only on a replica. */
  readonly primary?: PrimaryAddress;
  /** For how long this node has not heard that it has everything; 0 on the primary. */
  readonly lagMs: number;
  position(database: string): Position | undefined;
}

export type NodeEventName =
  /** Anything is different. */
  | 'state'
  /** The role, the epoch or the primary is. */
  | 'role'
  /** A database stands elsewhere. */
  | 'position';

export type NodeListener = (state: NodeState) => void;

export interface WaitOptions {
  /** Rejects with POSITION_TIMEOUT after so long; default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Where to wait for: without an epoch, that of any primary. */
export interface PositionTarget {
  readonly epoch?: number;
  readonly txid: bigint;
}

/** The node that an application runs on. */
export interface NodeView {
  /** The folder of the databases: the mount, or a plain folder where Skein is not enabled. */
  readonly mountPath: string;
  /** The database of the settings, which is opened where none is named. */
  readonly databaseName?: string | undefined;
  /** As it is now. */
  readonly state: NodeState;
  readonly isPrimary: boolean;
  /** How often the node was met anew: what was opened before is to be opened again. */
  readonly generation: number;
  /** Calls `listener` after each change, with the state. Returns what ends that. */
  on(event: NodeEventName, listener: NodeListener): () => void;
  /** Afterwards the state has everything that was committed here before the call. */
  refresh(): Promise<void>;
  /** The role as the mount shows it at this moment; the news of it may still be on its way. */
  roleNow(): Pick<NodeState, 'role' | 'primary'>;
  /**
   * Resolves when readers of this node see the database at `position` or beyond. Rejects with
   * POSITION_TIMEOUT, NODE_CLOSED, or the signal's reason.
   */
  waitForPosition(database: string, position: PositionTarget, options?: WaitOptions): Promise<void>;
  /** Nothing is followed any more. */
  close(): Promise<void>;
}
