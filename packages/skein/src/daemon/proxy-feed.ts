// What the proxy is told of its node: that it is alone, or what it is in its cluster.

import type { PositionMap } from '@skein/cluster';
import type { NodeChange } from '@skein/proxy';

import type { EngineLogSource } from '../replication/log-source.ts';
import type { ClusterService } from './cluster-service.ts';
import type { MountThreadClient } from './mount-thread-client.ts';
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
  return {
    nodeName,
    streams: service?.streams,
    get epoch() {
      return service?.node.situation.epoch ?? source.options.log.published.epoch;
    },
    describe: () => (service === undefined ? { role: 'primary', lagMs: 0 } : describe(service)),
    positions: (): PositionMap => sink?.appliedPositions() ?? source.positions(),
    refresh: async () => {
      await thread.call('settle-log', []);
      source.catalog.refresh();
    },
    onChange: (listener) => {
      service?.onChange(listener);
      sink?.onApplied(listener);
      if (sink === undefined) void followSource(source, listener);
    },
  };
}

function describe({ node, follower }: ClusterService): Omit<NodeChange, 'positions'> {
  const { role, primary } = node.situation;
  const lagMs = follower?.lagMs ?? 0;
  if (role !== 'replica') return { role, lagMs };
  // To a primary without a proxy nothing can be forwarded.
  if (primary?.proxyUrl === undefined) return { role: 'no-primary', lagMs };
  return { role, lagMs, primary: { name: primary.name, proxyUrl: primary.proxyUrl } };
}

/** Until the source is closed. */
async function followSource(source: EngineLogSource, listener: () => void): Promise<void> {
  while (!source.isClosed) {
    await source.moved;
    listener();
  }
}
