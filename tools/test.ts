// The one gate: types, lint, format, tidy, then the tests, in the order in which failures are
// cheapest to find. `npm test` runs all of it but what takes minutes of faults;
// `npm test -- unit host` only the phases named; `npm test -- wal` the test files whose path
// contains "wal".

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const bin = join(root, 'node_modules', '.bin');

interface Phase {
  readonly name: string;
  readonly what: string;
  /** Takes long: it runs when it is named, or when a filter finds files of it. */
  readonly isOnDemand?: boolean;
  /** Command and arguments; undefined when there is nothing to run. */
  readonly command: (filter: readonly string[]) => readonly string[] | undefined;
}

/** As run.mjs started this: Node runs the sources as they are. */
const NODE_FLAGS = process.execArgv;

/** Test files whose suffix makes them slow or in need of the system; all others are pure. */
const SYSTEM_SUFFIXES = ['.host.test.ts', '.mount.test.ts', '.sim.test.ts', '.cluster.test.ts'];

function testFiles(filter: readonly string[], accept: (path: string) => boolean): string[] {
  const files = globSync(
    [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'tests/**/*.test.ts',
      'examples/**/*.test.ts',
      'tools/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
    ],
    {
      cwd: root,
      exclude: ['**/node_modules/**'],
    },
  );
  return files
    .filter(accept)
    .filter((path) => filter.length === 0 || filter.some((part) => path.includes(part)))
    .sort();
}

function nodeTest(options: readonly string[], accept: (path: string) => boolean): Phase['command'] {
  return (filter) => {
    const files = testFiles(filter, accept);
    if (files.length === 0) return undefined;
    return [process.execPath, ...NODE_FLAGS, '--test', ...options, ...files];
  };
}

const isPure = (path: string): boolean => !SYSTEM_SUFFIXES.some((suffix) => path.endsWith(suffix));

const PHASES: readonly Phase[] = [
  { name: 'types', what: 'tsc -b', command: () => [join(bin, 'tsc'), '-b'] },
  {
    name: 'lint',
    what: 'oxlint, type-aware',
    command: () => [join(bin, 'oxlint'), '--type-aware', '--deny-warnings', '.'],
  },
  { name: 'format', what: 'oxfmt', command: () => [join(bin, 'oxfmt'), '--check', '.'] },
  {
    name: 'tidy',
    what: 'floors, dependencies, words',
    command: () => [process.execPath, ...NODE_FLAGS, join(root, 'tools', 'tidy.ts')],
  },
  {
    name: 'unit',
    what: 'pure tests, one process',
    command: nodeTest(['--test-isolation=none'], isPure),
  },
  {
    name: 'sim',
    what: 'seeded simulations and crash tests',
    command: nodeTest(['--test-concurrency=2'], (path) => path.endsWith('.sim.test.ts')),
  },
  {
    name: 'host',
    what: 'disk, sockets, child processes',
    command: nodeTest(['--test-concurrency=2'], (path) => path.endsWith('.host.test.ts')),
  },
  {
    name: 'mount',
    what: 'real mounts',
    command: nodeTest(['--test-concurrency=2'], (path) => path.endsWith('.mount.test.ts')),
  },
  {
    name: 'cluster',
    what: 'several daemons and their clients, with faults',
    isOnDemand: true,
    command: nodeTest(['--test-concurrency=1'], (path) => path.endsWith('.cluster.test.ts')),
  },
];

function main(): void {
  const args = process.argv.slice(2);
  const named = PHASES.filter((phase) => args.includes(phase.name));
  const filter = args.filter((arg) => !PHASES.some((phase) => phase.name === arg));
  const withTests = PHASES.slice(PHASES.findIndex((phase) => phase.name === 'unit'));
  const gate = PHASES.filter((phase) => phase.isOnDemand !== true);
  const phases = named.length > 0 ? named : filter.length > 0 ? withTests : gate;
  const failed: string[] = [];
  for (const phase of phases) {
    const command = phase.command(filter);
    if (command === undefined) continue;
    process.stdout.write(`\n── ${phase.name}: ${phase.what}\n`);
    const started = Date.now();
    const [program, ...rest] = command;
    const result = spawnSync(program!, rest, { cwd: root, stdio: 'inherit' });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const verdict = result.status === 0 ? 'ok' : 'FAILED';
    process.stdout.write(`── ${phase.name}: ${verdict} (${seconds} s)\n`);
    if (result.status !== 0) failed.push(phase.name);
  }
  if (failed.length > 0) {
    process.stdout.write(`\nFailed: ${failed.join(', ')}\n`);
    process.exitCode = 1;
  }
}

main();
