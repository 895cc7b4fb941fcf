// How fast is Skein compared with LiteFS?
//
// The same clients do the same on the mounts of both, in pairs, on one disk: first on one node,
// then on a primary with a replica, all on this machine. Both make a transaction durable before
// COMMIT returns. The path of the LiteFS program, which no package brings, is in SKEIN_TEST_LITEFS.
// Run by `npm run bench -- litefs`, as root.

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { createCluster, findLitefs, interruptSignal } from '@skein/testkit';

import { parseDiskBenchArguments } from './lib/arguments.ts';
import { percentile } from './lib/bounds.ts';
import { buildSkein } from './lib/build.ts';
import { createLitefsPair } from './lib/litefs-nodes.ts';
import { checkSpace } from './lib/machine.ts';
import { formatPairs, measurePairs, type PairCase, type SideName } from './lib/pairs.ts';
import { arrival, type BenchNode, measureLags, startMs } from './lib/replication.ts';
import { report } from './lib/report.ts';
import { type JournalMode, Side, type Sides } from './lib/side.ts';

const NAMES = { base: 'LiteFS', ours: 'Skein' };
/** In nothing slower. */
const TARGET = 1;
const MODES = ['DELETE', 'TRUNCATE', 'PERSIST', 'WAL'] as const;
const WRITE_COUNT = 300;
const READ_COUNT = 5000;
const BULK_ROW_COUNT = 100_000;
const LARGE = 'large.db';
const BEHIND = 'behind.db';
const BEHIND_COUNT = 3000;
const LAG_COUNT = 500;
/** Few enough that neither falls behind: what is measured is the way, not a queue. */
const LAG_RATE = 50;
/** The large database on four nodes, in their logs, and on its way. */
const SPACE_FACTOR = 12;

interface Pair {
  readonly primary: BenchNode;
  readonly replica: BenchNode & { readonly dataFolder: string };
}

type Pairs = Readonly<Record<SideName, Pair>>;

function oneRowCases(mode: JournalMode, sides: Sides): PairCase[] {
  const name = `${mode}.db`;
  const perSecond = (count: number, ms: number): number => (count * 1000) / ms;
  return [
    {
      name: `${mode}: reads of a row`,
      unit: '/s',
      target: TARGET,
      run: async (side) => perSecond(READ_COUNT, await sides[side].readRows(name, READ_COUNT)),
    },
    {
      name: `${mode}: transactions of a row`,
      unit: '/s',
      target: TARGET,
      run: async (side) => perSecond(WRITE_COUNT, await sides[side].writeRows(name, WRITE_COUNT)),
    },
  ];
}

function bulkCase(mode: JournalMode, sides: Sides): PairCase {
  const name = `${mode}.db`;
  return {
    name: `${mode}: ${BULK_ROW_COUNT} rows in one transaction`,
    unit: 'ms',
    isTime: true,
    target: TARGET,
    run: (side) => sides[side].insertRows(name, BULK_ROW_COUNT),
  };
}

/** By a new connection: SQLite's own cache is empty, the kernel's is not. */
function scanCase(sides: Sides, sizeMb: number): PairCase {
  return {
    name: `a full scan of ${sizeMb} MB, warm`,
    unit: 'ms',
    isTime: true,
    target: TARGET,
    run: async (side) => {
      await sides[side].close(LARGE);
      await sides[side].scan(LARGE);
      await sides[side].close(LARGE);
      return sides[side].scan(LARGE);
    },
  };
}

/** Both percentiles of one load: the second case takes what the first has measured. */
function lagCases(pairs: Pairs, sides: Sides): PairCase[] {
  const last: Record<SideName, readonly number[]> = { base: [], ours: [] };
  let count = 0;
  const load = async (side: SideName): Promise<readonly number[]> => {
    const { primary, replica } = pairs[side];
    const name = `lag-${++count}.db`;
    const writer = sides[side];
    const options = { primary, replicas: [replica], writer, name, signal };
    const { lagsMs } = await measureLags({ ...options, count: LAG_COUNT, perSecond: LAG_RATE });
    return lagsMs;
  };
  return [
    {
      name: 'from COMMIT to visible on the replica, p50',
      unit: 'ms',
      isTime: true,
      target: TARGET,
      run: async (side) => percentile((last[side] = await load(side)), 0.5),
    },
    {
      name: 'from COMMIT to visible on the replica, p99',
      unit: 'ms',
      isTime: true,
      target: TARGET,
      run: async (side) => percentile(last[side], 0.99),
    },
  ];
}

function catchUpCase(pairs: Pairs, sides: Sides): PairCase {
  return {
    name: `a replica starts, ${BEHIND_COUNT} transactions behind`,
    unit: 'ms',
    isTime: true,
    target: TARGET,
    run: async (side) => {
      const { primary, replica } = pairs[side];
      await arrival(primary, replica, LARGE);
      await replica.stop();
      await sides[side].writeRows(BEHIND, BEHIND_COUNT);
      return startMs(primary, replica, BEHIND);
    },
  };
}

function newReplicaCase(pairs: Pairs, sizeMb: number): PairCase {
  return {
    name: `a new replica takes ${sizeMb} MB`,
    unit: 'ms',
    isTime: true,
    target: TARGET,
    run: async (side) => {
      const { primary, replica } = pairs[side];
      await replica.stop();
      rmSync(replica.dataFolder, { recursive: true });
      return startMs(primary, replica, LARGE);
    },
  };
}

/** Clients of the primary lose their files, so that this comes last. */
function restartCase(pairs: Pairs, sides: Sides, sizeMb: number): PairCase {
  return {
    name: `a primary that has ${sizeMb} MB starts, to the first row`,
    unit: 'ms',
    isTime: true,
    target: TARGET,
    run: async (side) => {
      const { primary } = pairs[side];
      for (const mode of MODES) await sides[side].close(`${mode}.db`);
      for (const name of [LARGE, BEHIND]) await sides[side].close(name);
      await primary.stop();
      const beganMs = performance.now();
      await primary.start();
      await sides[side].readRows(LARGE, 1);
      return performance.now() - beganMs;
    },
  };
}

const signal = interruptSignal();
const args = parseDiskBenchArguments(process.argv.slice(2), { rounds: 3, sizeMb: 500 });
const program = findLitefs();
if (program === undefined) {
  throw new RangeError('SKEIN_TEST_LITEFS has to name a LiteFS program to compare with');
}
checkSpace(args.folder, args.sizeBytes * SPACE_FACTOR);
buildSkein();
const folder = mkdtempSync(join(args.folder, 'skein-bench-'));
try {
  const sizeMb = args.sizeBytes / 1_000_000;
  await using cluster = await createCluster(['node1', 'node2'], { folder, isBuilt: true });
  const litefs = await createLitefsPair(program, folder);
  await using litefsPrimary = litefs.primary;
  await using litefsReplica = litefs.replica;
  await cluster.primary.start();
  await litefsPrimary.start();
  const pairs: Pairs = {
    base: { primary: litefsPrimary, replica: litefsReplica },
    ours: { primary: cluster.primary, replica: cluster.node('node2') },
  };
  using base = new Side({ folder: litefsPrimary.mountpoint, signal });
  using ours = new Side({ folder: cluster.primary.mountpoint, signal });
  const sides = { base, ours };
  for (const side of [base, ours]) {
    for (const mode of MODES) await side.prepare(`${mode}.db`, mode, 'FULL');
    await side.prepare(BEHIND, 'WAL', 'FULL');
    await side.fill(LARGE, args.sizeBytes);
  }
  const alone = [
    ...MODES.flatMap((mode) => oneRowCases(mode, sides)),
    bulkCase('DELETE', sides),
    bulkCase('WAL', sides),
    scanCase(sides, sizeMb),
  ];
  const results = await measurePairs(alone, args.rounds);
  for (const { primary, replica } of Object.values(pairs)) await startMs(primary, replica, LARGE);
  const together = [
    ...lagCases(pairs, sides),
    catchUpCase(pairs, sides),
    newReplicaCase(pairs, sizeMb),
  ];
  results.push(...(await measurePairs(together, args.rounds)));
  for (const { replica } of Object.values(pairs)) await replica.stop();
  results.push(...(await measurePairs([restartCase(pairs, sides, sizeMb)], args.rounds)));
  report({ bench: 'litefs', text: formatPairs(results, NAMES), results }, args);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
