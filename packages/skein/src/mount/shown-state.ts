// What a node shows of itself on its mount: plain state, pushed by the main thread, which knows it.
// A node that never gets any shows nothing.

import type { NodeRole } from './node-role.ts';

export interface NodeShownState {
  readonly role: NodeRole;
  /** Hostname of the primary that this replica is connected to. */
  readonly primaryName: string | undefined;
  /** When the primary was last heard, by the primary's clock; undefined: never. */
  readonly heardMs: number | undefined;
  /** Content of `.skein/status.json`, without a newline. */
  readonly statusJson: string;
}
