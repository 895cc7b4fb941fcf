// Fuzzes one decoder. The n-th vector depends on the run's seed and on n alone, so that any one of
// them can be had again by itself.

import { type FuzzTarget, SeededRandom } from '@skein/testkit';

import { judge } from './judge.ts';
import { mutate } from './mutate.ts';

export interface FuzzRun {
  readonly seed: number;
  /** Number of the first vector. */
  readonly from: number;
  readonly count: number;
}

export interface FuzzFailure {
  readonly vector: number;
  readonly reason: string;
}

export interface FuzzReport {
  readonly name: string;
  readonly decoded: number;
  readonly rejected: number;
  readonly failures: readonly FuzzFailure[];
}

/** After so many failures the rest would say the same. */
const FAILURES_MAX = 5;

/** `onVector` hears of each vector before it is decoded. */
export function fuzz(
  target: FuzzTarget,
  run: FuzzRun,
  onVector: (vector: number) => void = () => {},
): FuzzReport {
  const seeds = target.seeds();
  const counts = { decoded: 0, rejected: 0 };
  const failures: FuzzFailure[] = [];
  for (let vector = run.from; vector < run.from + run.count; vector += 1) {
    onVector(vector);
    const verdict = judge(target, vectorOf(seeds, run.seed, vector));
    if (verdict.kind === 'failed') {
      failures.push({ vector, reason: verdict.reason });
      if (failures.length === FAILURES_MAX) break;
    } else {
      counts[verdict.kind] += 1;
    }
  }
  return { name: target.name, ...counts, failures };
}

function vectorOf(seeds: readonly Uint8Array[], seed: number, vector: number): Uint8Array {
  return mutate(seeds, new SeededRandom(seed * 2 ** 32 + vector));
}

/** The one command that decodes this vector again, and nothing else. */
export function replayCommand(name: string, seed: number, vector: number): string {
  return `npm run fuzz -- --only ${name} --seed ${seed} --from ${vector} --count 1`;
}
