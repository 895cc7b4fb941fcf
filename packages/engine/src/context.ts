// What the parts of the engine share: the outside world, and the few things of which a node has
// one.

import type { CommitContext } from './commit/rollback-commit.ts';
import type { Term } from './commit/term.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { SlabPool } from './pages/slab-pool.ts';
import type { EnginePorts } from './ports.ts';

export interface EngineContext extends EnginePorts, CommitContext {
  /** Whether the kernel can read and write files of ours by itself (FUSE_PASSTHROUGH). */
  readonly canPassThrough: boolean;
  /** Memory for uncommitted pages. */
  readonly pool: SlabPool;
  readonly jobs: Jobs;
  readonly term: Term;
  /** A path for a file that nobody needs after a crash; another one at each call. */
  readonly scratchPath: (purpose: string) => string;
}
