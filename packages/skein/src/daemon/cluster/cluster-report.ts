// What a node of a cluster tells of itself and of its peers, put together from those that know.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import type {
  PeerHello,
  PositionMap,
  ReplicaStatus,
  Situation,
  StreamStatus,
} from '@skein/cluster';
import { formatTxid } from '@skein/ltx';

import type {
  ClusterProblem,
  ClusterStatus,
  PeerPosition,
  PeerStatus,
} from '../../api/cluster-status.ts';
import type { ClusterConfig } from '../../config/cluster-config.ts';

export interface ClusterFacts {
  readonly config: ClusterConfig;
  readonly url: URL;
  readonly proxyUrl: URL | undefined;
  readonly sqlUrl: URL | undefined;
  readonly situation: Situation;
  readonly stream: StreamStatus | undefined;
  readonly replicas: readonly ReplicaStatus[];
  /** Where the databases of this node stand. */
  readonly positions: PositionMap;
  readonly lagMs: number | undefined;
  /** See divergedFolders(). */
  readonly diverged: readonly string[];
}

export function clusterStatus(facts: ClusterFacts): ClusterStatus {
  const { config, url, proxyUrl, sqlUrl, situation, lagMs, diverged } = facts;
  const { role, epoch, clusterId, link } = situation;
  const primary = primaryOf(facts);
  return {
    name: config.name,
    role,
    epoch,
    ...(clusterId === undefined ? {} : { clusterId }),
    url: url.href,
    ...(proxyUrl === undefined ? {} : { proxyUrl: proxyUrl.href }),
    ...(sqlUrl === undefined ? {} : { sqlUrl: sqlUrl.href }),
    configuredPrimary: config.primary.name,
    ...(primary === undefined ? {} : { primary }),
    isCaughtUp: link === 'caught-up',
    ...(lagMs === undefined ? {} : { lagMs }),
    problems: problemsOf(facts),
    peers: peersOf(facts),
    diverged,
  };
}

/** Who leads, when this node does not and somebody does. */
export function primaryOf({
  situation,
  config,
}: Pick<ClusterFacts, 'situation'> & {
  readonly config: Pick<ClusterConfig, 'primary'>;
}): ClusterStatus['primary'] {
  const { primary, role } = situation;
  if (primary !== undefined) {
    const { name, url, proxyUrl, sqlUrl } = primary;
    return {
      name,
      url,
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
      ...(sqlUrl === undefined ? {} : { sqlUrl }),
    };
  }
  // A LiteFS says nothing of itself but that it is there.
  const [url] = config.primary.urls;
  if (role !== 'replica' || url === undefined) return undefined;
  return { name: config.primary.name, url };
}

function problemsOf({ situation, stream }: ClusterFacts): readonly ClusterProblem[] {
  const errors = [...situation.blockers, ...(stream?.error === undefined ? [] : [stream.error])];
  return errors.map(({ code, message, hint }) => {
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  });
}

function peersOf({ situation, replicas, positions }: ClusterFacts): readonly PeerStatus[] {
  const streams = new Map(replicas.map((replica) => [idOf(replica), replica]));
  const known = situation.peers.map((hello) => {
    const replica = streams.get(hello.nodeId);
    streams.delete(hello.nodeId);
    return peerStatus(hello, replica, positions);
  });
  const others = [...streams.values()].map((replica) => strangerStatus(replica, positions));
  return [...known, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function peerStatus(
  { name, url, role, epoch }: PeerHello,
  replica: ReplicaStatus | undefined,
  own: PositionMap,
): PeerStatus {
  return { name, url, role, epoch, ...progressOf(replica, own) };
}

/** One that streams and was not asked yet, or is a LiteFS. */
function strangerStatus(replica: ReplicaStatus, own: PositionMap): PeerStatus {
  const { hello, address } = replica;
  const name = hello.dialect === 'skein' ? hello.name : `litefs ${idOf(replica)} (${address})`;
  return { name, ...progressOf(replica, own) };
}

function progressOf(
  replica: ReplicaStatus | undefined,
  own: PositionMap,
): Pick<PeerStatus, 'isConnected' | 'isCaughtUp' | 'positions' | 'behindCount' | 'aheadIn'> {
  if (replica === undefined) {
    return { isConnected: false, isCaughtUp: false, positions: [], behindCount: 0 };
  }
  const positions = [...replica.positions].map(([database, position]): PeerPosition => {
    const { durable, applied } = position;
    return { database, durable: formatTxid(durable.txid), applied: formatTxid(applied.txid) };
  });
  let behindCount = 0;
  for (const [database, { txid }] of own) {
    behindCount += Number(txid - (replica.positions.get(database)?.applied.txid ?? 0n));
  }
  const { isCaughtUp, aheadIn } = replica;
  return {
    isConnected: true,
    isCaughtUp,
    positions,
    behindCount: Math.max(behindCount, 0),
    ...(aheadIn === undefined ? {} : { aheadIn }),
  };
}

function idOf({ hello }: ReplicaStatus): string {
  return hello.nodeId.toString(16).padStart(16, '0').toUpperCase();
}

/** Where transactions are kept that the primary did not have, relative to the data folder. */
export function divergedFolders(dataFolder: string): readonly string[] {
  return namesIn(join(dataFolder, 'dbs')).flatMap((name) => {
    const folder = join('dbs', name, 'diverged');
    return namesIn(join(dataFolder, folder)).map((entry) => join(folder, entry));
  });
}

/** Databases come and go while we look: what is not there has nothing in it. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
