// How soon is a node ready that has a large database, and how much memory does it take?
//
// A node is ready when a client has read a row from the mount. Its memory is looked at then, after
// a full scan of the database, and all the time during a VACUUM, which is one transaction of the
// whole database. Run by `npm run bench -- start`; `--size-mb` makes the database smaller.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import {
  type Daemon,
  formatRows,
  interruptSignal,
  residentBytes,
  startDaemon,
} from '@skein/testkit';

import { parseDiskBenchArguments } from './lib/arguments.ts';
import { buildSkein } from './lib/build.ts';
import { checkSpace } from './lib/machine.ts';
import { median } from './lib/measure.ts';
import { formatNumber, report } from './lib/report.ts';
import { Side } from './lib/side.ts';

const DATABASE = 'large.db';
const READY_TARGET_MS = 1000;
const MEMORY_TARGET_BYTES = 200_000_000;
const SAMPLE_MS = 50;
/** VACUUM: the database, its copy in SQLite's temporary file, the journal, the overlay, the log. */
const SPACE_FACTOR = 6;

/** One figure: at most the target. */
interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly target?: number;
}

async function start(folder: string): Promise<Daemon> {
  return startDaemon({
    mountpoint: join(folder, 'mount'),
    dataFolder: join(folder, 'data'),
    logPath: join(folder, 'daemon.log'),
    isBuilt: true,
  });
}

async function fill(folder: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
  mkdirSync(folder);
  await using daemon = await start(folder);
  using side = new Side({ folder: daemon.mountpoint, signal });
  await side.fill(DATABASE, sizeBytes);
}

/** From the start of the daemon to the answer of the first query of a client that waits for it. */
async function measureReady(folder: string, signal: AbortSignal): Promise<number> {
  using side = new Side({ folder: join(folder, 'mount'), signal });
  await side.started();
  const started = performance.now();
  const daemon = await start(folder);
  try {
    await side.readRows(DATABASE, 1);
    return performance.now() - started;
  } finally {
    await daemon.stop();
  }
}

/** The most memory that a daemon has while `work` is under way. */
async function peakDuring(daemon: Daemon, work: Promise<unknown>): Promise<number> {
  let peak = residentBytes(daemon.pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(daemon.pid));
  }, SAMPLE_MS);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, residentBytes(daemon.pid));
}

/** In turns: a database whose size plays no part beside the large one. */
async function measureBoth(
  folders: { readonly small: string; readonly large: string },
  rounds: number,
  signal: AbortSignal,
): Promise<Figure[]> {
  const smallMs: number[] = [];
  const largeMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    smallMs.push(await measureReady(folders.small, signal));
    largeMs.push(await measureReady(folders.large, signal));
  }
  return [
    { name: 'Ready', unit: 'ms', value: median(largeMs), target: READY_TARGET_MS },
    { name: 'Ready with one row', unit: 'ms', value: median(smallMs) },
  ];
}

async function measureMemory(folder: string, signal: AbortSignal): Promise<Figure[]> {
  await using daemon = await start(folder);
  using side = new Side({ folder: daemon.mountpoint, signal });
  await side.readRows(DATABASE, 1);
  const atStart = residentBytes(daemon.pid);
  const afterScan = await peakDuring(daemon, side.scan(DATABASE));
  const vacuumStarted = performance.now();
  const inVacuum = await peakDuring(daemon, side.exec(DATABASE, 'VACUUM'));
  const vacuumSeconds = (performance.now() - vacuumStarted) / 1000;
  return [
    memory('at the start', atStart),
    memory('in a full scan', afterScan),
    memory('in a VACUUM', inVacuum),
    { name: 'The VACUUM', unit: 's', value: vacuumSeconds },
  ];
}

function memory(when: string, bytes: number): Figure {
  const target = MEMORY_TARGET_BYTES / 1_000_000;
  return { name: `Memory ${when}`, unit: 'MB', value: bytes / 1_000_000, target };
}

function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, unit, value, target }) => [
    name,
    `${formatNumber(value)} ${unit}`,
    target === undefined ? '' : `< ${formatNumber(target)}`,
    target === undefined ? '' : value < target ? 'met' : 'MISSED',
  ]);
  return formatRows([['', 'value', 'target', ''], ...rows]);
}

const args = parseDiskBenchArguments(process.argv.slice(2), { rounds: 5, sizeMb: 5000 });
checkSpace(args.folder, args.sizeBytes * SPACE_FACTOR);
buildSkein();
const folder = mkdtempSync(join(args.folder, 'skein-bench-'));
try {
  const signal = interruptSignal();
  const folders = { small: join(folder, 'small'), large: join(folder, 'large') };
  await fill(folders.small, 1, signal);
  await fill(folders.large, args.sizeBytes, signal);
  const figures = [
    ...(await measureBoth(folders, args.rounds, signal)),
    ...(await measureMemory(folders.large, signal)),
  ];
  const text = `A database of ${args.sizeBytes / 1_000_000} MB\n\n${formatFigures(figures)}`;
  report({ bench: 'start', text, results: figures }, args);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
