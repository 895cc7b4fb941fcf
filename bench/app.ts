// What does an application pay for three nodes, compared with the same one on a plain file?
//
// The application of examples/messages, once on one node with a plain SQLite file, without Skein,
// and once on three nodes of this machine, each a daemon with its proxy. All of them share its CPUs
// and its disk with the client, with fsync on, and are measured in turns in the same run. Run by
// `npm run bench -- app`, as root.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import {
  type Cluster,
  createCluster,
  freePorts,
  type MessagesAppOptions,
  migrateMessages,
  startMessagesApp,
  waitUntil,
} from '@skein/testkit';

import { parseDiskBenchArguments } from './lib/arguments.ts';
import { type Bound, formatBounds } from './lib/bounds.ts';
import { buildSkein } from './lib/build.ts';
import { loadHttp, type LoadResult } from './lib/http-load.ts';
import { checkSpace } from './lib/machine.ts';
import { median } from './lib/measure.ts';
import { report } from './lib/report.ts';

const DATABASE = 'db.sqlite3';
const LOOPBACK = '127.0.0.1';
const MESSAGE_COUNT = 200;
const CONNECTION_COUNT = 32;
const LOAD_MS = 1500;
const HEALTHY_TIMEOUT_MS = 30_000;
/** Databases and logs of a run stay far below it. */
const SPACE_BYTES = 2_000_000_000;

const READ_TARGET = 0.6;
const CREATE_TARGET = 0.8;
const ADDED_TARGET_MS = 1.5;

const LIST = { path: '/api/messages/' };
const CREATE = {
  path: '/api/messages/create/',
  body: '{"content": "A message of a usual length, as people write them"}',
};

/** Where requests are sent. */
interface Ports {
  /** The application on a plain file, without a proxy. */
  readonly plain: number;
  /** Proxies of the cluster. */
  readonly primary: number;
  readonly replica: number;
}

type Side = keyof Ports;
type Results = Record<Side, LoadResult[]>;

interface Load {
  readonly request: { readonly path: string; readonly body?: string };
  readonly connections: number;
  readonly sides: readonly Side[];
}

const LOADS = {
  reads: { request: LIST, connections: CONNECTION_COUNT, sides: ['plain', 'replica'] },
  creates: { request: CREATE, connections: CONNECTION_COUNT, sides: ['plain', 'primary'] },
  latency: { request: CREATE, connections: 1, sides: ['plain', 'primary', 'replica'] },
} as const satisfies Record<string, Load>;

/** In turns, one round more than told: the first only warms up. */
async function measure(
  { request, connections, sides }: Load,
  ports: Ports,
  rounds: number,
): Promise<Results> {
  const results: Results = { plain: [], primary: [], replica: [] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of sides) {
      const load = { port: ports[side], ...request, connections, durationMs: LOAD_MS };
      const result = await loadHttp(load);
      if (round > 0) results[side].push(result);
    }
  }
  return results;
}

function ratio(of: readonly LoadResult[], to: readonly LoadResult[]): number {
  return median(of.map(({ perSecond }, i) => perSecond / to[i]!.perSecond));
}

function added(by: readonly LoadResult[], to: readonly LoadResult[]): number {
  return median(by.map(({ p50Ms }, i) => p50Ms - to[i]!.p50Ms));
}

function rates(results: Results, side: Side): string {
  const perSecond = ([name, list]: [string, LoadResult[]]): string =>
    `${name} ${Math.round(median(list.map((each) => each.perSecond)))}/s`;
  return [perSecond(['plain', results.plain]), perSecond([side, results[side]])].join(', ');
}

function times(results: Results): string {
  return Object.entries(results)
    .map(([name, list]) => `${name} ${median(list.map(({ p50Ms }) => p50Ms)).toFixed(2)} ms`)
    .join(', ');
}

async function measureAll(ports: Ports, rounds: number): Promise<Bound[]> {
  const reads = await measure(LOADS.reads, ports, rounds);
  const creates = await measure(LOADS.creates, ports, rounds);
  const latency = await measure(LOADS.latency, ports, rounds);
  return [
    {
      name: 'reads through a replica’s proxy ÷ plain',
      unit: '',
      value: ratio(reads.replica, reads.plain),
      target: { atLeast: READ_TARGET },
      note: rates(reads, 'replica'),
    },
    {
      name: 'creates through the primary’s proxy ÷ plain',
      unit: '',
      value: ratio(creates.primary, creates.plain),
      target: { atLeast: CREATE_TARGET },
      note: rates(creates, 'primary'),
    },
    {
      name: 'added to a create by the way over a replica, p50',
      unit: 'ms',
      value: added(latency.replica, latency.primary),
      target: { atMost: ADDED_TARGET_MS },
      note: times(latency),
    },
  ];
}

/** Its application on a plain file, and those of the cluster. */
async function startApps(cluster: Cluster, folder: string): Promise<AsyncDisposable & Ports> {
  const [plain] = await freePorts(1);
  const mountPath = join(folder, 'plain');
  mkdirSync(mountPath);
  const common = { databaseName: DATABASE, host: LOOPBACK, isBuilt: true };
  const options: MessagesAppOptions[] = cluster.places.map(({ name, appPort }) => {
    const { mountpoint, dataFolder } = cluster.node(name);
    return { ...common, name, mountPath: mountpoint, dataPath: dataFolder, port: appPort };
  });
  options.push({ ...common, name: 'plain', mountPath, dataPath: undefined, port: plain! });
  for (const each of options) await migrateMessages(each);
  const apps = await Promise.all(options.map((each) => startMessagesApp(each)));
  return {
    plain: plain!,
    primary: cluster.places[0]!.proxyPort,
    replica: cluster.places[1]!.proxyPort,
    async [Symbol.asyncDispose]() {
      await Promise.all(apps.map((app) => app.kill()));
    },
  };
}

/** Both have the same messages to list. */
async function fill({ plain, primary, replica }: Ports): Promise<void> {
  for (const port of [plain, primary]) {
    for (let i = 0; i < MESSAGE_COUNT; i += 1) {
      const { path, body } = CREATE;
      await fetch(`http://${LOOPBACK}:${port}${path}`, { method: 'POST', body });
    }
  }
  const isThere = async (): Promise<boolean> => {
    const response = await fetch(`http://${LOOPBACK}:${replica}/api/health/`);
    return ((await response.json()) as { message_count: number }).message_count === MESSAGE_COUNT;
  };
  await waitUntil('the replica has all messages', isThere, HEALTHY_TIMEOUT_MS);
}

const args = parseDiskBenchArguments(process.argv.slice(2), { rounds: 5, sizeMb: 1 });
checkSpace(args.folder, SPACE_BYTES);
buildSkein();
const folder = mkdtempSync(join(args.folder, 'skein-bench-'));
try {
  const names = ['node1', 'node2', 'node3'];
  const options = { folder, isBuilt: true, proxyDatabase: DATABASE };
  await using cluster = await createCluster(names, options);
  await cluster.start();
  await using apps = await startApps(cluster, folder);
  await fill(apps);
  const bounds = await measureAll(apps, args.rounds);
  report({ bench: 'app', text: formatBounds(bounds), results: bounds }, args);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
