// SQLite's own test suite as the judge of the mount: `npm run sqlite-suite`. Each file runs in a
// process of its own, on the bare disk and on a mount, and must come to the same on both: as many
// tests, and the same ones failed. Exit code 1 if a file differs that has no known reason to.
//
// The bare disk's verdicts are kept from run to run: they change only with the fixture. What the
// tests print is in output/ of the home folder.

import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { interruptSignal, parsePositive, runCommand } from '@skein/testkit';

import {
  compare,
  type Comparison,
  formatDifferences,
  formatSummary,
  summarize,
} from './sqlite-suite/comparison.ts';
import { EXCEPTIONS } from './sqlite-suite/exceptions.ts';
import { type Fixture, prepareFixture } from './sqlite-suite/fixture.ts';
import { openMountSide } from './sqlite-suite/mount-side.ts';
import { Results } from './sqlite-suite/results.ts';
import { runFiles } from './sqlite-suite/run-files.ts';
import { openBareSide, type SideName } from './sqlite-suite/side.ts';

const USAGE = `npm run sqlite-suite -- [options]
  --filter TEXT      only files whose name contains it; may be given several times
  --differing        only files that differed in the last run
  --side bare|mount  run only this side, and compare with the last run of the other
  --jobs N           so many files at a time, each with a mount of its own (default: 2)
  --resume           go on with an interrupted run
  --timeout SECONDS  for each file (default: 300)
  --json FILE        write verdicts and judgement there
  --work DIR         where the tests work (default: /dev/shm, or /var/tmp)
  --home DIR         where the fixture and results are (default: .tools/sqlite-suite)
`;

/** "Extra quick": 1,111 files, 4 minutes on the bare disk. */
const SUITE = 'extraquick';

/**
 * The fixture never syncs, a mount does at every commit. What the tests find does not depend on the
 * disk, how long they take does: in memory a commit costs the mount a tenth.
 */
const MEMORY = '/dev/shm';

interface SuiteArguments {
  readonly filter: readonly string[];
  readonly isDifferingOnly: boolean;
  readonly sides: readonly SideName[];
  readonly jobCount: number;
  readonly isResumed: boolean;
  readonly timeoutMs: number;
  readonly json: string | undefined;
  readonly home: string;
  readonly work: string;
  readonly signal: AbortSignal;
}

const root = dirname(import.meta.dirname);

function parseArguments(): SuiteArguments | undefined {
  const { values } = parseArgs({
    options: {
      filter: { type: 'string', multiple: true, default: [] },
      differing: { type: 'boolean', default: false },
      side: { type: 'string' },
      jobs: { type: 'string', default: '2' },
      resume: { type: 'boolean', default: false },
      timeout: { type: 'string', default: '300' },
      json: { type: 'string' },
      home: { type: 'string', default: join(root, '.tools', 'sqlite-suite') },
      work: { type: 'string', default: existsSync(MEMORY) ? MEMORY : '/var/tmp' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { side } = values;
  if (side !== undefined && side !== 'bare' && side !== 'mount') {
    throw new RangeError(`Expected --side to be bare or mount: ${side}`);
  }
  return {
    filter: values.filter,
    isDifferingOnly: values.differing,
    sides: side === undefined ? ['bare', 'mount'] : [side],
    jobCount: parsePositive('jobs', values.jobs),
    isResumed: values.resume,
    timeoutMs: parsePositive('timeout', values.timeout) * 1000,
    json: values.json,
    home: resolve(values.home),
    work: resolve(values.work),
    signal: interruptSignal(),
  };
}

type Sides = Readonly<Record<SideName, Results>>;

/** Runs the files on one side, but for those whose verdicts are kept. */
async function runSide(
  side: SideName,
  fixture: Fixture,
  args: SuiteArguments,
  sides: Sides,
): Promise<void> {
  const results = sides[side];
  const isKept = args.isResumed || (side === 'bare' && args.sides.length > 1);
  if (!isKept) results.remove(fixture.files.map(({ name }) => name));
  const files = fixture.files.filter(({ name }) => !results.has(name));
  await runFiles(files, {
    fixture,
    open: side === 'bare' ? openBareSide : openMountSide,
    workFolder: args.work,
    outputFolder: join(args.home, 'output', side),
    jobCount: args.jobCount,
    timeoutMs: args.timeoutMs,
    signal: args.signal,
    onVerdict: (verdict, doneCount) => {
      results.add(verdict);
      const { file, end, testCount, errorCount } = verdict;
      const progress = `${side} ${doneCount}/${files.length}`;
      console.log(`${progress} ${file}: ${end}, ${errorCount} of ${testCount} failed`);
    },
  });
}

/** Undefined as long as one side has not run the file. */
function compareSides(file: string, { bare, mount }: Sides): Comparison | undefined {
  const [first, second] = [bare.get(file), mount.get(file)];
  if (first === undefined || second === undefined) return undefined;
  return compare(first, second, EXCEPTIONS);
}

async function main(): Promise<void> {
  const args = parseArguments();
  if (args === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const fixture = prepareFixture(args.home, SUITE);
  const open = (side: SideName): Results =>
    new Results(join(args.home, `${fixture.version}-${side}.jsonl`));
  const sides = { bare: open('bare'), mount: open('mount') };
  const isChosen = (name: string): boolean =>
    args.filter.length === 0 || args.filter.some((part) => name.includes(part));
  const judged = fixture.files.filter(({ name }) => isChosen(name));
  if (judged.length === 0) throw new RangeError(`No file is called ${args.filter.join(' or ')}`);

  const differs = (name: string): boolean => compareSides(name, sides)?.isEqual !== true;
  const files = judged.filter(({ name }) => !args.isDifferingOnly || differs(name));
  for (const side of args.sides) await runSide(side, { ...fixture, files }, args, sides);

  const comparisons = judged
    .map(({ name }) => compareSides(name, sides))
    .filter((comparison) => comparison !== undefined);
  if (comparisons.length > 0) report(comparisons, fixture, args.json);
}

function report(
  comparisons: readonly Comparison[],
  { version }: Fixture,
  json: string | undefined,
): void {
  const summary = summarize(comparisons);
  process.stdout.write(`\n${formatDifferences(comparisons)}\n${formatSummary(summary)}`);
  if (json !== undefined) {
    const judgement = { suite: SUITE, fixture: version, summary, comparisons };
    writeFileSync(json, `${JSON.stringify(judgement, undefined, 2)}\n`);
  }
  if (!summary.isPassed) process.exitCode = 1;
}

await runCommand(main);
