// Measuring the mount against the bare disk: each case runs on both in the same round, one right
// after the other, and what counts is the median of the rounds' ratios. What slows the machine down
// for a while slows both.

import { formatRows } from '@skein/testkit';

import { median } from './measure.ts';
import { formatNumber } from './report.ts';

export type SideName = 'bare' | 'mount';

export interface PairCase {
  readonly name: string;
  readonly unit: string;
  /** Runs once on one side; returns how much it did, in `unit`, larger being better. */
  readonly run: (side: SideName) => Promise<number>;
  /** What mount ÷ bare is to reach. */
  readonly target?: number;
}

export interface PairResult {
  readonly name: string;
  readonly unit: string;
  readonly target: number | undefined;
  /** One value a round. */
  readonly bare: readonly number[];
  readonly mount: readonly number[];
  /** Median of mount ÷ bare. */
  readonly ratio: number;
}

/** Runs all cases in turns, one round more than told: the first only warms up. */
export async function measurePairs(
  cases: readonly PairCase[],
  rounds: number,
): Promise<PairResult[]> {
  const values = cases.map(() => ({ bare: [] as number[], mount: [] as number[] }));
  for (let round = 0; round <= rounds; round += 1) {
    // Neither side always comes first, into caches that the other has emptied.
    const sides = round % 2 === 0 ? (['bare', 'mount'] as const) : (['mount', 'bare'] as const);
    for (const [i, each] of cases.entries()) {
      for (const side of sides) {
        const value = await each.run(side);
        if (round > 0) values[i]![side].push(value);
      }
    }
  }
  return cases.map(({ name, unit, target }, i) => {
    const { bare, mount } = values[i]!;
    return { name, unit, target, bare, mount, ratio: median(ratiosOf({ bare, mount })) };
  });
}

/** Mount ÷ bare of each round. */
function ratiosOf({ bare, mount }: Pick<PairResult, 'bare' | 'mount'>): number[] {
  return mount.map((value, round) => value / bare[round]!);
}

/** A row for each pair: the medians of both sides, their ratio, target, and whether it is met. */
export function formatPairs(results: readonly PairResult[]): string {
  const rows = results.map((result) => {
    const { name, unit, target, bare, mount, ratio } = result;
    const ratios = ratiosOf(result);
    return [
      name,
      `${formatNumber(median(bare))} ${unit}`,
      `${formatNumber(median(mount))} ${unit}`,
      ratio.toFixed(2),
      `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
      target === undefined ? '' : `≥ ${target.toFixed(2)}`,
      target === undefined ? '' : ratio >= target ? 'met' : 'MISSED',
    ];
  });
  return formatRows([['', 'bare disk', 'mount', 'ratio', 'range', 'target', ''], ...rows]);
}
