// Why a node does not lead, or cannot talk to another one.

import { CodedError } from '@skein/bytes';

export type ClusterErrorCode =
  /** Nodes are configured for different primaries. */
  | 'PRIMARY_CONFLICT'
  /** Two nodes have the same name. */
  | 'NODE_NAME_TAKEN'
  /** A peer belongs to another cluster. */
  | 'CLUSTER_ID_MISMATCH'
  /** A node that is to lead lacks transactions that a peer has. */
  | 'PEER_AHEAD'
  /** A node that is to lead has not heard of all known peers yet. */
  | 'PEERS_UNHEARD'
  /** A node that is to lead waits for the one that led before it. */
  | 'PRIMARY_AWAITED'
  /** A later term of leadership has begun elsewhere. */
  | 'FENCED'
  /** The node is not the primary, and knows none. */
  | 'NO_PRIMARY'
  /** The lease ran out, or somebody else has it. */
  | 'LEASE_LOST'
  /** A peer says what cannot be. */
  | 'PEER_MALFORMED';

export class ClusterError extends CodedError<ClusterErrorCode> {
  override readonly name = 'ClusterError';
}
