// Results of a bench: a table for people, JSON for machines.

import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { parseArgs } from 'node:util';

import type { BenchResult } from './measure.ts';

export interface BenchArguments {
  readonly rounds: number;
  /** File to write the results to. */
  readonly json: string | undefined;
}

/** `--rounds N --json FILE`. */
export function parseBenchArguments(argv: readonly string[], rounds: number): BenchArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: { rounds: { type: 'string' }, json: { type: 'string' } },
  });
  const wanted = values.rounds === undefined ? rounds : Number(values.rounds);
  if (!Number.isInteger(wanted) || wanted < 1)
    throw new RangeError('Expected --rounds to be 1 or more');
  return { rounds: wanted, json: values.json };
}

/** What the numbers depend on besides the code. */
export function describeMachine(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: availableParallelism(),
    kernel: release(),
    node: process.versions.node,
  };
}

/** A row for each result: median, range, target, and whether it is met. */
export function formatTable(results: readonly BenchResult[]): string {
  const rows = results.map(({ name, unit, target, median, min, max }) => [
    name,
    `${format(median)} ${unit}`,
    `${format(min)}–${format(max)}`,
    target === undefined ? '' : `≥ ${format(target)}`,
    target === undefined ? '' : median >= target ? 'met' : 'MISSED',
  ]);
  return formatRows([['', 'median', 'range', 'target', ''], ...rows]);
}

/** Columns as wide as their widest cell, the first to the left, the others to the right. */
export function formatRows(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    return cells.join('  ').trimEnd();
  });
  return `${lines.join('\n')}\n`;
}

/** Three significant digits, but whole numbers from 100 on. */
function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** Prints the results and writes them to the file that the arguments name. */
export function report(bench: string, results: readonly BenchResult[], args: BenchArguments): void {
  const machine = describeMachine();
  process.stdout.write(`${bench}: ${Object.values(machine).join(', ')}, ${args.rounds} rounds\n\n`);
  process.stdout.write(formatTable(results));
  if (args.json === undefined) return;
  writeFileSync(args.json, `${JSON.stringify({ bench, machine, results }, undefined, 2)}\n`);
}
