// Results that have to stay above or below something: a table with what was reached.

import { formatRows } from '@skein/testkit';

import { formatNumber } from './report.ts';

export interface Bound {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly target: { readonly atLeast: number } | { readonly atMost: number };
  /** What it was computed from, in words. */
  readonly note?: string;
}

export function isMet({ value, target }: Bound): boolean {
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

export function formatBounds(bounds: readonly Bound[]): string {
  const rows = bounds.map((bound) => {
    const { name, unit, value, target, note = '' } = bound;
    const limit = 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
    const verdict = isMet(bound) ? 'met' : 'MISSED';
    return [name, `${formatNumber(value)} ${unit}`, limit, verdict, note];
  });
  return formatRows([['', 'measured', 'target', '', ''], ...rows], [0, 4]);
}

/** The value below which this part of the values lies: 0.99 for p99. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (value === undefined) throw new RangeError('There are no values');
  return value;
}
