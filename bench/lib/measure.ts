// Measuring on a machine that others use too: every case runs once a round, in turns, and what
// counts is the median over the rounds.

export interface BenchCase {
  readonly name: string;
  readonly unit: string;
  /** Runs once and returns how much it did, in `unit`, larger being better. */
  readonly run: () => number;
  /** What is to be reached. */
  readonly target?: number;
}

export interface BenchResult {
  readonly name: string;
  readonly unit: string;
  readonly target: number | undefined;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** One value a round. */
  readonly values: readonly number[];
}

/** Runs all cases in turns, one round more than told: the first only warms up. */
export function measure(cases: readonly BenchCase[], rounds: number): BenchResult[] {
  const values = cases.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [i, each] of cases.entries()) {
      const value = each.run();
      if (round > 0) values[i]!.push(value);
    }
  }
  return cases.map(({ name, unit, target }, i) => {
    const own = values[i]!;
    const [min, max] = [Math.min(...own), Math.max(...own)];
    return { name, unit, target, median: median(own), min, max, values: own };
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Runs `work` until `milliseconds` have gone by; returns how often a second. */
export function rate(milliseconds: number, work: () => void): number {
  const start = performance.now();
  let runs = 0;
  let elapsed = 0;
  while (elapsed < milliseconds) {
    work();
    runs += 1;
    elapsed = performance.now() - start;
  }
  return (runs * 1000) / elapsed;
}
