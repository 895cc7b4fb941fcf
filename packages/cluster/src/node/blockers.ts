// What keeps a node from accepting writes: contradictions with the peers that it has seen lately.
// Each is a typed error that names both sides, so that whoever reads it knows which file to mend.

import { ClusterError } from './errors.ts';
import type { PeerAddress, PeerHello } from './peer.ts';

/** The part of a node that is compared with what peers say. */
export interface Self {
  readonly name: string;
  readonly nodeId: string;
  /** The name of the primary in its configuration. */
  readonly primary: string;
  readonly clusterId: string | undefined;
}

/** Contradictions that stop everybody, whoever is right. Undefined: there is none. */
export function findConflict(self: Self, peer: PeerHello): ClusterError | undefined {
  // Not one of ours: what it says about primaries is about others.
  if (isStranger(self, peer)) return undefined;
  if (peer.name === self.name) return nameTaken(self, peer);
  if (peer.primary === self.primary) return undefined;
  const message =
    `Nobody accepts writes: node ${self.name} is configured for primary ${self.primary}, ` +
    `node ${peer.name} for primary ${peer.primary}`;
  return new ClusterError('PRIMARY_CONFLICT', message, {
    hint: 'Name the same primary on all nodes (cluster.primary, or PRIMARY_HOSTNAME), and restart',
  });
}

/** Two nodes whose ids differ belong to clusters that have nothing to do with each other. */
export function isStranger(self: Self, peer: PeerHello): boolean {
  const { clusterId } = self;
  return clusterId !== undefined && peer.clusterId !== undefined && peer.clusterId !== clusterId;
}

export function stranger(self: Self, peer: PeerHello): ClusterError {
  const message =
    `Node ${peer.name} at ${peer.url} is of another cluster: ` +
    `its cluster id is ${peer.clusterId}, ours is ${self.clusterId}`;
  return new ClusterError('CLUSTER_ID_MISMATCH', message, {
    hint: 'To move a node to another cluster, give it an empty data folder',
  });
}

export function peerAhead(self: Self, peer: PeerHello, database: string): ClusterError {
  const message =
    `Node ${self.name} does not become primary: ${peer.name} is ahead of it, ` +
    `with transactions of ${database} that it lacks`;
  return new ClusterError('PEER_AHEAD', message, {
    hint:
      `Make ${peer.name} the primary; or give those transactions up: ` +
      'cluster.force-primary: true, or --force-primary',
  });
}

export function peersUnheard(self: Self, urls: readonly string[]): ClusterError {
  const message = `Node ${self.name} asks its peers before it becomes primary: ${urls.join(', ')}`;
  return new ClusterError('PEERS_UNHEARD', message);
}

export function primaryAwaited(self: Self, { name, url }: PeerAddress): ClusterError {
  const message =
    `Node ${self.name} waits for ${name} at ${url} before it becomes primary: ` +
    `${name} led before, and may have transactions that nobody else has`;
  return new ClusterError('PRIMARY_AWAITED', message, {
    hint: 'It leads without it after a while; at once with cluster.force-primary: true',
  });
}

export function fenced(self: Self, peer: PeerHello, term: number): ClusterError {
  const message =
    `Node ${self.name} was primary in epoch ${term} and accepts no more writes: ` +
    `${peer.name} knows of epoch ${peer.epoch}`;
  return new ClusterError('FENCED', message, {
    hint: 'Name the same primary on all nodes, and restart this one',
  });
}

function nameTaken(self: Self, peer: PeerHello): ClusterError {
  const message =
    `Nobody accepts writes: two nodes are named ${self.name}, ` +
    `this one and another one at ${peer.url}`;
  return new ClusterError('NODE_NAME_TAKEN', message, {
    hint: 'Give each node a name of its own: cluster.name, or NODE_NAME',
  });
}
