// A cluster for one test: real daemons that end with it, at the latest.

import {
  type Cluster,
  createCluster,
  createNetwork,
  onTestEnd,
  requireNetwork,
  requirePart,
  type SqliteDriver,
  type SqliteProcess,
  startSqlite,
  tempDir,
  type VirtualNetwork,
  watchMounts,
} from '@skein/testkit';
import type { TestContext } from 'node:test';

export const THREE_NODES: readonly string[] = ['node1', 'node2', 'node3'];

/** After it the mounts are aborted and the test fails: daemons that hang hold up nobody. */
const TIMEOUT_MS = 600_000;

export interface TestClusterOptions {
  readonly names?: readonly string[];
  readonly timeoutMs?: number;
  readonly proxyDatabase?: string;
  readonly sqlDatabase?: string;
  /** Nodes are made and none is started. */
  readonly isIdle?: boolean;
}

export interface NetworkedClusterOptions extends TestClusterOptions {
  readonly seed: number;
  /** Beside those of the nodes. */
  readonly otherHosts?: readonly string[];
}

/** Undefined when the machine cannot have one: the test is skipped then. */
export async function startCluster(
  t: TestContext,
  options: TestClusterOptions = {},
): Promise<Cluster | undefined> {
  if (!requirePart(t, 'fuse', 'root', 'python3')) return undefined;
  return setUp(t, options, undefined);
}

export interface NetworkedCluster {
  readonly cluster: Cluster;
  readonly network: VirtualNetwork;
}

/** Each node on a host of its own. */
export async function startNetworkedCluster(
  t: TestContext,
  options: NetworkedClusterOptions,
): Promise<NetworkedCluster | undefined> {
  if (!requirePart(t, 'fuse', 'python3') || !requireNetwork(t)) return undefined;
  const { names = THREE_NODES, otherHosts = [], seed } = options;
  const network = await createNetwork(t, { hosts: [...names, ...otherHosts], seed });
  return { cluster: await setUp(t, options, network), network };
}

async function setUp(
  t: TestContext,
  options: TestClusterOptions,
  network: VirtualNetwork | undefined,
): Promise<Cluster> {
  const { names = THREE_NODES, timeoutMs = TIMEOUT_MS, isIdle = false } = options;
  const { proxyDatabase, sqlDatabase } = options;
  const folder = tempDir(t);
  watchMounts(t, folder, timeoutMs);
  const cluster = await createCluster(names, { folder, network, proxyDatabase, sqlDatabase });
  onTestEnd(t, () => cluster.stop());
  if (!isIdle) await cluster.start();
  return cluster;
}

export interface ConnectOptions {
  readonly driver?: SqliteDriver;
  readonly busyTimeoutMs?: number;
}

/** A client with the database at `path` open. */
export async function connect(
  t: TestContext,
  path: string,
  { driver = 'python', busyTimeoutMs = 0 }: ConnectOptions = {},
): Promise<SqliteProcess> {
  const client = startSqlite(t, { driver });
  await client.open(path, { busyTimeoutMs });
  return client;
}
