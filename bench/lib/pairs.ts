// Measuring two sides against each other: each case runs on both in the same round, one right after
// the other, and what counts is the median of the rounds' ratios. What slows the machine down for a
// while slows both.

import { formatRows } from '@skein/testkit';

import { median } from './measure.ts';
import { formatNumber } from './report.ts';

/** What is measured, and what it is compared with. */
export type SideName = 'base' | 'ours';

export interface PairCase {
  readonly name: string;
  readonly unit: string;
  /** Runs once on one side; returns how much it did, in `unit`. */
  readonly run: (side: SideName) => Promise<number>;
  /** It returns how long it took: less is better. */
  readonly isTime?: boolean;
  /** So many times as fast as the other side it is to be. */
  readonly target?: number;
}

export interface PairResult {
  readonly name: string;
  readonly unit: string;
  readonly isTime: boolean;
  readonly target: number | undefined;
  /** One value a round. */
  readonly base: readonly number[];
  readonly ours: readonly number[];
  /** So many times as fast as the other side it is: median of the rounds. */
  readonly ratio: number;
}

/** Runs all cases in turns, one round more than told: the first only warms up. */
export async function measurePairs(
  cases: readonly PairCase[],
  rounds: number,
): Promise<PairResult[]> {
  const values = cases.map(() => ({ base: [] as number[], ours: [] as number[] }));
  for (let round = 0; round <= rounds; round += 1) {
    // Neither side always comes first, into caches that the other has emptied.
    const sides = round % 2 === 0 ? (['base', 'ours'] as const) : (['ours', 'base'] as const);
    for (const [i, each] of cases.entries()) {
      for (const side of sides) {
        const value = await each.run(side);
        if (round > 0) values[i]![side].push(value);
      }
    }
  }
  return cases.map(({ name, unit, isTime = false, target }, i) => {
    const measured = { isTime, ...values[i]! };
    return { name, unit, target, ...measured, ratio: median(ratiosOf(measured)) };
  });
}

/** Of each round. */
function ratiosOf({ isTime, base, ours }: Pick<PairResult, 'isTime' | SideName>): number[] {
  return ours.map((value, round) => (isTime ? base[round]! / value : value / base[round]!));
}

/**
 * A row for each pair: the medians of both sides, their ratio, target, and whether it is met.
 * `names` are what the columns of the sides are called.
 */
export function formatPairs(
  results: readonly PairResult[],
  names: Readonly<Record<SideName, string>>,
): string {
  const rows = results.map((result) => {
    const { name, unit, target, base, ours, ratio } = result;
    const ratios = ratiosOf(result);
    return [
      name,
      `${formatNumber(median(base))} ${unit}`,
      `${formatNumber(median(ours))} ${unit}`,
      ratio.toFixed(2),
      `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
      target === undefined ? '' : `≥ ${target.toFixed(2)}`,
      target === undefined ? '' : ratio >= target ? 'met' : 'MISSED',
    ];
  });
  return formatRows([['', names.base, names.ours, 'ratio', 'range', 'target', ''], ...rows]);
}
