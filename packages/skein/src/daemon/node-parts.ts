// What runs on the main thread while the mount is served: the cluster, the API, the proxy, and what
// there is of the process that serves SQL.
//
//   cluster -> API -> role decided -> SQL, proxy -> ... -> proxy, SQL -> drain -> API -> cluster

import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';

import { type Log, systemClock } from '@skein/host';

import type { ClusterControl } from '../api/cluster-control.ts';
import { Api, type ApiServer } from '../api/server.ts';
import type { StateControl } from '../api/state-routes.ts';
import type { ClusterConfig } from '../config/cluster-config.ts';
import type { MountConfig } from '../config/mount-config.ts';
import type { EngineLogSource } from '../replication/log-source.ts';
import { ClusterService } from './cluster/cluster-service.ts';
import { ClusterVoice } from './cluster/cluster-voice.ts';
import { DaemonControl } from './daemon-control.ts';
import { describeNode } from './describe-node.ts';
import { openLogSource } from './log-feed.ts';
import { LoneNode } from './lone-node.ts';
import type { MountThreadClient, OpenedThread } from './mount-thread/mount-thread-client.ts';
import { createProxyFeed } from './proxy/proxy-feed.ts';
import { type ProxyFeed, ProxyThread } from './proxy/proxy-thread.ts';
import { createSqlFeed } from './sql/sql-feed.ts';
import { SqlProcess } from './sql/sql-process.ts';
import { type NodeDescription, StateFeed } from './state-feed.ts';
import { TransactionEvents } from './transaction-events.ts';

export interface NodePartsOptions {
  readonly config: MountConfig;
  readonly thread: MountThreadClient;
  readonly opened: OpenedThread;
  readonly warnings: readonly string[];
  readonly log: Log;
}

export interface NodeAddresses {
  readonly tcp: string | undefined;
  readonly cluster: string | undefined;
  readonly proxy: string | undefined;
  readonly sql: string | undefined;
}

/** How long the commands of a replica wait for it to catch up. */
const READY_TIMEOUT_MS = 30_000;

export class NodeParts {
  readonly #options: NodePartsOptions;
  #source: Promise<EngineLogSource> | undefined;
  #service: ClusterService | undefined;
  #voice: ClusterVoice | undefined;
  #events: TransactionEvents | undefined;
  #state: Promise<StateFeed> | undefined;
  #api: ApiServer | undefined;
  #proxy: ProxyThread | undefined;
  #sql: SqlProcess | undefined;
  #proxyMetrics: SharedArrayBuffer | undefined;
  readonly #failed = Promise.withResolvers<never>();

  constructor(options: NodePartsOptions) {
    this.#options = options;
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects when a part has ended that the node is not to be without. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * The node knows what it is when this resolves, and can be reached. Throws ApiError, ConfigError,
   * ProxyThreadError, SqlProcessError; stop() is to be called all the same.
   */
  async start(): Promise<NodeAddresses> {
    const { config } = this.#options;
    const { cluster } = config;
    if (cluster === undefined) await this.#startAlone();
    else await this.#startInCluster(cluster);
    await this.#service?.decided();
    const sql = config.sql === undefined ? undefined : await this.#startSql();
    const proxy = config.proxy === undefined ? undefined : await this.#startProxy();
    return {
      tcp: shown(this.#api?.tcp),
      cluster: shown(this.#service?.address),
      proxy: shown(proxy),
      sql: shown(sql),
    };
  }

  /** The app may use the databases, as new as the node can make them; or the signal came. */
  async ready(signal: AbortSignal): Promise<void> {
    const isReady = (await this.#service?.ready(READY_TIMEOUT_MS, signal)) ?? true;
    if (!isReady && !signal.aborted)
      this.#options.log.warn('The node has no primary, and goes on as it is');
  }

  /** Others are told that the node is about to end, while its commands are still ending. */
  announceEnd(): void {
    this.#service?.node.announceEnd();
  }

  /** What has not been started is passed over. */
  async stop(): Promise<void> {
    await this.#proxy?.close();
    await this.#sql?.close();
    await this.#service?.drain();
    this.#events?.close();
    (await this.#state?.catch(() => undefined))?.close();
    this.#voice?.close();
    await this.#api?.close();
    await this.#service?.stop();
    await (await this.#source)?.close();
  }

  async #startAlone(): Promise<void> {
    const { publishedLog } = this.#options.opened;
    this.#api = await this.#createApi(new LoneNode(publishedLog)).listen();
  }

  async #startInCluster(cluster: ClusterConfig): Promise<void> {
    const { config, thread, log } = this.#options;
    const { dataFolder, proxy, sql } = config;
    const source = await this.#openSource();
    const { nodeId } = await thread.call('status', []);
    const door: { handle?: RequestListener } = {};
    const service = await ClusterService.start({
      config: cluster,
      proxy,
      sql,
      dataFolder,
      nodeId: BigInt(`0x${nodeId}`),
      epoch: source.options.log.published.epoch,
      thread,
      source,
      handle: (request, response) => door.handle!(request, response),
      log,
    });
    this.#service = service;
    this.#voice = new ClusterVoice({ config: cluster, dataFolder, service, source, thread, log });
    const api = this.#createApi(this.#voice);
    // Still in the turn in which the door opened: nobody has come through it yet.
    door.handle = api.handlerFor(cluster.listen, cluster.secret);
    this.#api = await api.listen();
  }

  #createApi(cluster: ClusterControl): Api {
    const { config, thread, opened, warnings, log } = this.#options;
    const { dataFolder, http } = config;
    const source = (): Promise<EngineLogSource> => this.#openSource();
    this.#events = new TransactionEvents({ hub: cluster.events, source, log });
    const control = new DaemonControl({
      config,
      thread,
      warnings,
      cluster: () => cluster.status(),
      metrics: () => [
        opened.metrics,
        ...(this.#service === undefined ? [] : [this.#service.metrics.buffer]),
        ...(this.#proxyMetrics === undefined ? [] : [this.#proxyMetrics]),
      ],
    });
    const state = (): Promise<StateControl> => this.#openState();
    return new Api({ control, cluster, state, dataFolder, http, log });
  }

  /** A node that is alone follows its log only when somebody wants to know. */
  #openSource(): Promise<EngineLogSource> {
    const { config, thread, log } = this.#options;
    this.#source ??= openLogSource(thread, config.dataFolder, log);
    return this.#source;
  }

  /** Nobody may ever follow a node. */
  #openState(): Promise<StateFeed> {
    this.#state ??= this.#createState();
    return this.#state;
  }

  async #createState(): Promise<StateFeed> {
    const feed = await this.#createFeed();
    const { cluster: config } = this.#options.config;
    const service = this.#service;
    const describe = (): NodeDescription => describeNode({ feed, config, service });
    return new StateFeed({ feed, describe, clock: systemClock });
  }

  async #createFeed(): Promise<ProxyFeed> {
    const { config, thread } = this.#options;
    const nodeName = config.cluster?.name ?? hostname();
    const source = await this.#openSource();
    return createProxyFeed({ nodeName, service: this.#service, source, thread });
  }

  async #startSql(): Promise<AddressInfo> {
    const { config, log } = this.#options;
    const feed = createSqlFeed(await this.#createFeed(), this.#service);
    this.#sql = new SqlProcess(config, feed, log);
    return this.#sql.listening;
  }

  async #startProxy(): Promise<AddressInfo> {
    const { config, log } = this.#options;
    this.#proxy = new ProxyThread(config, await this.#createFeed(), log);
    const { address, metrics } = await this.#proxy.listening;
    this.#proxyMetrics = metrics;
    this.#proxy.failed.catch((error: unknown) => this.#failed.reject(error));
    return address;
  }
}

function shown(address: AddressInfo | undefined): string | undefined {
  if (address === undefined) return undefined;
  const { address: host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
