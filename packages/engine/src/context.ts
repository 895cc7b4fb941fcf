// What the parts of the engine share: the outside world, and the few things of which a node has
// one.

import type { Committer } from './commit/committer.ts';
import type { Term } from './commit/term.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { SlabPool } from './pages/slab-pool.ts';
import type { EnginePorts } from './ports.ts';

export interface EngineContext extends EnginePorts {
  /** Names the node as the one where a transaction was made (LTX header). */
  readonly nodeId: bigint;
  /** Whether the kernel can read and write files of ours by itself (FUSE_PASSTHROUGH). */
  readonly canPassThrough: boolean;
  /** Memory for uncommitted pages. */
  readonly pool: SlabPool;
  readonly jobs: Jobs;
  readonly committer: Committer;
  readonly term: Term;
  /** A path for a file that nobody needs after a crash; another one at each call. */
  readonly scratchPath: (purpose: string) => string;
}
