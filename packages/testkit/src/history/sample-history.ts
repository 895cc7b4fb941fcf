// Random histories of a cluster that keeps its promises: a primary, replicas that lag, clients with
// and without a session. The checker must accept them all, and find what is planted into one.

import type { SeededRandom } from '../seeded-random.ts';
import type { Glimpse, History, Operation, WriteOutcome } from './history.ts';
import { digestsOf } from './state.ts';

const CLIENTS = ['c1', 'c2', 'c3'];
const PRIMARY = 'node1';
const REPLICAS = ['node2', 'node3'];
const OUTCOMES: readonly WriteOutcome[] = ['acknowledged', 'acknowledged', 'failed', 'unknown'];
/** Operations begin up to so long before they take effect, so that they overlap. */
const DURATION_MAX_MS = 20;

/** What a table of these values shows. */
export function glimpseOf(values: readonly number[]): Glimpse {
  return { count: values.length, digest: digestsOf(values).at(-1)!, tally: values.length };
}

export function sampleHistory(random: SeededRandom, operationCount: number): History {
  const cluster = new SampleCluster(random);
  const operations = Array.from({ length: operationCount }, () => cluster.step());
  return { operations, final: cluster.final };
}

class SampleCluster {
  readonly final: number[] = [];
  readonly #random: SeededRandom;
  /** How many rows a node or a session has seen, by its name. */
  readonly #seen = new Map<string, number>();
  #ms = 0;
  #lastValue = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  step(): Operation {
    const random = this.#random;
    this.#ms += random.int(1, DURATION_MAX_MS);
    const client = random.pick(CLIENTS);
    const common = {
      client,
      session: random.bool() ? `session of ${client}` : undefined,
      startMs: this.#ms - random.int(0, DURATION_MAX_MS),
      endMs: this.#ms + 1,
    };
    return random.bool(0.4) ? this.#write(common) : this.#read(common);
  }

  #write(common: Pick<Operation, 'client' | 'session' | 'startMs' | 'endMs'>): Operation {
    this.#lastValue += 1;
    const value = this.#lastValue;
    const outcome = this.#random.pick(OUTCOMES);
    const isAcknowledged = outcome === 'acknowledged';
    if (isAcknowledged || (outcome === 'unknown' && this.#random.bool())) this.final.push(value);
    if (!isAcknowledged) return { kind: 'write', ...common, value, outcome };
    this.#raise(common.session, this.final.length);
    const position = { epoch: 1, txid: this.final.length };
    return { kind: 'write', ...common, value, outcome, position };
  }

  #read(common: Pick<Operation, 'client' | 'session' | 'startMs' | 'endMs'>): Operation {
    const isPrimary = this.#random.bool(0.3);
    const node = isPrimary ? PRIMARY : this.#random.pick(REPLICAS);
    const known = [node, common.session].map((name) => this.#seen.get(name ?? '') ?? 0);
    const least = isPrimary ? this.final.length : Math.max(...known);
    const count = this.#random.int(least, this.final.length);
    this.#raise(node, count);
    this.#raise(common.session, count);
    const seen = glimpseOf(this.final.slice(0, count));
    return { kind: 'read', ...common, node, isPrimary, seen };
  }

  #raise(name: string | undefined, count: number): void {
    if (name !== undefined) this.#seen.set(name, Math.max(count, this.#seen.get(name) ?? 0));
  }
}
