// How fast is SQLite on the mount, compared with the bare disk?
//
// The same client does the same on both, in pairs, on one disk. First client and daemon are pinned
// to one CPU, which shows what the work itself costs; then both are left to the scheduler, where on
// a virtual machine much of the time goes into waking CPUs. Run by `npm run bench -- mount`, as
// root because of the cold scan.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { interruptSignal, startDaemon } from '@skein/testkit';

import { type DiskBenchArguments, parseDiskBenchArguments } from './lib/arguments.ts';
import { buildSkein } from './lib/build.ts';
import { checkSpace, dropCaches } from './lib/machine.ts';
import { formatPairs, measurePairs, type PairCase, type PairResult } from './lib/pairs.ts';
import { report } from './lib/report.ts';
import { formatTrips, measureTrips, type TripCase, type TripResult } from './lib/round-trips.ts';
import { type JournalMode, Side, type Sides } from './lib/side.ts';

const MODES = ['DELETE', 'TRUNCATE', 'PERSIST', 'WAL'] as const;
type Pinning = 'one CPU' | 'scheduler';

/** What the project wants to reach: mount ÷ bare disk. */
const WRITE_TARGETS: Readonly<Record<Pinning, Readonly<Record<JournalMode, number>>>> = {
  'one CPU': { DELETE: 1.2, TRUNCATE: 1.3, PERSIST: 1.3, WAL: 1 },
  scheduler: { DELETE: 0.9, TRUNCATE: 0.9, PERSIST: 0.9, WAL: 0.9 },
};
const WAL_NORMAL_TARGETS: Readonly<Record<Pinning, number>> = { 'one CPU': 0.5, scheduler: 0.3 };
const READ_TARGET = 0.9;
const BULK_TARGET = 0.6;
const COLD_SCAN_TARGET = 0.8;
const WARM_SCAN_TARGET = 0.95;
/** Round trips of a one-row transaction; with journals in passthrough DELETE 13, TRUNCATE 10. */
const TRIP_TARGETS: Readonly<Record<JournalMode, number>> = {
  DELETE: 15,
  TRUNCATE: 13,
  PERSIST: 12,
  WAL: 4,
};

const NAMES = { base: 'bare disk', ours: 'mount' };
const WRITE_COUNT = 300;
const WRITE_COUNT_NORMAL = 3000;
const READ_COUNT = 20_000;
const BULK_ROW_COUNT = 100_000;
const SCAN_DATABASE = 'scan.db';
/** The large database on both sides, the log that has it once more, and the small databases. */
const SPACE_FACTOR = 4;

/** The transactions of one row, in one mode: writes, reads, and their round trips. */
interface ModeCase {
  readonly mode: JournalMode;
  readonly synchronous: 'FULL' | 'NORMAL';
  readonly database: string;
}

const MODE_CASES: readonly ModeCase[] = [
  ...MODES.map((mode) => ({ mode, synchronous: 'FULL' as const, database: `${mode}.db` })),
  { mode: 'WAL', synchronous: 'NORMAL', database: 'WAL-NORMAL.db' },
];

function writeCase(
  pinning: Pinning,
  { mode, synchronous, database }: ModeCase,
  sides: Sides,
): PairCase {
  const isFull = synchronous === 'FULL';
  const count = isFull ? WRITE_COUNT : WRITE_COUNT_NORMAL;
  return {
    name: `${pinning}: ${mode}, ${synchronous}: writes`,
    unit: '/s',
    target: isFull ? WRITE_TARGETS[pinning][mode] : WAL_NORMAL_TARGETS[pinning],
    run: async (side) => (count * 1000) / (await sides[side].writeRows(database, count)),
  };
}

function readCase(pinning: Pinning, { mode, database }: ModeCase, sides: Sides): PairCase {
  return {
    name: `${pinning}: ${mode}: reads`,
    unit: '/s',
    target: READ_TARGET,
    run: async (side) => (READ_COUNT * 1000) / (await sides[side].readRows(database, READ_COUNT)),
  };
}

function bulkCase(mode: JournalMode, sides: Sides): PairCase {
  const database = `${mode}.db`;
  return {
    name: `${mode}: ${BULK_ROW_COUNT} rows in one transaction`,
    unit: 'rows/s',
    target: BULK_TARGET,
    run: async (side) =>
      (BULK_ROW_COUNT * 1000) / (await sides[side].insertRows(database, BULK_ROW_COUNT)),
  };
}

function scanCases(sides: Sides, sizeBytes: number): PairCase[] {
  const scan = async (side: Side): Promise<number> => {
    // A new connection: SQLite's own cache is empty.
    await side.close(SCAN_DATABASE);
    return sizeBytes / 1000 / (await side.scan(SCAN_DATABASE));
  };
  const size = `${sizeBytes / 1_000_000} MB`;
  const cold: PairCase = {
    name: `Full scan of ${size}, cold`,
    unit: 'MB/s',
    target: COLD_SCAN_TARGET,
    run: (side) => {
      dropCaches();
      return scan(sides[side]);
    },
  };
  const warm: PairCase = {
    name: `Full scan of ${size}, warm`,
    unit: 'MB/s',
    target: WARM_SCAN_TARGET,
    run: async (side) => {
      await scan(sides[side]);
      return scan(sides[side]);
    },
  };
  return [cold, warm];
}

function tripCase({ mode, database }: ModeCase, { ours }: Sides): TripCase {
  return {
    name: `${mode}, FULL: a transaction of one row`,
    target: TRIP_TARGETS[mode],
    run: (count) => ours.writeRows(database, count),
  };
}

interface Results {
  readonly pairs: readonly PairResult[];
  readonly trips: readonly TripResult[];
}

/** Everything with one daemon: pinned, or left to the scheduler. */
async function measureMount(
  folder: string,
  pinning: Pinning,
  args: DiskBenchArguments,
): Promise<Results> {
  const cpu = pinning === 'one CPU' ? 0 : undefined;
  const bareFolder = join(folder, 'bare');
  mkdirSync(bareFolder, { recursive: true });
  await using daemon = await startDaemon({
    mountpoint: join(folder, 'mount'),
    dataFolder: join(folder, 'data'),
    logPath: join(folder, 'daemon.log'),
    isBuilt: true,
    cpu,
  });
  using bare = new Side({ folder: bareFolder, cpu, signal });
  using mount = new Side({ folder: daemon.mountpoint, cpu, signal });
  const sides = { base: bare, ours: mount };
  for (const { database, mode, synchronous } of MODE_CASES) {
    for (const side of [bare, mount]) await side.prepare(database, mode, synchronous);
  }
  const full = MODE_CASES.filter(({ synchronous }) => synchronous === 'FULL');
  const cases = [
    ...full.map((each) => readCase(pinning, each, sides)),
    ...MODE_CASES.map((each) => writeCase(pinning, each, sides)),
  ];
  if (pinning === 'one CPU') {
    const pairs = await measurePairs(cases, args.rounds);
    const trips = await measureTrips(
      daemon.dataFolder,
      full.map((each) => tripCase(each, sides)),
    );
    return { pairs, trips };
  }
  for (const side of [bare, mount]) await side.fill(SCAN_DATABASE, args.sizeBytes);
  const large = [
    bulkCase('DELETE', sides),
    bulkCase('WAL', sides),
    ...scanCases(sides, args.sizeBytes),
  ];
  return { pairs: await measurePairs([...cases, ...large], args.rounds), trips: [] };
}

const signal = interruptSignal();
const args = parseDiskBenchArguments(process.argv.slice(2), { rounds: 5, sizeMb: 1000 });
checkSpace(args.folder, args.sizeBytes * SPACE_FACTOR);
buildSkein();
const folder = mkdtempSync(join(args.folder, 'skein-bench-'));
try {
  const pinned = await measureMount(join(folder, 'pinned'), 'one CPU', args);
  const free = await measureMount(join(folder, 'free'), 'scheduler', args);
  const pairs = [...pinned.pairs, ...free.pairs];
  const text = `${formatPairs(pairs, NAMES)}\n${formatTrips(pinned.trips)}`;
  report({ bench: 'mount', text, results: { pairs, trips: pinned.trips } }, args);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
