// What a node of a cluster tells of itself and of the others, as far as it knows them. Plain data.

import type { NodeRole } from '@skein/cluster';

export interface ClusterStatus {
  readonly name: string;
  readonly role: NodeRole;
  /** The own term while it is primary, else the highest that it has seen. */
  readonly epoch: number;
  readonly clusterId?: string;
  /** Where other nodes find this one. */
  readonly url: string;
  readonly proxyUrl?: string;
  /** Where its SQL is served over HTTP. */
  readonly sqlUrl?: string;
  /** The name of the primary in its configuration. */
  readonly configuredPrimary: string;
  /** Who leads, when this node does not and somebody does. */
  readonly primary?: PrimaryStatus;
  /** Of a replica: it has had, once, all that the primary had when it connected. */
  readonly isCaughtUp: boolean;
  /** Of a replica: for how long it has not heard that it has everything. */
  readonly lagMs?: number;
  /** Why the node is not what it is configured for. */
  readonly problems: readonly ClusterProblem[];
  /** In the order of their names. */
  readonly peers: readonly PeerStatus[];
  /** Folders with transactions that this node had and the primary did not. */
  readonly diverged: readonly string[];
}

export interface PrimaryStatus {
  readonly name: string;
  readonly url: string;
  readonly proxyUrl?: string;
  readonly sqlUrl?: string;
}

export interface ClusterProblem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface PeerStatus {
  readonly name: string;
  readonly url?: string;
  /** Undefined where it does not say: a LiteFS. */
  readonly role?: NodeRole;
  readonly epoch?: number;
  /** It follows this node, over a stream. */
  readonly isConnected: boolean;
  readonly isCaughtUp: boolean;
  /** Of one that is connected: where its databases stand. */
  readonly positions: readonly PeerPosition[];
  /** Transactions of all databases that it does not show yet. */
  readonly behindCount: number;
  /**
   * A database of which it came with transactions that this node does not have. It takes this
   * node's, and keeps those that it made itself aside.
   */
  readonly aheadIn?: string;
}

/** TXIDs as sixteen lowercase hexadecimal digits. */
export interface PeerPosition {
  readonly database: string;
  readonly durable: string;
  readonly applied: string;
}
