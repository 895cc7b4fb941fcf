// A LiteFS and a Skein that speak with each other: set up, and compared.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

import {
  apiUrl,
  type Cluster,
  type ClusterNode,
  fetchToFile,
  freePorts,
  LitefsNode,
  type LitefsNodeOptions,
  type NodeConfig,
  onTestEnd,
  requireLitefs,
  waitUntil,
} from '@skein/testkit';

import { connect, startCluster, startNetworkedCluster } from './test-cluster.ts';

/** What every node of Skein says that speaks with a LiteFS. */
const COMPAT = { compat: 'litefs', 'allow-from': ['127.0.0.1', '198.51.100.0/24'] };

const PRIMARY = 'node1';
const LITEFS = 'litefs1';
const NODE_PORT = 20202;
const ARRIVAL_TIMEOUT_MS = 30_000;

export interface LitefsPair {
  readonly cluster: Cluster;
  readonly skein: ClusterNode;
  readonly litefs: LitefsNode;
}

/** Stopped when the test ends. */
export function createLitefsNode(t: TestContext, options: LitefsNodeOptions): LitefsNode {
  const node = new LitefsNode(options);
  onTestEnd(t, () => node.stop());
  return node;
}

export interface LitefsPairOptions {
  readonly timeoutMs?: number;
}

/** Nothing is started; undefined, and the test is skipped, when the machine cannot have it. */
export async function createLitefsPair(
  t: TestContext,
  { timeoutMs = 120_000 }: LitefsPairOptions = {},
): Promise<LitefsPair | undefined> {
  const program = requireLitefs(t);
  if (program === undefined) return undefined;
  const cluster = await startCluster(t, { names: [PRIMARY], isIdle: true, timeoutMs });
  if (cluster === undefined) return undefined;
  const skein = cluster.node(PRIMARY);
  const [port] = await freePorts(1);
  const litefs = createLitefsNode(t, { program, folder: litefsFolder(skein), port: port! });
  return { cluster, skein, litefs };
}

export interface LitefsNetwork {
  readonly pair: LitefsPair;
  /** Nothing comes through between the two. */
  readonly cut: () => void;
  readonly heal: () => void;
}

/** As createLitefsPair(), each on a host of its own. */
export async function createLitefsNetwork(
  t: TestContext,
  seed: number,
): Promise<LitefsNetwork | undefined> {
  const program = requireLitefs(t);
  if (program === undefined) return undefined;
  const options = { names: [PRIMARY], otherHosts: [LITEFS], isIdle: true, seed };
  const networked = await startNetworkedCluster(t, options);
  if (networked === undefined) return undefined;
  const { cluster, network } = networked;
  const skein = cluster.node(PRIMARY);
  const { address: host, prefix } = network.host(LITEFS);
  const folder = litefsFolder(skein);
  const litefs = createLitefsNode(t, { program, folder, port: NODE_PORT, host, prefix });
  return {
    pair: { cluster, skein, litefs },
    cut: () => network.set(LITEFS, { isCut: true }),
    heal: () => network.heal(),
  };
}

/** Beside the other node's, whose mounts are watched. */
function litefsFolder(skein: ClusterNode): string {
  return join(dirname(skein.folder), LITEFS);
}

/** What skein.yml of a node says that may have a LiteFS as its replica. */
export function compatibleConfig(cluster: Cluster, name: string, primaryName: string): NodeConfig {
  const { cluster: own, ...others } = cluster.configOf(name, primaryName);
  return { ...others, cluster: { ...own, ...COMPAT } };
}

/** What it says when a LiteFS leads. */
export function litefsLeadsConfig(cluster: Cluster, name: string, litefs: LitefsNode): NodeConfig {
  const { cluster: own, ...others } = compatibleConfig(cluster, name, name);
  const primary = { primary: LITEFS, 'primary-url': litefs.url };
  return { ...others, cluster: { ...own, ...primary } };
}

/** Skein becomes the primary. */
export async function leadWithSkein({ cluster, skein }: LitefsPair): Promise<void> {
  await skein.start(compatibleConfig(cluster, PRIMARY, PRIMARY));
  await cluster.ready();
}

/** LiteFS follows it. */
export async function followWithLitefs({ cluster, litefs }: LitefsPair): Promise<void> {
  await litefs.start({ follows: apiUrl(cluster.place(PRIMARY)) });
}

/** LiteFS becomes the primary. */
export async function leadWithLitefs({ litefs }: LitefsPair): Promise<void> {
  await litefs.start({ leadsAs: LITEFS });
}

/** Skein follows it, and has had once what it has. */
export async function followWithSkein({ cluster, skein, litefs }: LitefsPair): Promise<void> {
  await skein.start(litefsLeadsConfig(cluster, PRIMARY, litefs));
  await untilCaughtUp(skein);
}

export async function untilCaughtUp(node: ClusterNode): Promise<void> {
  const isThere = async (): Promise<boolean> => (await node.status()).cluster?.isCaughtUp === true;
  await waitUntil(`${node.name} follows the primary`, isThere, ARRIVAL_TIMEOUT_MS);
}

/**
 * Waits until both stand at the same place with the same databases, then compares these: the bytes
 * that each exports, and that SQLite reads them through the mount of whoever is the replica.
 */
export async function assertSame(
  t: TestContext,
  { skein, litefs }: Pick<LitefsPair, 'skein' | 'litefs'>,
): Promise<void> {
  let difference = '';
  const areEqual = async (): Promise<boolean> => {
    litefs.assertRuns();
    const [own, other] = [describe(await skein.positions()), describe(litefs.positions())];
    difference = `Skein stands at\n${own}\nLiteFS stands at\n${other}`;
    return own === other;
  };
  try {
    await waitUntil('both stand at the same place', areEqual, ARRIVAL_TIMEOUT_MS);
  } catch (cause) {
    throw new Error([difference, skein.lastWords, litefs.log].join('\n'), { cause });
  }
  for (const name of litefs.positions().keys()) {
    await assertSameBytes(skein, litefs, name);
    for (const mountpoint of [skein.mountpoint, litefs.mountpoint]) {
      const client = await connect(t, join(mountpoint, name), { busyTimeoutMs: 5000 });
      assert.equal(await client.value('PRAGMA integrity_check'), 'ok', `${mountpoint}/${name}`);
      await client.kill();
    }
  }
}

async function assertSameBytes(
  skein: ClusterNode,
  litefs: LitefsNode,
  name: string,
): Promise<void> {
  const own = join(skein.folder, 'exported.db');
  await fetchToFile(skein.dataFolder, `/v1/databases/${encodeURIComponent(name)}`, own);
  const other = await litefs.exportDatabase(name);
  assert.ok(readFileSync(own).equals(readFileSync(other)), `Exports of ${name} differ`);
}

function describe(positions: ReadonlyMap<string, string>): string {
  return [...positions]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, position]) => `${name} ${position}`)
    .join('\n');
}
