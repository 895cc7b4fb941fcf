// Round trips through FUSE per transaction, as the daemon counts them: the figure behind all times
// of the mount, and one that does not depend on the machine.

import { isWaitedFor, OPCODE, type OpcodeName } from '@skein/fuse';
import { askDaemon, formatRows } from '@skein/testkit';

export interface TripCase {
  readonly name: string;
  /** At most so many. */
  readonly target: number;
  /** Does so many transactions on the mount. */
  readonly run: (count: number) => Promise<unknown>;
}

export interface TripResult {
  readonly name: string;
  readonly target: number;
  readonly trips: number;
  /** By kind, the most frequent first. */
  readonly byOpcode: Readonly<Record<string, number>>;
}

const TRANSACTION_COUNT = 200;

export async function measureTrips(
  dataFolder: string,
  cases: readonly TripCase[],
): Promise<TripResult[]> {
  const results: TripResult[] = [];
  for (const { name, target, run } of cases) {
    const before = await countRoundTrips(dataFolder);
    await run(TRANSACTION_COUNT);
    const after = await countRoundTrips(dataFolder);
    const each = [...after]
      .map(([op, count]) => [op, (count - (before.get(op) ?? 0)) / TRANSACTION_COUNT] as const)
      .filter(([, count]) => count > 0)
      .toSorted(([, first], [, second]) => second - first);
    const trips = each.reduce((sum, [, count]) => sum + count, 0);
    results.push({ name, target, trips, byOpcode: Object.fromEntries(each) });
  }
  return results;
}

/** Requests of the kernel since the daemon's start that some process stood still for. */
async function countRoundTrips(dataFolder: string): Promise<ReadonlyMap<string, number>> {
  const metrics = await askDaemon(dataFolder, '/metrics');
  const samples = metrics.matchAll(/^skein_fuse_requests_total\{opcode="(\w+)"\} (\d+)$/gm);
  const counts = [...samples].map(([, opcode, count]) => [opcode!, Number(count)] as const);
  return new Map(counts.filter(([opcode]) => isWaitedFor(OPCODE[opcode as OpcodeName])));
}

export function formatTrips(results: readonly TripResult[]): string {
  const rows = results.map(({ name, target, trips, byOpcode }) => [
    name,
    trips.toFixed(1),
    `≤ ${target}`,
    trips <= target ? 'met' : 'MISSED',
    Object.entries(byOpcode)
      .map(([opcode, count]) => `${opcode} ${count.toFixed(1)}`)
      .join(', '),
  ]);
  return formatRows([['', 'round trips', 'target', '', 'which'], ...rows], [0, 4]);
}
