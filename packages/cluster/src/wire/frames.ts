// What a decoder finds in a stream. The bytes in it are views of what was pushed, or arrays of
// their own: whoever pushed bytes must leave them as they are.

import type { Position, Txid } from '@skein/ltx';

import type { ReceivedTransaction } from '../ports.ts';

/** How far a replica is with a database. */
export interface Acknowledgement {
  readonly database: string;
  /** The last transaction that arrived whole. */
  readonly received: Txid;
  /** What a crash of the replica does not take away. */
  readonly durable: Position;
  /** What readers of the replica see. */
  readonly applied: Position;
}

export interface FileHead {
  readonly database: string;
  readonly epoch: number;
  /** Names these very bytes, also after the connection broke. */
  readonly id: string;
  /** Where the pieces that follow begin. */
  readonly offset: number;
  /** Of the database, when the file has been applied. */
  readonly position: Position;
}

/** What comes from a primary. */
export type ServerFrame =
  | { readonly kind: 'ltx-begin'; readonly database: string }
  | { readonly kind: 'ltx-bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'ltx-end' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'end' }
  | { readonly kind: 'drop-database'; readonly database: string }
  | { readonly kind: 'handoff'; readonly leaseId: string }
  | { readonly kind: 'high-water-mark'; readonly database: string; readonly txid: Txid }
  | HeartbeatFrame
  | { readonly kind: 'transaction'; readonly transaction: ReceivedTransaction }
  | { readonly kind: 'file-begin'; readonly head: FileHead }
  | { readonly kind: 'file-bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file-end' };

/** What comes from a replica, after its position map. */
export type ClientFrame =
  | HeartbeatFrame
  | { readonly kind: 'acknowledgement'; readonly acknowledgement: Acknowledgement };

interface HeartbeatFrame {
  readonly kind: 'heartbeat';
  /** By the sender's clock. */
  readonly wallMs: number;
}
