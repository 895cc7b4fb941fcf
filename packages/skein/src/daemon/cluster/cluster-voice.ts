// What a node of a cluster says to those who ask: the API's ClusterControl, its events, and the
// files of the mount (.primary, .lag, .skein/status.json).

import { formatHello, parseHello, type ReplicationError, type Situation } from '@skein/cluster';
import { type Log, systemClock } from '@skein/host';

import type { ClusterControl, PeerExchange } from '../../api/cluster-control.ts';
import { HELLO_PATH } from '../../api/cluster-routes.ts';
import type { ClusterStatus } from '../../api/cluster-status.ts';
import { EventHub, type RoleData } from '../../api/events.ts';
import type { ClusterConfig } from '../../config/cluster-config.ts';
import type { EngineLogSource } from '../../replication/log-source.ts';
import type { MountThreadClient } from '../mount-thread/mount-thread-client.ts';
import { ClusterFigures } from './cluster-figures.ts';
import { clusterStatus, divergedFolders } from './cluster-report.ts';
import type { ClusterService } from './cluster-service.ts';
import { helloParts } from './http-probe.ts';

export interface ClusterVoiceOptions {
  readonly config: ClusterConfig;
  readonly dataFolder: string;
  readonly service: ClusterService;
  readonly source: EngineLogSource;
  readonly thread: MountThreadClient;
  readonly log: Log;
}

/** Who is refused comes again every second. */
const REPEAT_MS = 60_000;

/** How often what only time changes is told, and looked for on the disk. */
const PULSE_MS = 1_000;
/** Acknowledgements come by the thousand, and there may be a thousand databases to tell of. */
const SHOW_MS = 100;

export class ClusterVoice implements ClusterControl {
  readonly events: EventHub = new EventHub();
  readonly peers: PeerExchange;
  readonly #options: ClusterVoiceOptions;
  readonly #figures: ClusterFigures;
  readonly #timer: NodeJS.Timeout;
  #role: RoleData;
  #diverged: readonly string[];
  #showing: NodeJS.Timeout | undefined;

  constructor(options: ClusterVoiceOptions) {
    this.#options = options;
    this.peers = createExchange(options.service, options.log);
    this.#role = this.role();
    this.#diverged = divergedFolders(options.dataFolder);
    this.#figures = new ClusterFigures(options.service.metrics);
    options.service.onChange(() => this.#changed());
    this.#timer = setInterval(() => this.#pulse(), PULSE_MS);
    this.#show();
  }

  role(): RoleData {
    const { role, epoch, primary } = this.#situation;
    const isPrimary = role === 'primary';
    const hostname = isPrimary ? undefined : primary?.name;
    return { isPrimary, ...(hostname === undefined ? {} : { hostname }), role, epoch };
  }

  status(): ClusterStatus {
    const { config, service, source } = this.#options;
    const { follower, streams, url, proxyUrl, sqlUrl } = service;
    return clusterStatus({
      config,
      url,
      proxyUrl,
      sqlUrl,
      situation: this.#situation,
      stream: follower?.status,
      replicas: streams.replicas,
      positions: source.positions(),
      lagMs: follower?.lagMs,
      diverged: this.#diverged,
    });
  }

  unreadiness(): string | undefined {
    const { role, link, blockers } = this.#situation;
    if (role === 'primary') return undefined;
    const [blocker] = blockers;
    if (blocker !== undefined) return blocker.message;
    if (role !== 'replica') return 'There is no primary in sight';
    if (link !== 'caught-up') return 'The node has not caught up with the primary yet';
    const { maxLagMs } = this.#options.config;
    const lagMs = this.#options.service.follower?.lagMs ?? 0;
    if (maxLagMs === 0 || lagMs <= maxLagMs) return undefined;
    return `The node has not heard of the primary for ${Math.round(lagMs)} ms`;
  }

  close(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#showing);
    this.events.close();
  }

  get #situation(): Situation {
    return this.#options.service.node.situation;
  }

  #changed(): void {
    const before = this.#role;
    this.#role = this.role();
    if (JSON.stringify(before) === JSON.stringify(this.#role)) {
      this.#showing ??= setTimeout(() => this.#show(), SHOW_MS);
      return;
    }
    this.events.publish({ type: 'role', data: this.#role });
    this.#show();
  }

  #pulse(): void {
    const lagMs = this.#options.service.follower?.lagMs;
    if (lagMs !== undefined) this.events.publish({ type: 'lag', data: { lagMs } });
    const before = new Set(this.#diverged);
    this.#diverged = divergedFolders(this.#options.dataFolder);
    for (const folder of this.#diverged) {
      if (!before.has(folder)) this.events.publish({ type: 'diverged', data: { folder } });
    }
    this.#show();
  }

  #show(): void {
    clearTimeout(this.#showing);
    this.#showing = undefined;
    const { thread, service, config } = this.#options;
    const { role, epoch, blockers } = this.#situation;
    const lagMs = service.follower?.lagMs;
    const divergedCount = this.#diverged.length;
    this.#figures.update({ role, epoch, lagMs, problemCount: blockers.length, divergedCount });
    const isConnected = role === 'replica';
    thread.show({
      role: role === 'primary' ? 'primary' : 'replica',
      primaryName: isConnected ? config.primary.name : undefined,
      heardMs: service.follower?.status?.primaryMs,
      statusJson: JSON.stringify(this.status(), undefined, 2),
    });
  }
}

function createExchange({ node, authenticator }: ClusterService, log: Log): PeerExchange {
  let complainedMs = Number.NEGATIVE_INFINITY;
  return {
    verify: (signature, { target, body }) => {
      try {
        authenticator?.verify(signature, helloParts(target, body));
      } catch (error) {
        const nowMs = systemClock.monotonicMs();
        if (nowMs - complainedMs < REPEAT_MS) throw error;
        complainedMs = nowMs;
        const { code, message } = error as ReplicationError;
        log.warn('A node was refused that introduced itself', { code, reason: message });
        throw error;
      }
    },
    exchange: (body, options) => {
      node.meet(parseHello(body));
      return formatHello(node.hello(options));
    },
    describe: () => formatHello(node.hello({ wantsPositions: true })),
    signAnswer: (signature, body) =>
      signature === undefined
        ? undefined
        : authenticator?.signAnswer(signature, helloParts(HELLO_PATH, body)),
  };
}
