// Who may lead: the port between a node and whatever decides it. Today a name in the configuration
// (static-leaser.ts); Raft, Consul or etcd fit behind the same port.
//
// Invariant for every implementation: no epoch is ever given twice, and an epoch is durable on the
// node that gets it before acquire() resolves.

export interface PrimaryInfo {
  readonly name: string;
  /** Where its node API may be found, the likeliest first. */
  readonly urls: readonly URL[];
}

/** The right to accept writes, for one term of leadership. */
export interface Lease {
  /** Number of the term. It is in every message of the node from now on. */
  readonly epoch: number;
  /** When it has to be renewed, by the monotonic clock; undefined: it does not run out. */
  readonly renewMs: number | undefined;
  /** Rejects with ClusterError LEASE_LOST when somebody else may have it by now. */
  renew(): Promise<void>;
  /** Gives it up, so that another node need not wait until it runs out. */
  release(): Promise<void>;
}

export interface Leaser {
  readonly kind: 'static';
  /** Whether this node may lead at all. */
  readonly isCandidate: boolean;
  /** The cluster's id where the leaser itself remembers one. */
  clusterId(): Promise<string | undefined>;
  /** Who leads, as far as the leaser knows. */
  primaryInfo(): Promise<PrimaryInfo | undefined>;
  /** A lease whose epoch is above `aboveEpoch`; undefined: another node has it. */
  acquire(aboveEpoch: number): Promise<Lease | undefined>;
}

/** Where the node keeps the highest epoch that it knows of. */
export interface EpochStore {
  /** Durable when it resolves. A lower one than there is changes nothing. */
  raise(epoch: number): Promise<void>;
}
