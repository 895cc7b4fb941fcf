// What the thread of the engine does for a replica, as the main thread sees it.

import type { Position } from '@skein/ltx';

import type { ReceivedBatch } from './received-batch.ts';

export interface NamedPosition extends Position {
  readonly database: string;
}

/** Databases that have moved on, and where they stand now. */
export interface MovedPositions {
  readonly durable: readonly NamedPosition[];
  readonly applied: readonly NamedPosition[];
}

export interface FileToReceive {
  readonly database: string;
  readonly epoch: number;
  /** Whole and synced; it belongs to the engine from now on. */
  readonly path: string;
}

export interface ReplicaThread {
  /**
   * Resolves when the batch is durable. Batches are taken in the order of the calls; `bytes` is no
   * longer to be used.
   */
  receive(batch: ReceivedBatch): Promise<void>;
  receiveFile(file: FileToReceive): Promise<void>;
  /** Tells of every move, before whoever waits for it is told; the first time where all stand. */
  onMoved(listener: (moved: MovedPositions) => void): void;
}
