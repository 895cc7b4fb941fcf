// Results of a bench: a table for people, JSON for machines.

import { writeFileSync } from 'node:fs';

import { formatRows } from '@skein/testkit';

import type { BenchArguments } from './arguments.ts';
import { describeMachine } from './machine.ts';
import type { BenchResult } from './measure.ts';

/** A row for each result: median, range, target, and whether it is met. */
export function formatTable(results: readonly BenchResult[]): string {
  const rows = results.map(({ name, unit, target, median, min, max }) => [
    name,
    `${formatNumber(median)} ${unit}`,
    `${formatNumber(min)}–${formatNumber(max)}`,
    target === undefined ? '' : `≥ ${formatNumber(target)}`,
    target === undefined ? '' : median >= target ? 'met' : 'MISSED',
  ]);
  return formatRows([['', 'median', 'range', 'target', ''], ...rows]);
}

/** Three significant digits, but whole numbers from 100 on. */
export function formatNumber(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** What a bench found, for people and for machines. */
export interface BenchReport {
  readonly bench: string;
  readonly text: string;
  readonly results: unknown;
}

/** Prints the report and writes it to the file that the arguments name. */
export function report({ bench, text, results }: BenchReport, args: BenchArguments): void {
  const machine = describeMachine();
  process.stdout.write(`${bench}: ${Object.values(machine).join(', ')}, ${args.rounds} rounds\n\n`);
  process.stdout.write(text);
  if (args.json === undefined) return;
  writeFileSync(args.json, `${JSON.stringify({ bench, machine, results }, undefined, 2)}\n`);
}
