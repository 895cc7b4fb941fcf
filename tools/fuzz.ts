// Throws malformed inputs at every decoder: `npm run fuzz -- [--count N] [--seed S] [--only NAME]`.
//
// Each vector must decode or give the decoder's own error, within a second, without a look at what
// is not its. A failure is printed with the command that replays it. A modest part of this runs
// with the unit tests (fuzz/fuzz.test.ts).

import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

import { runCommand } from '@skein/testkit';

import { loadFuzzTargets } from './fuzz/registry.ts';
import { type FuzzReport, type FuzzRun, replayCommand } from './fuzz/run-target.ts';
import type { FuzzJob } from './fuzz/worker.ts';

const COUNT_DEFAULT = 1_000_000;

/** Vectors are numbered with 32 bits, and a generator is seeded with 53: so much is left. */
const SEED_MAX = 2 ** 21 - 1;
const COUNT_MAX = 2 ** 31 - 1;

/** A vector that takes longer is given up: the judge allows one second, loading takes another. */
const HANG_MS = 10_000;

interface FuzzArguments extends FuzzRun {
  readonly only: string | undefined;
}

function parseArguments(): FuzzArguments {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: String(COUNT_DEFAULT) },
      seed: { type: 'string', default: '1' },
      from: { type: 'string', default: '0' },
      only: { type: 'string' },
    },
  });
  const number = (name: 'count' | 'seed' | 'from', max: number): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 0 && value <= max) return value;
    throw new RangeError(`Expected --${name} to be a number from 0 to ${max}: ${values[name]}`);
  };
  const [count, seed] = [number('count', COUNT_MAX), number('seed', SEED_MAX)];
  return { count, seed, from: number('from', COUNT_MAX - count), only: values.only };
}

/** Runs one decoder's vectors in a worker; a decoder that hangs is reported like any failure. */
async function runInWorker(name: string, run: FuzzRun): Promise<FuzzReport> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  progress[0] = run.from;
  const job: FuzzJob = { name, run, progress };
  const worker = new Worker(new URL('fuzz/worker.ts', import.meta.url), { workerData: job });
  const { promise, resolve, reject } = Promise.withResolvers<FuzzReport>();
  worker.on('message', resolve);
  worker.on('error', reject);
  let last = -1;
  const watchdog = setInterval(() => {
    const vector = Atomics.load(progress, 0);
    if (vector === last) {
      const failure = { vector, reason: `does not return within ${HANG_MS} ms` };
      resolve({ name, decoded: 0, rejected: 0, failures: [failure] });
    }
    last = vector;
  }, HANG_MS);
  try {
    return await promise;
  } finally {
    clearInterval(watchdog);
    await worker.terminate();
  }
}

function print(report: FuzzReport, seed: number, seconds: number): void {
  const { name, decoded, rejected, failures } = report;
  const speed = Math.round((decoded + rejected) / seconds).toLocaleString('en');
  console.log(
    `${name.padEnd(20)} ${String(decoded).padStart(10)} decoded ${String(rejected).padStart(10)} ` +
      `rejected ${String(failures.length).padStart(3)} failed  ${speed}/s`,
  );
  for (const { vector, reason } of failures) {
    console.log(`  FAILED: ${name} ${reason}\n  again: ${replayCommand(name, seed, vector)}`);
  }
}

async function main(): Promise<void> {
  const args = parseArguments();
  const all = await loadFuzzTargets();
  const targets = all.filter(({ name }) => args.only === undefined || name === args.only);
  if (targets.length === 0) {
    throw new RangeError(`No decoder is called ${args.only}: ${all.map((t) => t.name).join(', ')}`);
  }
  console.log(`${args.count} vectors a decoder, seed ${args.seed}`);
  for (const { name } of targets) {
    const start = performance.now();
    const report = await runInWorker(name, args);
    print(report, args.seed, (performance.now() - start) / 1000);
    if (report.failures.length > 0) process.exitCode = 1;
  }
}

await runCommand(main);
