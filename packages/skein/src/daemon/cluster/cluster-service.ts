// The node as a member of its cluster, on the main thread: what its peers say, who leads, the
// streams in both directions. Everything that others ask of it is here; what to conclude is in
// @skein/cluster, what to do to the databases is the engine's thread's.
//
//   start() -> role decided -> ready: it leads, or has caught up -> drain() -> stop()
//
// Invariant: the engine accepts writes only while the situation says 'primary'. It begins
// suspended, and is told of every change in the order in which they happen.

import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  AddressList,
  Authenticator,
  ClusterNode,
  type NodeHello,
  type PeerHello,
  ReplicationError,
  type Situation,
  StaticLeaser,
  StreamServer,
  type TlsIdentity,
} from '@skein/cluster';
import { type Log, nodeDisk, NodeMetrics, systemClock, systemRandom } from '@skein/host';

import type { ClusterConfig, ProxyConfig } from '../../config/cluster-config.ts';
import type { SqlConfig } from '../../config/sql-config.ts';
import { EngineLogSink } from '../../replication/log-sink.ts';
import type { EngineLogSource } from '../../replication/log-source.ts';
import type { MountThreadClient } from '../mount-thread/mount-thread-client.ts';
import { ClusterMemoryFile } from './cluster-memory-file.ts';
import { takeFarewell } from './farewell.ts';
import { HttpProbe } from './http-probe.ts';
import { advertisedUrl, loadTls, type NodeDoor, openNodeDoor } from './node-door.ts';
import { PrimaryFollower } from './primary-follower.ts';

export interface ClusterServiceOptions {
  readonly config: ClusterConfig;
  readonly proxy: ProxyConfig | undefined;
  readonly sql: SqlConfig | undefined;
  readonly dataFolder: string;
  readonly nodeId: bigint;
  /** The highest epoch that the node had seen when it started. */
  readonly epoch: number;
  readonly thread: MountThreadClient;
  readonly source: EngineLogSource;
  /** Answers what is not for the streams. */
  readonly handle: RequestListener;
  readonly log: Log;
}

const TICK_MS = 250;
/** Longer than it takes to ask all peers and to get no answer. */
const DECISION_TIMEOUT_MS = 5_000;

export class ClusterService {
  readonly metrics: NodeMetrics = new NodeMetrics();
  readonly authenticator: Authenticator | undefined;
  readonly node: ClusterNode;
  readonly url: URL;
  readonly proxyUrl: URL | undefined;
  readonly sqlUrl: URL | undefined;
  readonly streams: StreamServer;
  /** Undefined on the node that is configured to lead. */
  readonly follower: PrimaryFollower | undefined;
  readonly #options: ClusterServiceOptions;
  readonly #door: NodeDoor;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<() => void>();
  #isSuspended = true;
  #takesWrites = false;
  /** It accepts no more writes, whatever else happens in the cluster. */
  #isEnding = false;
  /** Resolves when the engine has heard of the newest role. */
  #obeyed: Promise<void> = Promise.resolve();

  /** Listens, and begins to ask. Throws ApiError, ConfigError. */
  static async start(options: ClusterServiceOptions): Promise<ClusterService> {
    const parts: { service?: ClusterService } = {};
    const tls = loadTls(options.config.tls);
    const authenticator = createAuthenticator(options.config);
    const metrics = new NodeMetrics();
    const streams = new StreamServer({
      source: options.source,
      self: () => parts.service!.hello,
      isPrimary: () => parts.service!.node.situation.role === 'primary',
      authenticator,
      litefs: createAddressList(options.config),
      admit: (peer) => parts.service!.admit(peer),
      onHigherEpoch: (peer) => parts.service!.meet(peer),
      onChange: () => parts.service?.changed(),
      clock: systemClock,
      log: options.log,
      metrics,
    });
    const { config, handle, log } = options;
    const door = await openNodeDoor({ config, streams, handle, tls, log });
    // In the same turn: no request comes before there is a node to answer it.
    parts.service = new ClusterService({ options, streams, door, tls, authenticator, metrics });
    return parts.service;
  }

  private constructor(parts: ServiceParts) {
    const { options, streams, door, tls, authenticator, metrics } = parts;
    const { config, proxy, sql } = options;
    this.#options = options;
    this.#door = door;
    this.metrics = metrics;
    this.streams = streams;
    this.authenticator = authenticator;
    this.url = new URL(config.advertiseUrl ?? advertisedUrl(config, door.address.port));
    this.proxyUrl = proxy === undefined ? undefined : plainUrlOf(config, proxy);
    this.sqlUrl = sql === undefined ? undefined : plainUrlOf(config, sql);
    this.node = this.#createNode(tls);
    this.follower = this.#createFollower(tls);
    this.node.onChange((situation) => this.#onChange(situation));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Whether this node leads, and its mount has been told so. */
  get takesWrites(): boolean {
    return this.#takesWrites;
  }

  get address(): NodeDoor['address'] {
    return this.#door.address;
  }

  /** What streams tell of this node. */
  get hello(): NodeHello {
    const { epoch, clusterId } = this.node.situation;
    const { nodeId, config } = this.#options;
    const { name, primary } = config;
    return { nodeId, name, url: this.url.href, primary: primary.name, epoch, clusterId };
  }

  /** Called whenever something that is told has changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** A peer at either end of a stream. Throws ReplicationError in a conflict with it. */
  admit(peer: NodeHello): void {
    this.meet(peer);
    const { name, primary } = this.#options.config;
    if (peer.primary === primary.name) return;
    const message =
      `Cannot replicate: node ${name} is configured for primary ${primary.name}, ` +
      `node ${peer.name} for primary ${peer.primary}`;
    throw new ReplicationError('PRIMARY_CONFLICT', message);
  }

  meet({ nodeId, name, url, primary, epoch, clusterId }: NodeHello): void {
    if (url === '' || name === '') return;
    // What it is, and whom it knows, it says when it is asked.
    const before = this.node.situation.peers.find((peer) => peer.name === name);
    const hello: PeerHello = {
      name,
      nodeId: nodeId.toString(16).padStart(16, '0').toUpperCase(),
      url,
      proxyUrl: before?.proxyUrl,
      sqlUrl: before?.sqlUrl,
      primary,
      role: before?.role ?? 'no-primary',
      epoch,
      isEnding: before?.isEnding ?? false,
      clusterId,
      peers: [],
      positions: undefined,
    };
    this.node.meet(hello);
  }

  /** Resolves when the node knows what it is, or what keeps it, or has asked for long enough. */
  async decided(): Promise<void> {
    await this.#until(() => {
      const { role, blockers } = this.node.situation;
      return role !== 'no-primary' || blockers.some(({ code }) => code !== 'PEERS_UNHEARD');
    }, AbortSignal.timeout(DECISION_TIMEOUT_MS));
    await this.#obeyed;
  }

  /** Whether within this time the node leads, or has had all that the primary had. */
  ready(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return this.#until(
      () => {
        const { role, link } = this.node.situation;
        return role === 'primary' || (role === 'replica' && link === 'caught-up');
      },
      AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    );
  }

  /**
   * Gives what is committed here to the replicas that are connected, as far as they take it; on a
   * replica, takes what the primary gives.
   */
  async drain(): Promise<void> {
    this.node.announceEnd();
    const { thread, config, log } = this.#options;
    if (this.follower !== undefined) return this.#takeFarewell(this.follower);
    if (this.node.situation.role !== 'primary') return;
    this.#isEnding = true;
    await this.#suspend('it is about to end');
    // Not what is known here, which comes a moment later.
    const states = await thread.call('followed-states', []);
    const txids = new Map(states.map(([name, { position }]) => [name, position.txid]));
    const target = { txids, level: 'durable', count: 'all' } as const;
    const signal = AbortSignal.timeout(config.drainMs);
    if (await this.streams.waitForReplicas(target, signal)) return;
    log.warn('Replicas are behind while the primary ends', { waitedMs: config.drainMs });
  }

  async #takeFarewell({ url, sink }: PrimaryFollower): Promise<void> {
    const { config, log } = this.#options;
    // A LiteFS does not say what it has.
    if (url === undefined || config.compat !== undefined) return;
    const hasAll = await takeFarewell({
      link: () => this.node.situation.link,
      ask: () => this.node.inquire(url),
      positions: () => sink.positions(),
      databases: config.databases === undefined ? undefined : new Set(config.databases),
      clock: systemClock,
      sleep: (ms) => sleep(ms),
      limitMs: config.drainMs,
    });
    if (hasAll) return;
    log.warn('The node ends before it has all that the primary has', { waitedMs: config.drainMs });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.node.stop();
    await this.follower?.close();
    await Promise.all([this.streams.close(), this.#door.close()]);
  }

  #createNode(tls: TlsIdentity | undefined): ClusterNode {
    const { config, nodeId, epoch, dataFolder, thread, source, log } = this.#options;
    const { name } = config;
    const primary = {
      name: config.primary.name,
      urls: config.primary.urls.map((url) => new URL(url)),
    };
    const epochs = {
      raise: async (raised: number) => thread.call('raise-epoch', [raised]),
    };
    return new ClusterNode(
      {
        name,
        nodeId,
        url: this.url,
        proxyUrl: this.proxyUrl,
        sqlUrl: this.sqlUrl,
        primary: primary.name,
        primaryUrls: primary.urls,
        isForced: config.isForced,
        epoch,
      },
      {
        leaser: new StaticLeaser({ name, nodeId, primary, epochs }),
        epochs,
        memory: new ClusterMemoryFile(nodeDisk, dataFolder, log),
        probe: new HttpProbe({
          authenticator: this.authenticator,
          tls,
          mayMeetLitefs: config.compat !== undefined,
        }),
        positions: () => source.positions(),
        clock: systemClock,
        random: systemRandom,
        log,
      },
    );
  }

  #createFollower(tls: TlsIdentity | undefined): PrimaryFollower | undefined {
    const { config, thread, dataFolder, log } = this.#options;
    if (config.primary.name === config.name) return undefined;
    const scratchFolder = join(dataFolder, 'scratch');
    return new PrimaryFollower({
      config,
      node: this.node,
      sink: new EngineLogSink({ thread, scratchFolder }),
      stream: {
        self: () => this.hello,
        authenticator: this.authenticator,
        litefs: createAddressList(config),
        tls,
        admit: (peer) => this.admit(peer),
        clock: systemClock,
        random: systemRandom,
        log,
        metrics: this.metrics,
      },
      onChange: () => this.changed(),
    });
  }

  #tick(): void {
    this.node.tick();
    this.follower?.tick();
  }

  #onChange({ role, blockers, epoch }: Situation): void {
    if (this.follower === undefined) {
      const isPrimary = role === 'primary';
      if (isPrimary && this.#isSuspended && !this.#isEnding) this.#obeyed = this.#lead(epoch);
      const reason = blockers.map(({ message }) => message).join('; ');
      if (!isPrimary && !this.#isSuspended) this.#obeyed = this.#suspend(reason);
    }
    this.changed();
  }

  async #lead(epoch: number): Promise<void> {
    this.#isSuspended = false;
    const { thread, log } = this.#options;
    try {
      await thread.call('set-role', ['primary', '']);
      this.#takesWrites = !this.#isSuspended;
      this.changed();
    } catch (error) {
      log.error('The node cannot accept writes', { epoch, error: String(error) });
    }
  }

  async #suspend(reason: string): Promise<void> {
    this.#isSuspended = true;
    this.#takesWrites = false;
    const { thread, log } = this.#options;
    try {
      await thread.call('set-role', ['suspended', reason]);
    } catch (error) {
      log.error('The node cannot be kept from accepting writes', { error: String(error) });
    }
  }

  /** Whether it became so before the signal came. */
  #until(isSo: () => boolean, signal: AbortSignal): Promise<boolean> {
    if (isSo()) return Promise.resolve(true);
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        signal.removeEventListener('abort', giveUp);
        this.#listeners.delete(listener);
        resolve(result);
      };
      const giveUp = (): void => end(false);
      const listener = (): void => {
        if (isSo()) end(true);
      };
      signal.addEventListener('abort', giveUp);
      this.#listeners.add(listener);
    });
  }
}

interface ServiceParts {
  readonly options: ClusterServiceOptions;
  readonly streams: StreamServer;
  readonly door: NodeDoor;
  readonly tls: TlsIdentity | undefined;
  readonly authenticator: Authenticator | undefined;
  readonly metrics: NodeMetrics;
}

function createAuthenticator({ secret }: ClusterConfig): Authenticator | undefined {
  if (secret === undefined) return undefined;
  return new Authenticator({ secret, clock: systemClock, random: systemRandom });
}

function createAddressList({ compat }: ClusterConfig): AddressList | undefined {
  if (compat === undefined) return undefined;
  // Nothing said and yet allowed: the configuration is insecure by its own word.
  const everybody = ['0.0.0.0/0', '::/0'];
  return new AddressList(compat.allowFrom.length === 0 ? everybody : compat.allowFrom);
}

/** The proxy and the SQL server are doors of their own, without TLS. */
function plainUrlOf(
  { name }: ClusterConfig,
  { address, advertiseUrl }: Pick<ProxyConfig, 'address' | 'advertiseUrl'>,
): URL {
  if (advertiseUrl !== undefined) return new URL(advertiseUrl);
  const listen = { ...address, portCount: 1 };
  return advertisedUrl({ name, listen, tls: undefined }, address.port);
}
