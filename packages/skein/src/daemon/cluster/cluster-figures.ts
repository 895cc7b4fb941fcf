// What monitoring wants to know of a node's part in its cluster; what streams count is theirs.

import { NODE_ROLES, type NodeRole } from '@skein/cluster';
import type { Gauge, Metrics } from '@skein/host';

export interface ClusterFacts {
  readonly role: NodeRole;
  readonly epoch: number;
  /** Undefined: a primary, or a replica that was never told that it has everything. */
  readonly lagMs: number | undefined;
  readonly problemCount: number;
  readonly divergedCount: number;
}

export class ClusterFigures {
  readonly #roles: ReadonlyMap<NodeRole, Gauge>;
  readonly #epoch: Gauge;
  readonly #lag: Gauge;
  readonly #problems: Gauge;
  readonly #diverged: Gauge;

  constructor(metrics: Metrics) {
    const roleHelp = 'What the node is: 1 for its role, 0 for the others';
    this.#roles = new Map(
      NODE_ROLES.map((role) => [role, metrics.gauge('skein_cluster_role', roleHelp, { role })]),
    );
    this.#epoch = metrics.gauge('skein_cluster_epoch', 'Highest term of leadership that was seen');
    const lagHelp = 'Time since the node knew that it has everything; 0 on the primary';
    this.#lag = metrics.gauge('skein_cluster_lag_seconds', lagHelp);
    const problemHelp = 'Reasons why the node is not what it is configured for';
    this.#problems = metrics.gauge('skein_cluster_problems', problemHelp);
    const divergedHelp = 'Folders with transactions that the primary did not have';
    this.#diverged = metrics.gauge('skein_cluster_diverged', divergedHelp);
  }

  update({ role, epoch, lagMs, problemCount, divergedCount }: ClusterFacts): void {
    for (const [each, gauge] of this.#roles) gauge.set(each === role ? 1 : 0);
    this.#epoch.set(epoch);
    // Who was never told is as late as can be: that is what an alarm is for.
    this.#lag.set(role === 'primary' ? 0 : (lagMs ?? Infinity) / 1000);
    this.#problems.set(problemCount);
    this.#diverged.set(divergedCount);
  }
}
