// What an application is told of its node, but for the positions: that it is alone, or what it is
// in its cluster.

import type { ClusterConfig } from '../config/cluster-config.ts';
import { primaryOf } from './cluster/cluster-report.ts';
import type { ClusterService } from './cluster/cluster-service.ts';
import type { ProxyFeed } from './proxy/proxy-thread.ts';
import type { NodeDescription } from './state-feed.ts';

export interface DescribedNode {
  readonly feed: Pick<ProxyFeed, 'nodeName' | 'epoch'>;
  /** Undefined, as is the service: the node is alone. */
  readonly config: Pick<ClusterConfig, 'primary'> | undefined;
  readonly service: Pick<ClusterService, 'node' | 'follower' | 'takesWrites'> | undefined;
}

/** As LiteFS says it of a replica that never had everything. */
const NEVER_MS = 2_147_483_647;

export function describeNode({ feed, config, service }: DescribedNode): NodeDescription {
  const name = feed.nodeName;
  if (service === undefined || config === undefined) {
    return { name, role: 'primary', epoch: feed.epoch, lagMs: 0 };
  }
  const { situation } = service.node;
  const { role, epoch } = situation;
  if (role === 'primary') {
    // Who is told to be on the primary writes at once.
    return { name, role: service.takesWrites ? role : 'no-primary', epoch, lagMs: 0 };
  }
  const lagMs = Math.round(service.follower?.lagMs ?? NEVER_MS);
  const primary = role === 'replica' ? primaryOf({ situation, config }) : undefined;
  return { name, role, epoch, lagMs, ...(primary === undefined ? {} : { primary }) };
}
