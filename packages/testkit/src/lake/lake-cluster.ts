// A lake on this machine: a writer and readers, each a Skein node with its mount and a lake on it,
// and an ingress before them. Parquet files are in a folder that all share, or in an object store.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createCluster, type Cluster } from '../cluster/cluster.ts';
import type { ClusterNode } from '../cluster/cluster-node.ts';
import { freePorts } from '../cluster/free-port.ts';
import { LakeProcess } from './lake-process.ts';

const CATALOG = 'catalog.db';
const LOOPBACK = '127.0.0.1';

/** Sections of lake.yml, by name. */
export type LakeSections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface LakeClusterOptions {
  readonly folder: string;
  readonly readerCount: number;
  /** Undefined: any. */
  readonly ingressPort?: number;
  /** Where DuckDB's extensions are; without it each node fetches its own. */
  readonly extensionsFolder?: string;
  /** How long the ingress holds answers to writes until readers have them. */
  readonly hold?: string;
  /** What lake.yml of each node says besides. */
  readonly config?: LakeSections;
}

export class LakeCluster implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly #options: LakeClusterOptions;
  readonly #ports: readonly number[];
  readonly #nodes = new Map<string, LakeProcess>();
  #ingress: LakeProcess | undefined;

  private constructor(cluster: Cluster, ports: readonly number[], options: LakeClusterOptions) {
    this.cluster = cluster;
    this.#ports = ports;
    this.#options = options;
  }

  /** Nothing is started. */
  static async create(options: LakeClusterOptions): Promise<LakeCluster> {
    const { folder, readerCount } = options;
    const readers = Array.from({ length: readerCount }, (_, index) => `reader${index + 1}`);
    const cluster = await createCluster(['writer', ...readers], { folder });
    return new LakeCluster(cluster, await freePorts(readerCount + 2), options);
  }

  /** Of the ingress. */
  get url(): string {
    return `http://${LOOPBACK}:${this.#options.ingressPort ?? this.#ports.at(-1)!}`;
  }

  get names(): readonly string[] {
    return this.cluster.nodes.map(({ name }) => name);
  }

  /** Where a node's own lake answers. */
  urlOf(name: string): string {
    return `http://${LOOPBACK}:${this.#ports[this.names.indexOf(name)]!}`;
  }

  lake(name: string): LakeProcess {
    const lake = this.#nodes.get(name);
    if (lake === undefined) throw new RangeError(`No lake runs on ${name}`);
    return lake;
  }

  /** All nodes, lakes and the ingress, in this order; each answers. */
  async start(): Promise<void> {
    await this.cluster.start();
    for (const name of this.names) this.startLake(name);
    await Promise.all([...this.#nodes.values()].map((lake) => lake.ready()));
    this.startIngress();
    await this.#ingress!.ready();
  }

  /** Of one node, whose daemon runs. */
  startLake(name: string): LakeProcess {
    const node = this.cluster.node(name);
    const configPath = join(node.folder, 'lake.yml');
    // JSON is YAML.
    writeFileSync(configPath, JSON.stringify(this.#configOf(node), undefined, 2));
    const lake = new LakeProcess({
      args: ['serve', '--config', configPath],
      url: this.urlOf(name),
      logPath: join(node.folder, 'lake.log'),
    });
    this.#nodes.set(name, lake);
    return lake;
  }

  startIngress(): LakeProcess {
    const { hold = '0', folder } = this.#options;
    const [writer, ...readers] = this.names.map((name) => this.urlOf(name));
    const nodes = ['--writer', writer!, ...readers.flatMap((url) => ['--reader', url])];
    const { port } = new URL(this.url);
    this.#ingress = new LakeProcess({
      args: ['ingress', '--address', `${LOOPBACK}:${port}`, '--hold', hold, ...nodes],
      url: this.url,
      logPath: join(folder, 'ingress.log'),
    });
    return this.#ingress;
  }

  /** Of everything that runs, for the message of a failure. */
  get lastWords(): string {
    const logs = [...this.#nodes].map(([name, { log }]) => `${name}:\n${log.slice(-2000)}`);
    return [...logs, `ingress:\n${this.#ingress?.log.slice(-2000) ?? ''}`].join('\n');
  }

  async stop(): Promise<void> {
    await this.#ingress?.stop();
    await Promise.all([...this.#nodes.values()].map((lake) => lake.stop()));
    await this.cluster.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #configOf(node: ClusterNode): LakeSections {
    const { folder, extensionsFolder, config = {} } = this.#options;
    const objects = join(folder, 'objects');
    mkdirSync(objects, { recursive: true });
    const { port } = new URL(this.urlOf(node.name));
    const own: LakeSections = {
      catalog: { path: node.path(CATALOG), node: node.dataFolder },
      data: { path: objects, 'cache-path': join(node.folder, 'cache') },
      http: { address: `${LOOPBACK}:${port}`, write: 'any' },
      engine: {
        scratch: join(node.folder, 'scratch'),
        ...(extensionsFolder === undefined ? {} : { extensions: extensionsFolder }),
      },
    };
    const names = new Set([...Object.keys(own), ...Object.keys(config)]);
    return Object.fromEntries([...names].map((name) => [name, { ...own[name], ...config[name] }]));
  }
}
