// What the API asks of the part of a node that belongs to a cluster; a node that is alone has the
// first half of it.

import type { EventHub, RoleData } from './events.ts';
import type { ClusterStatus } from './cluster-status.ts';

export interface ClusterControl {
  readonly events: EventHub;
  /** For the first event. */
  role(): RoleData;
  status(): ClusterStatus | undefined;
  /** Why requests that read should go elsewhere; undefined: they need not. */
  unreadiness(): string | undefined;
  /** Undefined: the node has no peers. */
  readonly peers?: PeerExchange;
}

/** POST /cluster/node: nodes introduce themselves to each other. */
export interface PeerExchange {
  /** Throws ReplicationError for who does not know the secret. `target`: path and query. */
  verify(
    signature: string | undefined,
    said: { readonly target: string; readonly body: string },
  ): void;
  /** What the peer says is taken note of; returns what this node says. Throws ClusterError. */
  exchange(body: string, options: { readonly wantsPositions: boolean }): string;
  /** What this node says, to whoever only asks. */
  describe(): string;
  /** Undefined: answers are not signed. */
  signAnswer(signature: string | undefined, body: string): string | undefined;
}
