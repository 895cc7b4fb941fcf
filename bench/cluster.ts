// How fast is a cluster of three nodes, compared with one node and with what it promises?
//
// All nodes are on this machine and share its CPUs and its disk, with fsync on: what a replica does
// is taken from the primary. What is compared is measured in turns in the same run. Run by
// `npm run bench -- cluster`, as root.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  type Cluster,
  type ClusterNode,
  createCluster,
  interruptSignal,
  migrateMessages,
  type NodePlace,
  startMessagesApp,
} from '@skein/testkit';

import { parseDiskBenchArguments } from './lib/arguments.ts';
import { type Bound, formatBounds, percentile } from './lib/bounds.ts';
import { buildSkein } from './lib/build.ts';
import { type LoadResult, loadHttp } from './lib/http-load.ts';
import { checkSpace } from './lib/machine.ts';
import { median } from './lib/measure.ts';
import { arrival, measureLags, startMs } from './lib/replication.ts';
import { report } from './lib/report.ts';
import { Side } from './lib/side.ts';

const LAG_RATE = 300;
const LAG_COUNT = 3000;
const LAG_TARGETS_MS = { p50: 3, p99: 20 };
const WRITE_COUNT = 1000;
const WRITE_TARGET = 0.85;
const BEHIND_COUNT = 100_000;
const CATCH_UP_TARGET = 5000;
const SNAPSHOT_TARGET_MB_S = 150;
const PROXY_RATE_TARGET = 0.6;
const PROXY_ADDED_TARGET_MS = 0.5;
const MESSAGES = 'db.sqlite3';
const MESSAGE_COUNT = 50;
const CONNECTION_COUNT = 32;
const LOAD_MS = 1500;
/** The kernel counts by ticks of 10 ms: of one core for so long 1 % is 30 of them. */
const IDLE_MS = 30_000;
const IDLE_TARGET_PERCENT = 1;
/** A node that was quiet for so long has nothing left to do. */
const CALM_MS = 3000;
/** The large database on two nodes, their logs, the snapshot on its way. */
const SPACE_FACTOR = 6;
/** As proc_pid_stat(5) counts time. */
const TICKS_PER_SECOND = 100;

async function measureLag(
  primary: ClusterNode,
  replicas: readonly ClusterNode[],
  writer: Side,
): Promise<Bound[]> {
  const { lagsMs, perSecond } = await measureLags({
    primary,
    replicas,
    writer,
    name: 'lag.db',
    count: LAG_COUNT,
    perSecond: LAG_RATE,
    signal,
  });
  const note = `at ${Math.round(perSecond)} transactions/s`;
  return [
    {
      name: 'commit to visible on a replica, p50',
      unit: 'ms',
      value: percentile(lagsMs, 0.5),
      target: { atMost: LAG_TARGETS_MS.p50 },
      note,
    },
    {
      name: 'commit to visible on a replica, p99',
      unit: 'ms',
      value: percentile(lagsMs, 0.99),
      target: { atMost: LAG_TARGETS_MS.p99 },
      note,
    },
  ];
}

/** The same writes on a node alone and on the primary of three, in turns. */
async function measureWrites(alone: Side, primary: Side, rounds: number): Promise<Bound[]> {
  const bounds: Bound[] = [];
  for (const mode of ['WAL', 'DELETE'] as const) {
    const name = `writes-${mode}.db`;
    for (const side of [alone, primary]) await side.prepare(name, mode, 'FULL');
    const rates: [number[], number[]] = [[], []];
    for (let round = 0; round <= rounds; round += 1) {
      for (const [index, side] of [alone, primary].entries()) {
        const value = (WRITE_COUNT * 1000) / (await side.writeRows(name, WRITE_COUNT));
        // The first round only warms up.
        if (round > 0) rates[index]!.push(value);
      }
    }
    const [without, with2] = rates.map((values) => Math.round(median(values)));
    bounds.push({
      name: `writes with two replicas ÷ without, ${mode}`,
      unit: '',
      value: median(rates[1].map((value, round) => value / rates[0][round]!)),
      target: { atLeast: WRITE_TARGET },
      note: `${with2} ÷ ${without} transactions/s`,
    });
  }
  return bounds;
}

async function measureCatchUp(cluster: Cluster, writer: Side): Promise<Bound> {
  const name = 'behind.db';
  const replica = cluster.replicas[0]!;
  await writer.prepare(name, 'WAL', 'NORMAL');
  await arrival(cluster.primary, replica, name);
  await replica.stop();
  await writer.writeRows(name, BEHIND_COUNT);
  const tookMs = await startMs(cluster.primary, replica, name);
  return {
    name: `catching up with ${BEHIND_COUNT.toLocaleString('en')} transactions`,
    unit: '/s',
    value: (BEHIND_COUNT * 1000) / tookMs,
    target: { atLeast: CATCH_UP_TARGET },
    note: `${(tookMs / 1000).toFixed(1)} s from the replica's start`,
  };
}

/** A replica that has nothing yet. */
async function measureSnapshot(
  cluster: Cluster,
  writer: Side,
  newcomer: ClusterNode,
  sizeBytes: number,
): Promise<Bound> {
  const name = 'large.db';
  await writer.fill(name, sizeBytes);
  const tookMs = await startMs(cluster.primary, newcomer, name);
  return {
    name: `a new replica takes ${Math.round(sizeBytes / 1e6)} MB`,
    unit: 'MB/s',
    value: sizeBytes / 1e3 / tookMs,
    target: { atLeast: SNAPSHOT_TARGET_MB_S },
    note: `${(tookMs / 1000).toFixed(1)} s from its start, all other databases included`,
  };
}

/** An application on a replica that lists messages, asked directly and through its proxy. */
async function measureProxy(cluster: Cluster, rounds: number): Promise<Bound[]> {
  const [primary, replica] = [cluster.places[0]!, cluster.places[1]!];
  await using _apps = await startApps(cluster, [primary, replica]);
  for (let i = 0; i < MESSAGE_COUNT; i += 1) await createMessage(primary, `Message ${i}`);
  await arrival(cluster.primary, cluster.node(replica.name), MESSAGES);
  const [rates, times] = [emptyResults(), emptyResults()];
  const sides = { direct: replica.appPort, proxy: replica.proxyPort };
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of ['direct', 'proxy'] as const) {
      const load = { port: sides[side], path: '/api/messages/', durationMs: LOAD_MS };
      const many = await loadHttp({ ...load, connections: CONNECTION_COUNT });
      const one = await loadHttp({ ...load, connections: 1 });
      // The first round only warms up.
      if (round === 0) continue;
      rates[side].push(many);
      times[side].push(one);
    }
  }
  const ratios = rates.proxy.map((each, i) => each.perSecond / rates.direct[i]!.perSecond);
  const added = times.proxy.map((each, i) => each.p50Ms - times.direct[i]!.p50Ms);
  const note = 'npm run bench -- proxy compares it with nginx';
  return [
    {
      name: 'reads through the proxy ÷ direct',
      unit: '',
      value: median(ratios),
      target: { atLeast: PROXY_RATE_TARGET },
      note,
    },
    {
      name: 'added to a read by the proxy, p50',
      unit: 'ms',
      value: median(added),
      target: { atMost: PROXY_ADDED_TARGET_MS },
      note,
    },
  ];
}

function emptyResults(): Record<'direct' | 'proxy', LoadResult[]> {
  return { direct: [], proxy: [] };
}

async function createMessage({ appPort }: NodePlace, content: string): Promise<void> {
  const url = `http://127.0.0.1:${appPort}/api/messages/create/`;
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ content }) });
  if (response.status !== 201) throw new Error(`POST ${url} gives ${response.status}`);
}

/** The application of `npm start`. */
async function startApps(cluster: Cluster, places: readonly NodePlace[]): Promise<AsyncDisposable> {
  const nodes = places.map(({ name, host, appPort }) => {
    const { mountpoint: mountPath, dataFolder: dataPath } = cluster.node(name);
    const isBuilt = true;
    return { name, mountPath, dataPath, databaseName: MESSAGES, host, port: appPort, isBuilt };
  });
  for (const node of nodes) await migrateMessages(node);
  const apps = await Promise.all(nodes.map((node) => startMessagesApp(node)));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(apps.map((app) => app.kill()));
    },
  };
}

async function measureIdle(nodes: readonly ClusterNode[]): Promise<Bound[]> {
  await sleep(CALM_MS);
  const before = nodes.map(({ pid }) => cpuSeconds(pid));
  await sleep(IDLE_MS);
  return nodes.map((node, index) => ({
    name: `${node.name} at rest`,
    unit: '% of a core',
    value: ((cpuSeconds(node.pid) - before[index]!) * 100_000) / IDLE_MS,
    target: { atMost: IDLE_TARGET_PERCENT },
  }));
}

/** Of user and system, all threads. */
function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const signal = interruptSignal();
const args = parseDiskBenchArguments(process.argv.slice(2), { rounds: 5, sizeMb: 1000 });
checkSpace(args.folder, args.sizeBytes * SPACE_FACTOR);
buildSkein();
const folder = mkdtempSync(join(args.folder, 'skein-bench-'));
try {
  const isBuilt = true;
  await using alone = await createCluster(['alone'], { folder, isBuilt });
  const names = ['node1', 'node2', 'node3', 'node4'];
  await using cluster = await createCluster(names, { folder, isBuilt, proxyDatabase: MESSAGES });
  const newcomer = cluster.node('node4');
  const trio = cluster.nodes.filter((node) => node !== newcomer);
  await alone.start();
  for (const node of trio) await node.start();
  await cluster.ready();
  using lone = new Side({ folder: alone.primary.mountpoint, signal });
  using primary = new Side({ folder: cluster.primary.mountpoint, signal });
  await Promise.all([lone.started(), primary.started()]);
  const bounds = [
    ...(await measureIdle(trio)),
    ...(await measureLag(cluster.primary, trio.slice(1), primary)),
    ...(await measureWrites(lone, primary, args.rounds)),
    ...(await measureProxy(cluster, args.rounds)),
    await measureCatchUp(cluster, primary),
    await measureSnapshot(cluster, primary, newcomer, args.sizeBytes),
  ];
  report({ bench: 'cluster', text: formatBounds(bounds), results: bounds }, args);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
