// Replication between nodes.

export { AddressList } from './auth/address-list.ts';
export {
  Authenticator,
  type AuthenticatorOptions,
  SIGNATURE_VALID_MS,
} from './auth/authenticator.ts';
export {
  StreamClient,
  type StreamClientOptions,
  type StreamStatus,
} from './stream/client/stream-client.ts';
export type { NodeHello, StreamPeer } from './stream/hello.ts';
export { createNodeListener, type NodeListenerOptions } from './stream/server/node-listener.ts';
export type {
  ProgressLevel,
  ReplicaPosition,
  ReplicaTarget,
} from './stream/server/replica-progress.ts';
export {
  type ReplicaStatus,
  StreamServer,
  type StreamServerOptions,
} from './stream/server/stream-server.ts';
export { STREAM_TIMING, type StreamTiming } from './stream/timing.ts';
export { maybeTlsError } from './stream/tls-errors.ts';
export type { TlsIdentity } from './stream/tls-identity.ts';
export type {
  FollowOptions,
  LogCursor,
  LogItem,
  LogSink,
  LogSource,
  PositionMap,
  ReceivedFile,
  ReceivedTransaction,
  SentFile,
  SentTransaction,
} from './ports.ts';
export { ReplicationError, type ReplicationErrorCode } from './errors.ts';
export { newClusterId } from './lease/cluster-id.ts';
export type { EpochStore, Lease, Leaser, PrimaryInfo } from './lease/leaser.ts';
export { StaticLeaser, type StaticLeaserOptions } from './lease/static-leaser.ts';
export {
  ClusterNode,
  type ClusterNodeOptions,
  type ClusterNodePorts,
  type PeerProbe,
  type Situation,
} from './node/cluster-node.ts';
export { ClusterError, type ClusterErrorCode } from './node/errors.ts';
export type { Link } from './node/node-state.ts';
export type { ClusterMemory, ClusterMemoryStore, KnownPeer } from './node/peer-book.ts';
export {
  formatHello,
  HELLO_BYTES_MAX,
  NODE_ROLES,
  type NodeRole,
  parseHello,
  type PeerAddress,
  type PeerHello,
} from './node/peer.ts';
export { findAhead } from './node/positions.ts';
export { untilAborted } from './stream/until-aborted.ts';
