// Faults at random, by a seed: one node after the other is killed and started again, frozen, or, on
// hosts of its own, cut off, slowed down or made lossy. In the end everything is repaired.

import { setTimeout as sleep } from 'node:timers/promises';

import type { Condition } from '../network/link-conditions.ts';
import type { VirtualNetwork } from '../network/virtual-network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';

export interface DisturbOptions {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly durationMs: number;
  /** Faults of the network as well. */
  readonly network?: VirtualNetwork | undefined;
  /** Those that may be hit; default all. */
  readonly nodes?: readonly ClusterNode[];
}

/** Some faults are over before anybody's heartbeat misses them, some last longer. */
const FAULT_MIN_MS = 100;
const FAULT_MAX_MS = 5000;
const CALM_MAX_MS = 1000;

interface Fault {
  readonly name: string;
  readonly begin: (node: ClusterNode) => void | Promise<void>;
  readonly end: (node: ClusterNode) => void | Promise<void>;
}

const FAULTS: readonly Fault[] = [
  { name: 'killed', begin: (node) => node.kill(), end: (node) => node.start() },
  { name: 'frozen', begin: (node) => node.pause(), end: (node) => node.resume() },
];

const CONDITIONS: Readonly<Record<string, Partial<Condition>>> = {
  'cut off': { isCut: true },
  'slowed down by 200 ms': { delayMs: 200 },
  'losing 5 % of its packets': { lossPerMille: 50 },
};

/** Returns what it did, for the message of a failure. */
export async function disturb(options: DisturbOptions): Promise<string[]> {
  const { cluster, random, durationMs, network, nodes = cluster.nodes } = options;
  const faults = [...FAULTS, ...(network === undefined ? [] : networkFaults(network))];
  const startMs = performance.now();
  const done: string[] = [];
  while (performance.now() - startMs < durationMs) {
    const [node, fault] = [random.pick(nodes), random.pick(faults)];
    const faultMs = random.int(FAULT_MIN_MS, FAULT_MAX_MS);
    const atMs = Math.round(performance.now() - startMs);
    done.push(`${atMs} ms: ${node.name} is ${fault.name} for ${faultMs} ms`);
    await fault.begin(node);
    await sleep(faultMs);
    await fault.end(node);
    await sleep(random.int(0, CALM_MAX_MS));
  }
  return done;
}

function networkFaults(network: VirtualNetwork): Fault[] {
  return Object.entries(CONDITIONS).map(([name, condition]) => ({
    name,
    begin: (node) => network.set(node.name, condition),
    end: () => network.heal(),
  }));
}
