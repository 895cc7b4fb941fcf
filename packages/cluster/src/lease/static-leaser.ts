// The leaser of a cluster whose primary is named in the configuration of every node. The lease does
// not run out: only another configuration, and a restart, gives it to another node.
//
// That all nodes name the same one is for the nodes to compare when they meet (node/blockers.ts).

import type { EpochStore, Lease, Leaser, PrimaryInfo } from './leaser.ts';
import { nextEpoch } from './epoch.ts';

export interface StaticLeaserOptions {
  /** Of this node. */
  readonly name: string;
  readonly nodeId: bigint;
  readonly primary: PrimaryInfo;
  readonly epochs: EpochStore;
}

export class StaticLeaser implements Leaser {
  readonly kind = 'static';
  readonly isCandidate: boolean;
  readonly #options: StaticLeaserOptions;

  constructor(options: StaticLeaserOptions) {
    this.#options = options;
    this.isCandidate = options.name === options.primary.name;
  }

  clusterId(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  primaryInfo(): Promise<PrimaryInfo | undefined> {
    return Promise.resolve(this.#options.primary);
  }

  async acquire(aboveEpoch: number): Promise<Lease | undefined> {
    if (!this.isCandidate) return undefined;
    const { epochs, nodeId } = this.#options;
    const epoch = nextEpoch(aboveEpoch, nodeId);
    await epochs.raise(epoch);
    return {
      epoch,
      renewMs: undefined,
      renew: () => Promise.resolve(),
      release: () => Promise.resolve(),
    };
  }
}
