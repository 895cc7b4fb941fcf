// What a primary and its replicas are measured by, whoever has made them.

import { waitUntil } from '@skein/testkit';

import { askLagClient } from './lag-client.ts';
import type { Side } from './side.ts';

const ARRIVAL_TIMEOUT_MS = 600_000;

export interface BenchNode {
  readonly name: string;
  /** The path of a file on its mount. */
  path(database: string): string;
  /** Serves when this resolves. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Where each database stands, by name. */
  positions(): Promise<ReadonlyMap<string, string>>;
}

/** Until the node has all that the primary has. */
export async function arrival(primary: BenchNode, node: BenchNode, name: string): Promise<void> {
  const wanted = (await primary.positions()).get(name);
  const isThere = async (): Promise<boolean> => (await node.positions()).get(name) === wanted;
  await waitUntil(`${node.name} has ${name}`, isThere, ARRIVAL_TIMEOUT_MS);
}

/** How long it takes a node to start and to have all that the primary has. */
export async function startMs(primary: BenchNode, node: BenchNode, name: string): Promise<number> {
  const beganMs = performance.now();
  await node.start();
  await arrival(primary, node, name);
  return performance.now() - beganMs;
}

export interface LagLoad {
  readonly primary: BenchNode;
  readonly replicas: readonly BenchNode[];
  /** A client of the primary. */
  readonly writer: Side;
  /** Of a database that is not there yet. */
  readonly name: string;
  readonly count: number;
  /** Transactions of one row. */
  readonly perSecond: number;
  readonly signal: AbortSignal;
}

export interface LagResult {
  /** From the return of COMMIT to the first time that a client of a replica saw the row. */
  readonly lagsMs: readonly number[];
  /** What the writer has reached. */
  readonly perSecond: number;
}

/** Commits at a steady pace on the primary, while clients watch all replicas. */
export async function measureLags(load: LagLoad): Promise<LagResult> {
  const { primary, replicas, writer, name, count, perSecond, signal } = load;
  await writer.exec(
    name,
    'PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)',
  );
  await writer.close(name);
  for (const replica of replicas) await arrival(primary, replica, name);
  const [committed, ...seen] = await Promise.all([
    askLagClient({ kind: 'write', path: primary.path(name), count, perSecond }, signal),
    ...replicas.map((replica) =>
      askLagClient({ kind: 'watch', path: replica.path(name), count }, signal),
    ),
  ]);
  return {
    // A row may be visible on a replica before COMMIT has returned on the primary.
    lagsMs: seen.flatMap((times) => times.map((ms, row) => Math.max(0, ms - committed[row]!))),
    perSecond: ((count - 1) * 1000) / (committed.at(-1)! - committed[0]!),
  };
}
