// Which columns of a result make a chart: the first that can be an axis, and numbers over it.

import type { Column } from './columns.ts';
import type { Row } from './json-lines.ts';

export interface ChartData {
  readonly axis: Column;
  /** Seconds since 1970 for times, the place of the row for texts. */
  readonly x: readonly number[];
  /** For texts, what stands at each place. */
  readonly labels: readonly string[] | undefined;
  readonly series: readonly {
    readonly name: string;
    readonly values: readonly (number | null)[];
  }[];
}

/** More would be a tangle. */
const SERIES_MAX = 8;
/** Points that can still be told apart on a screen, several times over. */
const POINTS_MAX = 20_000;
const MS_PER_S = 1000;

/** Undefined: there are no numbers, or there is nothing to show. */
export function maybeChartData(
  columns: readonly Column[],
  rows: readonly Row[],
): ChartData | undefined {
  const axis = columns.find(({ kind }) => kind === 'time') ?? columns[0];
  const numbers = columns.filter((column) => column.kind === 'number' && column !== axis);
  if (axis === undefined || numbers.length === 0 || rows.length === 0) return undefined;
  const points = rows
    .slice(0, POINTS_MAX)
    .map((row, index) => ({ row, x: placeOf(row[axis.name], axis, index) }))
    .filter(({ x }) => Number.isFinite(x));
  // A chart reads from left to right, however the result is sorted.
  if (axis.kind !== 'text') points.sort((a, b) => a.x - b.x);
  return {
    axis,
    x: points.map(({ x }) => x),
    labels: axis.kind === 'text' ? points.map(({ row }) => String(row[axis.name])) : undefined,
    series: numbers.slice(0, SERIES_MAX).map(({ name }) => ({
      name,
      values: points.map(({ row }) => maybeFinite(row[name])),
    })),
  };
}

/** Times of the lake have no zone: they are shown as they are. */
function placeOf(value: unknown, { kind }: Column, index: number): number {
  if (kind === 'text') return index;
  if (kind === 'number') return value === null ? Number.NaN : Number(value);
  const text = String(value);
  const hasZone = /Z$|[+-]\d\d:?\d\d$/.test(text);
  return Date.parse(hasZone || text.length <= 10 ? text : `${text}Z`) / MS_PER_S;
}

function maybeFinite(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
