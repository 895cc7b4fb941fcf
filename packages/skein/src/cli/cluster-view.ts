// A cluster on the terminal: the nodes that one of them knows, with their roles, positions and lag.

import { formatDuration } from '@skein/host';

import type { ClusterStatus, PeerStatus } from '../api/cluster-status.ts';
import type { NodeStatus } from '../api/node-control.ts';
import { formatTable } from './table.ts';

const COLUMNS = [
  { title: 'NODE' },
  { title: 'ROLE' },
  { title: 'EPOCH', isNumber: true },
  { title: 'STREAM' },
  { title: 'POSITION' },
  { title: 'LAG', isNumber: true },
  { title: 'URL' },
] as const;

/** A position for each database would not fit where there are many. */
const SHOWN_DATABASE_COUNT = 3;

/** A line for each node, this one first, then what is wrong and what waits. */
export function describeCluster(status: NodeStatus): string {
  const { cluster, applying } = status;
  if (cluster === undefined) return '';
  const rows = [ownRow(status, cluster), ...cluster.peers.map((peer) => peerRow(peer))];
  const problems = cluster.problems.map(({ message, hint }) =>
    hint === undefined ? `${message}\n` : `${message}\n  ${hint}\n`,
  );
  const waiting = applying.map(({ database, waitingCount, reason, pid }) => {
    const why = reason === undefined ? '' : `: ${reason}`;
    const who = pid === undefined ? '' : ` (process ${pid})`;
    return `${database}: ${waitingCount} transactions wait to be applied${why}${who}\n`;
  });
  const diverged = cluster.diverged.map(
    (folder) => `Transactions that the primary did not have are kept in ${folder}\n`,
  );
  return [formatTable(COLUMNS, rows), ...problems, ...waiting, ...diverged].join('');
}

function ownRow({ databases }: NodeStatus, cluster: ClusterStatus): readonly string[] {
  const { name, role, epoch, url, lagMs, isCaughtUp } = cluster;
  const positions = databases.map((database) => [database.name, database.txid] as const);
  const stream = role === 'replica' ? (isCaughtUp ? 'follows' : 'catches up') : '-';
  return [
    `${name} *`,
    role,
    String(epoch),
    stream,
    describePositions(positions),
    lagMs === undefined ? '-' : formatLag(lagMs),
    url,
  ];
}

function peerRow(peer: PeerStatus): readonly string[] {
  const { name, role, epoch, url, isConnected, isCaughtUp, positions, behindCount } = peer;
  const stream = isConnected ? (isCaughtUp ? 'follows' : 'catches up') : '-';
  return [
    name,
    role ?? '-',
    epoch === undefined ? '-' : String(epoch),
    stream,
    describePositions(positions.map(({ database, applied }) => [database, applied] as const)),
    isConnected ? `${behindCount} tx` : '-',
    url ?? '-',
  ];
}

function describePositions(positions: readonly (readonly [name: string, txid: string])[]): string {
  if (positions.length === 0) return '-';
  const shown = positions
    .slice(0, SHOWN_DATABASE_COUNT)
    .map(([name, txid]) => `${name} ${txid.replace(/^0+(?=.)/, '')}`);
  const more = positions.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')}, ${more} more`;
}

/** What is below a heartbeat is none. */
function formatLag(lagMs: number): string {
  return formatDuration(Math.round(lagMs / 100) * 100);
}
