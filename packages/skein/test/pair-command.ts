// What a test can tell the process that serves a pair of nodes (pair-process.ts).

import type { NodeShownState } from '../src/mount/shown-state.ts';

export type PairCommand =
  /** The replica's mount is to show this. */
  | { readonly kind: 'show'; readonly state: NodeShownState }
  /** Nothing comes over from the primary, until it is resumed. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** Answers with a PairStatus. */
  | { readonly kind: 'status' };

export interface PairStatus {
  /** LTX files that came over as files: snapshots, and transactions too large for memory. */
  readonly fileCount: number;
  /** Where the databases of the replica stand. */
  readonly durable: readonly string[];
  readonly applied: readonly string[];
  readonly status: unknown;
}
