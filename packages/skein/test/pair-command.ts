// What a test can tell the process that serves a pair of nodes (pair-process.ts).

import type { NodeShownState } from '../src/mount/shown-state.ts';

export type PairCommand =
  /** The replica's mount is to show this. */
  | { readonly kind: 'show'; readonly state: NodeShownState }
  /** Nothing comes over from the primary, until it is resumed. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** Answers with the status of the replica. */
  | { readonly kind: 'status' };
