// What the proxy is told of its node: that it is alone, or what it is in its cluster.

import type { PositionMap } from '@skein/cluster';
import type { NodeChange } from '@skein/proxy';

import type { EngineLogSource } from '../../replication/log-source.ts';
import type { ClusterService } from '../cluster/cluster-service.ts';
import type { MountThreadClient } from '../mount-thread/mount-thread-client.ts';
import type { ProxyFeed } from './proxy-thread.ts';

export interface ProxyFeedOptions {
  readonly nodeName: string;
  /** Undefined: the node is alone. */
  readonly service: ClusterService | undefined;
  readonly source: EngineLogSource;
  readonly thread: MountThreadClient;
}

export function createProxyFeed(options: ProxyFeedOptions): ProxyFeed {
  const { nodeName, service, source, thread } = options;
  const sink = service?.follower?.sink;
  let epoch = 0;
  return {
    nodeName,
    streams: service?.streams,
    get epoch() {
      if (service === undefined) return source.options.log.published.epoch;
      if (isCurrent(service)) epoch = service.node.situation.epoch;
      return epoch;
    },
    describe: () => (service === undefined ? { role: 'primary', lagMs: 0 } : describe(service)),
    positions: (): PositionMap => sink?.appliedPositions() ?? source.positions(),
    refresh: async () => {
      const { published } = source.options.log;
      // Mostly the client has waited for the disk: then nobody has to ask the engine's thread.
      if (published.lastLsn > published.durableLsn) await thread.call('settle-log', []);
      source.catalog.refresh();
    },
    onChange: (listener) => {
      service?.onChange(listener);
      sink?.onApplied(listener);
      if (sink === undefined) void followSource(source, listener);
    },
  };
}

/**
 * Whether what the databases have is of the epoch that the node knows. One that has only heard of
 * it may still have transactions beyond where the new primary began, which are about to go.
 */
function isCurrent({ node }: ClusterService): boolean {
  const { role, link } = node.situation;
  return role === 'primary' || (role === 'replica' && link === 'caught-up');
}

function describe({ node, follower }: ClusterService): Omit<NodeChange, 'positions'> {
  const { role, primary } = node.situation;
  const lagMs = follower?.lagMs ?? 0;
  if (role !== 'replica') return { role, lagMs };
  // To a primary without a proxy nothing can be forwarded, nor to one that says it speaks TLS.
  if (primary?.proxyUrl?.startsWith('http:') !== true) return { role: 'no-primary', lagMs };
  return { role, lagMs, primary: { name: primary.name, proxyUrl: primary.proxyUrl } };
}

/** Until the source is closed. */
async function followSource(source: EngineLogSource, listener: () => void): Promise<void> {
  while (!source.isClosed) {
    await source.moved;
    listener();
  }
}
