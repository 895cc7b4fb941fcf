// What can be asked of a node from outside its mount: by the HTTP API, and through it by the CLI.
//
// Two things implement it: the daemon, for the node that serves a mount, and offline/, for a data
// folder that nobody serves. Everything here is plain data, so that it passes between threads and
// over HTTP as it is.

import type { ClusterStatus } from './cluster-status.ts';

export interface NodeControl {
  status(): Promise<NodeStatus>;

  /**
   * Makes the file at `path` the content of database `name`, in one transaction; it exists already
   * or comes into being by this. `path` is one of newScratchPath(); the file stays with the caller,
   * who removes it. Rejects with an EngineError when the file or the name cannot be taken: then
   * the database is as it was.
   */
  importDatabase(name: string, path: string): Promise<DatabaseStatus>;

  /**
   * Writes the database, as it is at one moment, to the new file `path`, one of newScratchPath().
   * Writers are not held up. The file stays with the caller, also after a rejection. The answer is
   * the state that was written, whatever was committed meanwhile.
   */
  exportDatabase(name: string, path: string, onProgress?: OnProgress): Promise<DatabaseStatus>;

  /** A path in the data folder's scratch, on its disk; another one at each call. */
  newScratchPath(purpose: string): string;

  /** All figures, as Prometheus reads them. */
  metrics(): string;
}

export type OnProgress = (doneBytes: number, totalBytes: number) => void;

export interface NodeStatus {
  readonly version: string;
  /** Sixteen uppercase hexadecimal digits, as LiteFS shows it. */
  readonly nodeId: string;
  /** Undefined where no mount is being served. */
  readonly mountpoint: string | undefined;
  readonly dataFolder: string;
  /** By the wall clock, milliseconds since 1970. */
  readonly startedMs: number;
  readonly uptimeMs: number;
  readonly passthrough: PassthroughStatus;
  readonly log: LogStatus;
  /** Transactions that were put into their databases again at the start. */
  readonly replayedCount: number;
  /** In the order of their names. */
  readonly databases: readonly DatabaseStatus[];
  /** Of a replica: where transactions are durable and wait to be applied. */
  readonly applying: readonly ApplyingStatus[];
  /** Undefined for a node that is alone. */
  readonly cluster?: ClusterStatus;
  /** What somebody who runs the node should know, a sentence each. */
  readonly warnings: readonly string[];
}

export interface ApplyingStatus {
  readonly database: string;
  /** Transactions that readers do not see yet. */
  readonly waitingCount: number;
  /** What is in the way. */
  readonly reason?: string;
  /** The process that is in the way. */
  readonly pid?: number;
}

/** Whether the kernel reads and writes journals by itself (FUSE_PASSTHROUGH). */
export interface PassthroughStatus {
  readonly isActive: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** The log of transactions. */
export interface LogStatus {
  /** Number of the last record; 0 before the first. */
  readonly lastLsn: number;
  /** The last record that survives a power cut. */
  readonly durableLsn: number;
  /** What its segments take on the disk. */
  readonly sizeBytes: number;
  /** Why nothing can be committed any more until the node is started again. */
  readonly failure?: string;
}

export interface DatabaseStatus {
  readonly name: string;
  /** Undefined: a file without a transaction yet. */
  readonly pageSize: number | undefined;
  readonly pageCount: number;
  readonly sizeBytes: number;
  /** Number of the last transaction: sixteen lowercase hexadecimal digits, as in LTX file names. */
  readonly txid: string;
  /** Over all pages: sixteen lowercase hexadecimal digits. */
  readonly checksum: string;
  readonly journalMode: 'rollback' | 'wal';
  /** Why the database takes no writes, if it takes none. */
  readonly refusal?: string;
}
