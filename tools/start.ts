// `npm start`: a cluster on this machine. Each node is a daemon with its mount and its proxy, and a
// small application behind the proxy. Says what to try, shows what the nodes do, and serves until
// Ctrl-C. The mounts go away at the end; the data stays in .demo/ for the next time.
//
// npm start -- --nodes 3 --port 8001 --fresh --folder .demo

import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import {
  Cluster,
  type ClusterNode,
  freePorts,
  interruptSignal,
  type NodePlace,
  proxyUrl,
  runCommand,
  waitUntil,
} from '@skein/testkit';

import { type App, startApp } from './start/app-process.ts';
import {
  formatNodes,
  formatReplicated,
  formatSuggestions,
  formatWrite,
  type ShownNode,
} from './start/guide.ts';
import type { WriteNotice } from './start/message-app.ts';
import { type TransactionEvent, watchTransactions } from './start/node-events.ts';
import { findObstacle } from './start/obstacles.ts';
import { parseStartOptions, type StartOptions } from './start/options.ts';
import { findTakenPort } from './start/taken-port.ts';

const DATABASE = 'db.sqlite3';
const LOOPBACK = '127.0.0.1';
/** From the start of the last process until every application answers through its proxy. */
const HEALTHY_TIMEOUT_MS = 20_000;

const DEFAULT_HOME = join(dirname(import.meta.dirname), '.demo');

/** As it is typed from where npm was called. */
function shown(path: string): string {
  return relative(process.env['INIT_CWD'] ?? process.cwd(), path);
}

async function findTaken({ nodeCount, port }: StartOptions): Promise<string | undefined> {
  const taken = await findTakenPort(Array.from({ length: nodeCount }, (_, i) => port + i));
  if (taken === undefined) return undefined;
  return `Port ${taken} is in use: npm start -- --port ${port + 1000} begins with another`;
}

async function placesOf({ nodeCount, port }: StartOptions): Promise<NodePlace[]> {
  const ports = await freePorts(nodeCount * 2);
  return Array.from({ length: nodeCount }, (_, index) => ({
    name: `node${index + 1}`,
    host: LOOPBACK,
    apiPort: ports[index * 2]!,
    proxyPort: port + index,
    appPort: ports[index * 2 + 1]!,
  }));
}

function shownNodes(cluster: Cluster): ShownNode[] {
  return cluster.nodes.map((node, index) => ({
    name: node.name,
    role: node === cluster.primary ? 'primary' : 'replica',
    url: `http://localhost:${cluster.places[index]!.proxyPort}`,
    mountpoint: shown(node.mountpoint),
    dataFolder: shown(node.dataFolder),
  }));
}

/** The node whose proxy has this port. */
function doorOf({ places }: Cluster, { host = '' }: WriteNotice): string | undefined {
  return places.find(({ proxyPort }) => host.endsWith(`:${proxyPort}`))?.name;
}

async function startApps(cluster: Cluster): Promise<App[]> {
  const apps: App[] = [];
  // The primary's first: it makes the table.
  for (const [index, node] of cluster.nodes.entries()) {
    const app = await startApp({
      nodeName: node.name,
      databasePath: node.path(DATABASE),
      port: cluster.places[index]!.appPort,
      onWrite: (notice) => {
        console.log(formatWrite(notice.messageId, doorOf(cluster, notice) ?? node.name, node.name));
      },
    });
    apps.push(app);
  }
  return apps;
}

async function isHealthy(place: NodePlace): Promise<boolean> {
  const response = await fetch(`${proxyUrl(place)}/api/health/`);
  const { status } = (await response.json()) as { status: string };
  return response.ok && status === 'healthy';
}

async function serve(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const nodes = shownNodes(cluster);
  console.log(`\n${formatNodes(nodes)}`);
  console.log(`Try, in another terminal:\n\n${formatSuggestions(nodes, DATABASE)}\n`);
  console.log('Ctrl-C ends it. What happens:\n');
  await Promise.race(cluster.nodes.map((node) => watch(node, node !== cluster.primary, signal)));
}

/** Until `signal`; before that, a node that ends is an error. */
async function watch(node: ClusterNode, isShown: boolean, signal: AbortSignal): Promise<void> {
  const show = ({ db, data }: TransactionEvent): void => {
    if (isShown) console.log(formatReplicated(node.name, db, data.txID));
  };
  await watchTransactions(node.dataFolder, show, signal);
  if (!signal.aborted) throw new Error(`${node.name} has ended:\n${node.log}`);
}

async function main(options: StartOptions): Promise<void> {
  const signal = interruptSignal();
  const home = options.folder ?? DEFAULT_HOME;
  if (options.isFresh) rmSync(home, { recursive: true, force: true });
  const cluster = new Cluster(await placesOf(options), {
    folder: home,
    proxyDatabase: DATABASE,
  });
  let apps: App[] = [];
  try {
    console.log(`Starting ${options.nodeCount} nodes …`);
    await cluster.start();
    apps = await startApps(cluster);
    for (const place of cluster.places) {
      await waitUntil(`${place.name} is healthy`, () => isHealthy(place), HEALTHY_TIMEOUT_MS);
    }
    await serve(cluster, signal);
  } finally {
    console.log('\nStopping …');
    await Promise.all(apps.map((app) => app.stop()));
    await cluster.stop();
    for (const { mountpoint } of cluster.nodes) {
      if (existsSync(mountpoint)) rmdirSync(mountpoint);
    }
  }
  console.log(`Unmounted. The data stays in ${shown(home)}: npm start goes on with it.`);
}

await runCommand(async () => {
  const options = parseStartOptions(process.argv.slice(2));
  const obstacle = findObstacle() ?? (await findTaken(options));
  if (obstacle === undefined) return main(options);
  console.error(obstacle);
  process.exitCode = 1;
});
