// What replication asks of a node: the log that a primary sends, and the log that a replica takes.
// `skein` implements both on the engine; tests implement them in memory.

import type { Position, Txid } from '@skein/ltx';

/** Where each database stands, by name. */
export type PositionMap = ReadonlyMap<string, Position>;

/** A transaction that is durable here, whole. */
export interface SentTransaction {
  readonly database: string;
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
  /** The term of leadership in which it was committed. */
  readonly epoch: number;
  /** When it was committed, by the clock of the node that did it. */
  readonly timestampMs: number;
  /** The LTX V1 file; may be a view that is valid until the cursor is asked again. */
  readonly bytes: Uint8Array;
}

/** An LTX file that is too large for memory: a snapshot, or one very large transaction. */
export interface SentFile {
  readonly database: string;
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
  readonly epoch: number;
  readonly timestampMs: number;
  /** Position of the database after it. */
  readonly position: Position;
  /** Names these very bytes, so that a transfer that broke off can go on where it was. */
  readonly id: string;
  /**
   * The bytes from `offset` on, in pieces; waits where the file is still being written. A piece is
   * the caller's until it asks for the next.
   */
  read(offset: number): AsyncIterable<Uint8Array>;
  /** To be called once, whatever happened. */
  release(): void;
}

export type LogItem =
  /** In the order of the log. */
  | { readonly kind: 'transactions'; readonly transactions: readonly SentTransaction[] }
  | { readonly kind: 'file'; readonly file: SentFile }
  /** The peer has a database that never was here. */
  | { readonly kind: 'unknown-database'; readonly database: string }
  /** There is nothing that the peer does not have. Once, the first time it is so. */
  | { readonly kind: 'caught-up' };

/** One reader of a primary's log, for one peer. Not for concurrent calls. */
export interface LogCursor {
  /** What the peer needs next; waits until there is something. Rejects when `signal` is aborted. */
  next(signal: AbortSignal): Promise<LogItem>;
  /** The peer has this much of a database durably: the log is not kept for it any more. */
  acknowledged(database: string, position: Position): void;
  close(): void;
}

export interface FollowOptions {
  /** Only these databases; undefined: all. */
  readonly databases?: ReadonlySet<string>;
  /** A file of which the peer has the first `offset` bytes. */
  readonly resume?: { readonly id: string; readonly offset: number };
  /** Whether the peer takes several transactions compacted into one. LiteFS does not. */
  readonly takesRanges?: boolean;
}

/** The primary's side. */
export interface LogSource {
  /** Where the databases stand, as far as it is durable here. */
  positions(): PositionMap;
  /**
   * What a peer that stands at `from` needs: single transactions where the log reaches that far
   * and the checksums agree, compacted ranges when they are many, else a snapshot.
   */
  follow(from: PositionMap, options?: FollowOptions): LogCursor;
}

/** A transaction that came over a stream: a whole LTX V1 file, not verified yet. */
export interface ReceivedTransaction {
  readonly database: string;
  readonly epoch: number;
  readonly bytes: Uint8Array;
}

/** A large LTX file on its way in. */
export interface ReceivedFile {
  /** How much of it there was already, from a transfer before. */
  readonly offset: number;
  write(bytes: Uint8Array): Promise<void>;
  /**
   * It is whole: verified, durable and on its way into the database when this resolves. When it
   * rejects, what came is not kept.
   */
  finish(): Promise<void>;
  /** The stream broke. What came is kept, so that another stream can go on. */
  interrupt(): void;
}

/** The replica's side. */
export interface LogSink {
  /** Where the databases stand, as far as it is durable here. */
  positions(): PositionMap;
  /** Where they stand for readers. */
  appliedPositions(): PositionMap;
  /**
   * Appends to the log, in this order, with one sync; resolves when it is durable here, and rejects
   * with a ReplicationError that says which transaction does not fit: nothing from that one on was
   * taken.
   */
  receive(transactions: readonly ReceivedTransaction[]): Promise<void>;
  /** A file that is too large to be received whole. */
  receiveFile(database: string, epoch: number, id: string): Promise<ReceivedFile>;
  /** What of a file has come already, if there is one that broke off. */
  resumable(): { readonly id: string; readonly offset: number } | undefined;
  /** Called whenever appliedPositions() has moved. Returns what ends that. */
  onApplied(listener: () => void): () => void;
}
