// Plans of queries that were asked before: parsing and checking a statement takes milliseconds, and
// dashboards ask the same again and again. A plan is good for one schema of the lake.

import type { LakeEngine, RequestPlan } from '../engine/ports.ts';

const PLANS_MAX = 1000;
/** Longer texts are hardly ever the same twice: inserts with their data. */
const TEXT_LENGTH_MAX = 32 * 1024;

interface Entry {
  readonly schemaVersion: bigint;
  readonly plan: RequestPlan;
}

export class PlanCache {
  readonly #engine: LakeEngine;
  readonly #entries = new Map<string, Entry>();

  constructor(engine: LakeEngine) {
    this.#engine = engine;
  }

  /** Throws LakeError. */
  async plan(sql: string): Promise<RequestPlan> {
    if (sql.length > TEXT_LENGTH_MAX) return this.#engine.plan(sql);
    const found = this.#entries.get(sql);
    if (found !== undefined) {
      const { schemaVersion } = await this.#engine.snapshot();
      this.#entries.delete(sql);
      if (found.schemaVersion === schemaVersion) {
        this.#entries.set(sql, found);
        return found.plan;
      }
    }
    return this.#make(sql);
  }

  async #make(sql: string): Promise<RequestPlan> {
    const plan = await this.#engine.plan(sql);
    // Writes are not asked for again, and may need no catalog that is there.
    const { schemaVersion } = plan;
    if (schemaVersion === undefined) return plan;
    this.#entries.set(sql, { schemaVersion, plan });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > PLANS_MAX && oldest !== undefined) this.#entries.delete(oldest);
    return plan;
  }
}
