// What the SQL server is told of its node: as the proxy, but with the primary's SQL, and the epoch
// of what is committed here.

import type { NodeChange } from '@skein/hrana';

import type { ClusterService } from '../cluster/cluster-service.ts';
import type { PositionFeed } from '../proxy/feed-changes.ts';
import type { ProxyFeed } from '../proxy/proxy-thread.ts';

export interface SqlFeed extends PositionFeed {
  readonly nodeName: string;
  /** All of a change but the positions. */
  describe(): Omit<NodeChange, 'positions'>;
  /** Called when any of this may have changed. */
  onChange(listener: () => void): void;
}

/** `service`: undefined where the node is alone. */
export function createSqlFeed(base: ProxyFeed, service: ClusterService | undefined): SqlFeed {
  return {
    nodeName: base.nodeName,
    get epoch() {
      return base.epoch;
    },
    describe: () => {
      const { epoch } = base;
      return service === undefined ? { role: 'primary', epoch } : describe(service, epoch);
    },
    positions: () => base.positions(),
    onChange: (listener) => base.onChange(listener),
  };
}

function describe({ node }: ClusterService, epoch: number): Omit<NodeChange, 'positions'> {
  const { role, primary } = node.situation;
  if (role !== 'replica') return { role, epoch };
  // A LiteFS says nothing of itself, and serves no SQL.
  return { role, epoch, primary: { name: primary?.name ?? '', sqlUrl: primary?.sqlUrl } };
}
