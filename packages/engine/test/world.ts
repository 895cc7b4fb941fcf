// A scenario: what clients do to a node, to be run in worlds where something goes wrong.

import { SeededRandom, type SimDisk } from '@skein/testkit';

import type { EngineOptions } from '../src/engine.ts';
import { Actor } from './actor.ts';
import { SimNode } from './sim-node.ts';
import { Timeline } from './timeline.ts';

export interface Scenario {
  readonly name: string;
  readonly act: (actor: Actor) => void;
  readonly engine?: Partial<EngineOptions>;
  /** Whether the log is still whole at the end: nothing was trimmed. */
  readonly keepsLog?: boolean;
}

export interface World {
  readonly node: SimNode;
  readonly actor: Actor;
  readonly timeline: Timeline;
}

export function createWorld(
  scenario: Scenario,
  seed: number,
  disk: SimDisk,
  timeline: Timeline = new Timeline(),
): World {
  const node = new SimNode({ seed, disk, ...scenario.engine });
  const actor = new Actor({ node, random: new SeededRandom(seed), timeline });
  return { node, actor, timeline };
}

/** Those of `all` to be tried, spread over all of the run; see crash-run.ts. */
export function samplePoints<T>(
  random: SeededRandom,
  all: readonly T[],
  allowed: number,
): readonly T[] {
  const limit = process.env['SKEIN_SIM_POINTS'];
  const max = limit === 'all' ? Infinity : Number(limit ?? allowed);
  if (all.length <= max) return all;
  const step = all.length / max;
  return Array.from({ length: max }, (_, n) => {
    const at = Math.floor((n + random.fraction()) * step);
    return all[Math.min(at, all.length - 1)]!;
  });
}
