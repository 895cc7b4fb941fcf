// What the parts of the engine share: the outside world, and the few things of which a node has
// one.

import type { BackgroundIo, Clock, Disk, Log, Metrics, Random } from '@skein/host';

import type { Committer } from './commit/committer.ts';
import type { Term } from './commit/term.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { SlabPool } from './pages/slab-pool.ts';
import type { ClientLocks, ClientMemory, KernelCache, ReplicaLocks } from './ports.ts';

export interface EnginePorts {
  readonly disk: Disk;
  readonly background: BackgroundIo;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly kernel: KernelCache;
  readonly locks: ClientLocks;
  readonly memory: ClientMemory;
  /** Used in the role of a replica alone. */
  readonly replicaLocks: ReplicaLocks;
}

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
