// Replication between nodes.

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
  type NodeRole,
  parseHello,
  type PeerAddress,
  type PeerHello,
} from './node/peer.ts';
