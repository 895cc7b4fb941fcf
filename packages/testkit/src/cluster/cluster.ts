// A cluster of real daemons, each a process with its folders: on this machine side by side, or each
// on a host of a virtual network.

import { join } from 'node:path';

import type { VirtualNetwork } from '../network/virtual-network.ts';
import { nodeConfig, type NodeConfig, type NodePlace } from './cluster-config.ts';
import { ClusterNode } from './cluster-node.ts';
import { waitUntil } from './wait-until.ts';
import { freePorts } from './free-port.ts';

/** Of the node API, on a host of its own. */
const API_PORT = 20202;
const PROXY_PORT = 8000;
const APP_PORT = 8081;
const SQL_PORT = 8090;
const LOOPBACK = '127.0.0.1';
const PORTS_PER_NODE = 4;
export const CLUSTER_SECRET = 'a-secret-of-tests-long-enough-to-be-one';
/** Starting daemons from their sources takes a second each on a small machine. */
const READY_TIMEOUT_MS = 180_000;

export interface ClusterOptions {
  /** Each node has a folder in it. */
  readonly folder: string;
  /** Has a host for each node; undefined: all are on this machine. */
  readonly network?: VirtualNetwork | undefined;
  readonly proxyDatabase?: string | undefined;
  readonly sqlDatabase?: string | undefined;
  /** Sections of skein.yml that all nodes have besides. */
  readonly config?: NodeConfig;
  readonly isBuilt?: boolean;
}

/** The first of the places is the primary's, until another is named. */
export class Cluster implements AsyncDisposable {
  readonly places: readonly NodePlace[];
  readonly nodes: readonly ClusterNode[];
  readonly #options: ClusterOptions;
  #primaryName: string;

  constructor(places: readonly NodePlace[], options: ClusterOptions) {
    const [primary] = places;
    if (primary === undefined) throw new RangeError('A cluster has at least one node');
    this.places = places;
    this.#options = options;
    this.#primaryName = primary.name;
    const { folder, network, isBuilt = false } = options;
    this.nodes = places.map(
      ({ name }) =>
        new ClusterNode({
          name,
          folder: join(folder, name),
          config: this.configOf(name, primary.name),
          prefix: network?.host(name).prefix ?? [],
          isBuilt,
        }),
    );
  }

  get primary(): ClusterNode {
    return this.node(this.#primaryName);
  }

  get replicas(): readonly ClusterNode[] {
    return this.nodes.filter((node) => node !== this.primary);
  }

  /** Who leads when the cluster is started the next time. */
  nameNextPrimary(name: string): void {
    this.#primaryName = this.node(name).name;
  }

  /** What skein.yml of a node says when it is told that `primaryName` leads. */
  configOf(name: string, primaryName: string): NodeConfig {
    const { config = {}, proxyDatabase, sqlDatabase } = this.#options;
    const options = {
      primary: this.place(primaryName),
      secret: CLUSTER_SECRET,
      proxyDatabase,
      sqlDatabase,
    };
    return { ...config, ...nodeConfig(this.place(name), options) };
  }

  node(name: string): ClusterNode {
    const node = this.nodes.find((each) => each.name === name);
    if (node === undefined) throw new RangeError(`There is no node ${name}`);
    return node;
  }

  place(name: string): NodePlace {
    const place = this.places.find((each) => each.name === name);
    if (place === undefined) throw new RangeError(`There is no node ${name}`);
    return place;
  }

  /** All nodes, and each replica follows. */
  async start(): Promise<void> {
    const start = (node: ClusterNode): Promise<void> =>
      node.start(this.configOf(node.name, this.#primaryName));
    await start(this.primary);
    await Promise.all(this.replicas.map(start));
    await this.ready();
  }

  /** The primary leads and all replicas that run follow it. */
  async ready(): Promise<void> {
    const running = this.nodes.filter((node) => node.isRunning);
    for (const node of running) await this.#waitForRole(node);
  }

  async stop(): Promise<void> {
    // The primary first: it gives its replicas what they do not have yet.
    await this.primary.stop();
    await Promise.all(this.replicas.map((node) => node.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #waitForRole(node: ClusterNode): Promise<void> {
    const isPrimary = node === this.primary;
    const what = `${node.name} is ${isPrimary ? 'primary' : 'a replica that follows'}`;
    const isThere = async (): Promise<boolean> => {
      const { cluster } = await node.status();
      if (isPrimary) return cluster?.role === 'primary';
      return cluster?.role === 'replica' && cluster.isCaughtUp === true;
    };
    try {
      await waitUntil(what, isThere, READY_TIMEOUT_MS);
    } catch (cause) {
      const words = this.nodes.map(({ name, lastWords }) => `${name}:\n${lastWords}`).join('\n');
      throw new Error(`It does not come that ${what}:\n${words}`, { cause });
    }
  }
}

/** A cluster of these nodes, of which the first is the primary; nothing is started. */
export async function createCluster(
  names: readonly string[],
  options: ClusterOptions,
): Promise<Cluster> {
  const { network } = options;
  const ports = network === undefined ? await freePorts(names.length * PORTS_PER_NODE) : [];
  const places = names.map((name, index): NodePlace => {
    if (network !== undefined) {
      const host = network.host(name).address;
      const own = { apiPort: API_PORT, proxyPort: PROXY_PORT, appPort: APP_PORT };
      return { name, host, ...own, sqlPort: SQL_PORT };
    }
    const own = ports.slice(index * PORTS_PER_NODE);
    const [apiPort, proxyPort, appPort, sqlPort] = own as [number, number, number, number];
    return { name, host: LOOPBACK, apiPort, proxyPort, appPort, sqlPort };
  });
  return new Cluster(places, options);
}
