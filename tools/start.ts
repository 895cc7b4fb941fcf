// `npm start`: a cluster on this machine. Each node is a daemon with its mount and its proxy, and
// the application of examples/messages behind the proxy. Says what to try, shows what the nodes do,
// and serves until Ctrl-C. The mounts go away at the end; the data stays in .demo/ for the next
// time.
//
// npm start -- --nodes 3 --port 8001 --primary node1 --fresh --folder .demo
// npm start -- --add                    one more node, while the others run

import { existsSync, rmdirSync, rmSync } from 'node:fs';

import {
  Cluster,
  type ClusterNode,
  type CreatedMessage,
  freePorts,
  interruptSignal,
  type MessagesApp,
  migrateMessages,
  type NodePlace,
  proxyUrl,
  runProgram,
  startMessagesApp,
  waitUntil,
} from '@skein/testkit';

import {
  DATABASE,
  type Demo,
  EXAMPLE,
  homeOf,
  LOOPBACK,
  messagesNode,
  nothingRuns,
  readDemo,
  shownPath,
  writeDemo,
} from './start/demo.ts';
import {
  formatNodes,
  formatProblem,
  formatReplicated,
  formatSuggestions,
  formatWrite,
  type ShownNode,
} from './start/guide.ts';
import { type TransactionEvent, watchTransactions } from './start/node-events.ts';
import { findObstacle } from './start/obstacles.ts';
import { parseStartOptions, START_HELP, type StartOptions } from './start/options.ts';
import { findRunningNode, maybeTellRunning } from './start/running-node.ts';
import { findTakenPort } from './start/taken-port.ts';

/** From the start of the last process until every application answers through its proxy. */
const HEALTHY_TIMEOUT_MS = 60_000;

/** The part of a cluster that this process runs. */
interface Served {
  readonly cluster: Cluster;
  readonly nodes: readonly ClusterNode[];
  readonly apps: Map<ClusterNode, MessagesApp>;
}

async function findTaken(ports: readonly number[]): Promise<string | undefined> {
  const taken = await findTakenPort(ports);
  if (taken === undefined) return undefined;
  return `Port ${taken} is in use: npm start -- --port ${taken + 1000} begins with another`;
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

/** One more node than there were. */
async function placesWithOneMore({ places }: Demo): Promise<NodePlace[]> {
  const [apiPort, appPort] = await freePorts(2);
  const name = `node${places.length + 1}`;
  const proxyPort = places.at(-1)!.proxyPort + 1;
  return [...places, { name, host: LOOPBACK, apiPort: apiPort!, proxyPort, appPort: appPort! }];
}

async function startNodes({ cluster, nodes }: Served, options: StartOptions): Promise<void> {
  const { primary, dissenters, isAdded } = options;
  if (!isAdded && dissenters.size === 0) return cluster.start();
  for (const node of nodes) {
    await node.start(cluster.configOf(node.name, dissenters.get(node.name) ?? primary));
  }
  // Nodes that contradict each other never become ready: what they say of it is to be seen.
  if (dissenters.size === 0) await cluster.ready();
}

async function startApps(served: Served): Promise<void> {
  const { cluster, nodes, apps } = served;
  for (const node of nodes) {
    const options = { ...messagesNode(cluster, node.name), exampleFolder: EXAMPLE };
    if (node === cluster.primary) await migrateMessages(options);
    const onCreated = ({ messageId, door }: CreatedMessage): void => {
      console.log(formatWrite(messageId, nameOfDoor(cluster, door) ?? node.name, node.name));
    };
    apps.set(node, await startMessagesApp({ ...options, onCreated }));
  }
}

/** The node whose proxy has this port. */
function nameOfDoor({ places }: Cluster, door = ''): string | undefined {
  return places.find(({ proxyPort }) => door.endsWith(`:${proxyPort}`))?.name;
}

async function waitForHealth({ cluster, nodes }: Served): Promise<void> {
  for (const { name } of nodes) {
    const url = `${proxyUrl(cluster.place(name))}/api/health/`;
    const isHealthy = async (): Promise<boolean> => (await fetch(url)).ok;
    await waitUntil(`${name} is healthy`, isHealthy, HEALTHY_TIMEOUT_MS);
  }
}

async function showNodes({ cluster, nodes }: Served): Promise<ShownNode[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const { cluster: status } = await node.status();
      for (const { code, message } of status?.problems ?? []) {
        console.log(formatProblem(node.name, code, message));
      }
      return {
        name: node.name,
        role: status?.role ?? 'alone',
        url: `http://localhost:${cluster.place(node.name).proxyPort}`,
        mountpoint: shownPath(node.mountpoint),
        dataFolder: shownPath(node.dataFolder),
      };
    }),
  );
}

async function serve(served: Served, signal: AbortSignal): Promise<void> {
  const nodes = await showNodes(served);
  console.log(`\n${formatNodes(nodes)}`);
  console.log(`Try, in another terminal:\n\n${formatSuggestions(nodes, DATABASE)}\n`);
  console.log('Ctrl-C ends it. What happens:\n');
  await Promise.race(served.nodes.map((node) => watch(served, node, signal)));
}

/** Until `signal`; before that, a node or an application that ends is an error. */
async function watch(served: Served, node: ClusterNode, signal: AbortSignal): Promise<void> {
  const { cluster, apps } = served;
  const show = ({ db, data }: TransactionEvent): void => {
    if (node !== cluster.primary) console.log(formatReplicated(node.name, db, data.txID));
  };
  const what = await Promise.race([
    watchTransactions(node.dataFolder, show, signal).then(() => `${node.name} has ended`),
    apps.get(node)!.ended.then(() => `The application of ${node.name} has ended`),
  ]);
  if (!signal.aborted) throw new Error(`${what}:\n${node.lastWords}`);
}

async function stop({ cluster, nodes, apps }: Served): Promise<void> {
  await Promise.all([...apps.values()].map((app) => app.stop()));
  await cluster.stop();
  for (const { mountpoint } of nodes) {
    if (existsSync(mountpoint)) rmdirSync(mountpoint);
  }
}

async function main(options: StartOptions, demo: Demo): Promise<void> {
  const signal = interruptSignal();
  const home = homeOf(options.folder);
  if (options.isFresh) rmSync(home, { recursive: true, force: true });
  writeDemo(home, demo);
  const cluster = new Cluster(demo.places, { folder: home, proxyDatabase: DATABASE });
  cluster.nameNextPrimary(demo.primary);
  const nodes = options.isAdded ? cluster.nodes.slice(-1) : cluster.nodes;
  const served: Served = { cluster, nodes, apps: new Map() };
  try {
    console.log(`Starting ${nodes.length === 1 ? nodes[0]!.name : `${nodes.length} nodes`} …`);
    await startNodes(served, options);
    await startApps(served);
    if (options.dissenters.size === 0) await waitForHealth(served);
    await serve(served, signal);
  } finally {
    console.log('\nStopping …');
    await stop(served);
  }
  console.log(`Unmounted. The data stays in ${shownPath(home)}: npm start goes on with it.`);
}

async function planOf(options: StartOptions): Promise<Demo> {
  if (!options.isAdded) return { places: await placesOf(options), primary: options.primary };
  const home = homeOf(options.folder);
  const demo = readDemo(home);
  if (findRunningNode(home) === undefined) throw nothingRuns();
  return { ...demo, places: await placesWithOneMore(demo) };
}

async function findHindrance(options: StartOptions, { places }: Demo): Promise<string | undefined> {
  const doors = places.map(({ proxyPort }) => proxyPort);
  const obstacle = findObstacle();
  if (obstacle !== undefined) return obstacle;
  if (options.isAdded) return findTaken(doors.slice(-1));
  return maybeTellRunning(homeOf(options.folder)) ?? findTaken(doors);
}

await runProgram(START_HELP, async () => {
  const options = parseStartOptions(process.argv.slice(2), process.env);
  const demo = await planOf(options);
  const hindrance = await findHindrance(options, demo);
  if (hindrance === undefined) return main(options, demo);
  console.error(hindrance);
  process.exitCode = 1;
});
