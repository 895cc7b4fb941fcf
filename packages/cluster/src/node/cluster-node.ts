// A node of a cluster at work: asks its peers what they are, keeps the lease, and tells the rest of
// the daemon what the node may do. What to conclude from what it hears is in node-state.ts.
//
// It has no timer of its own: tick() is to be called a few times a second, whoever waits for what.

import type { Clock, Log, Random } from '@skein/host';

import { ReplicationError } from '../errors.ts';
import { newClusterId } from '../lease/cluster-id.ts';
import type { EpochStore, Lease, Leaser } from '../lease/leaser.ts';
import type { PositionMap } from '../ports.ts';
import { isStranger, stranger } from './blockers.ts';
import { ClusterError } from './errors.ts';
import {
  blockersOf,
  firstState,
  type Link,
  type NodeEffect,
  type NodeInput,
  type NodeState,
  roleOf,
  step,
} from './node-state.ts';
import { type ClusterMemory, type ClusterMemoryStore, PeerBook } from './peer-book.ts';
import type { NodeRole, PeerAddress, PeerHello } from './peer.ts';
import { findAhead } from './positions.ts';

/** Asks a node what it is; rejects when it does not say within a second or two. */
export interface PeerProbe {
  ask(url: URL, own: PeerHello, options: { readonly wantsPositions: boolean }): Promise<PeerHello>;
}

export interface ClusterNodeOptions {
  readonly name: string;
  readonly nodeId: bigint;
  /** Where others find this node's API, its proxy, and its SQL over HTTP. */
  readonly url: URL;
  readonly proxyUrl: URL | undefined;
  readonly sqlUrl: URL | undefined;
  /** The name of the primary in the configuration. */
  readonly primary: string;
  /** Where that one may be. */
  readonly primaryUrls: readonly URL[];
  readonly isForced: boolean;
  /** The highest epoch that the node had seen when it started. */
  readonly epoch: number;
}

export interface ClusterNodePorts {
  readonly leaser: Leaser;
  readonly epochs: EpochStore;
  readonly memory: ClusterMemoryStore;
  readonly probe: PeerProbe;
  /** Where the databases of this node stand. */
  readonly positions: () => PositionMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What a node is, for everybody else in the daemon. */
export interface Situation {
  readonly role: NodeRole;
  readonly epoch: number;
  readonly link: Link;
  readonly clusterId: string | undefined;
  /** The peer that is the primary, when this node is not and one is in sight. */
  readonly primary: PeerHello | undefined;
  readonly blockers: readonly ClusterError[];
  /** Peers that were heard of lately. */
  readonly peers: readonly PeerHello[];
}

/** How often a peer is asked: a conflict is noticed, and an end of one, about so fast. */
const ASK_MS = 2_000;
/** While the node waits for an answer to begin its work. */
const ASK_SOON_MS = 500;
/** Several questions that went unanswered. */
const PEER_TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;
/** Nodes that are started together are there by then. */
const AWAIT_MS = 10_000;

export class ClusterNode {
  readonly #options: ClusterNodeOptions;
  readonly #ports: ClusterNodePorts;
  readonly #book: PeerBook;
  readonly #listeners = new Set<(situation: Situation) => void>();
  readonly #askedMs = new Map<string, number>();
  readonly #asking = new Set<string>();
  /** Nodes of other clusters that stand where peers were looked for, by URL. */
  readonly #strangers = new Map<string, ClusterError>();
  /** Of which it was told that they refuse us, by URL, or we them, by id. */
  readonly #refused = new Set<string>();
  #state: NodeState;
  #situation: Situation;
  #lease: Lease | undefined;
  /** Whom this node followed last, unless it has led since. */
  #lastPrimary: PeerAddress | undefined;
  #isRenewing = false;
  #isEnding = false;
  #isStopped = false;

  constructor(options: ClusterNodeOptions, ports: ClusterNodePorts) {
    this.#options = options;
    this.#ports = ports;
    const { leaser, memory, clock } = ports;
    const remembered: ClusterMemory = memory.load() ?? { clusterId: undefined, peers: [] };
    this.#lastPrimary = remembered.lastPrimary;
    const given = leaser.isCandidate
      ? [remembered.lastPrimary?.url].filter((url) => url !== undefined)
      : options.primaryUrls.map(({ href }) => href);
    this.#book = new PeerBook(given, remembered.peers, clock.wallMs());
    this.#book.forget(options.url.href);
    this.#state = firstState({
      settings: {
        name: options.name,
        nodeId: this.#nodeId,
        primary: options.primary,
        clusterId: remembered.clusterId,
        isForced: options.isForced,
        peerTimeoutMs: PEER_TIMEOUT_MS,
        retryMs: RETRY_MS,
        awaitMs: AWAIT_MS,
      },
      isCandidate: leaser.isCandidate,
      epoch: options.epoch,
      known: this.#book.urls,
      lastPrimary: remembered.lastPrimary,
    });
    // What keeps the node is news when time begins.
    this.#situation = { ...this.#describe(), blockers: [] };
  }

  get situation(): Situation {
    return this.#situation;
  }

  /** Called with every change of the situation. Returns what ends that. */
  onChange(listener: (situation: Situation) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What this node tells others. */
  hello(options: { readonly wantsPositions: boolean }): PeerHello {
    const { name, url, proxyUrl, sqlUrl, primary } = this.#options;
    const { role, epoch, clusterId } = this.#situation;
    return {
      name,
      nodeId: this.#nodeId,
      url: url.href,
      proxyUrl: proxyUrl?.href,
      sqlUrl: sqlUrl?.href,
      primary,
      role,
      epoch,
      isEnding: this.#isEnding,
      clusterId,
      peers: this.#book.met.map((peer) => ({ name: peer.name, url: peer.url })),
      positions: options.wantsPositions ? this.#ports.positions() : undefined,
    };
  }

  /** A peer has introduced itself. */
  meet(hello: PeerHello): void {
    this.#hear(hello);
  }

  /** From now on others are told that this node ends. */
  announceEnd(): void {
    this.#isEnding = true;
  }

  /** Asks a node at once what it is and has; undefined: it does not answer. */
  async inquire(url: URL): Promise<PeerHello | undefined> {
    const own = this.hello({ wantsPositions: false });
    try {
      return await this.#ports.probe.ask(url, own, { wantsPositions: true });
    } catch (error) {
      this.#noteSilence(url.href, error);
      return undefined;
    }
  }

  /** The stream from the primary has begun, caught up, or ended. */
  setLink(link: Link): void {
    this.#apply({ kind: 'link', link });
  }

  /** The primary says which cluster this is: to a node that belongs to none yet. */
  adoptClusterId(clusterId: string): void {
    if (this.#state.settings.clusterId !== undefined) return;
    this.#apply({ kind: 'cluster-id', clusterId });
    this.#remember();
  }

  /** Asks who is due to be asked, renews the lease. */
  tick(): void {
    if (this.#isStopped) return;
    this.#apply({ kind: 'tick', known: this.#book.urls });
    for (const url of this.#book.urls) {
      if (this.#isDue(url)) void this.#ask(url);
    }
    const renewMs = this.#lease?.renewMs;
    if (renewMs !== undefined && this.#nowMs >= renewMs && !this.#isRenewing) void this.#renew();
  }

  /** Gives the lease up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#release();
  }

  get #nodeId(): string {
    return this.#options.nodeId.toString(16).padStart(16, '0').toUpperCase();
  }

  get #nowMs(): number {
    return this.#ports.clock.monotonicMs();
  }

  #isDue(url: string): boolean {
    if (this.#asking.has(url)) return false;
    const { phase, link } = this.#state;
    const isWaiting = phase === 'checking' || (phase === 'following' && link === 'none');
    const sinceMs = this.#nowMs - (this.#askedMs.get(url) ?? Number.NEGATIVE_INFINITY);
    return sinceMs >= (isWaiting ? ASK_SOON_MS : ASK_MS);
  }

  async #ask(url: string): Promise<void> {
    this.#asking.add(url);
    this.#askedMs.set(url, this.#nowMs);
    const wantsPositions = this.#state.phase === 'checking';
    try {
      const own = this.hello({ wantsPositions: false });
      const hello = await this.#ports.probe.ask(new URL(url), own, { wantsPositions });
      if (!this.#isStopped) this.#hear(hello, url);
    } catch (error) {
      this.#noteSilence(url, error);
      this.#strangers.delete(url);
      if (!this.#isStopped) this.#apply({ kind: 'silent', url });
    } finally {
      this.#asking.delete(url);
    }
  }

  /** That nobody is there is usual; that somebody refuses is told once. */
  #noteSilence(url: string, error: unknown): void {
    const { log } = this.#ports;
    const isRefusal = error instanceof ReplicationError && !this.#refused.has(url);
    const { message } = error as Error;
    if (!isRefusal) return log.debug('A peer does not say what it is', { url, error: message });
    this.#refused.add(url);
    log.warn('A peer does not say what it is', { url, code: error.code, error: message });
  }

  #hear(hello: PeerHello, url?: string): void {
    const { settings } = this.#state;
    let news: readonly string[] = [];
    if (hello.nodeId === settings.nodeId) {
      if (url !== undefined) this.#book.forget(url);
    } else if (isStranger(settings, hello)) {
      this.#noteStranger(hello, url);
    } else {
      if (url !== undefined) this.#strangers.delete(url);
      if (this.#book.note(hello, this.#ports.clock.wallMs())) this.#remember();
      const others = hello.peers.filter(({ name }) => name !== settings.name);
      news = others.filter((peer) => this.#book.hear(peer)).map((peer) => peer.url);
    }
    const { positions } = hello;
    const comparison =
      positions === undefined
        ? {}
        : { comparison: { aheadIn: findAhead(this.#ports.positions(), positions) } };
    const asked = url === undefined ? {} : { url };
    this.#apply({ kind: 'peer', hello, news, ...asked, ...comparison });
  }

  /** One that comes by itself is told of once; one that was asked, as long as it is there. */
  #noteStranger(hello: PeerHello, url: string | undefined): void {
    const error = stranger(this.#state.settings, hello);
    if (url !== undefined) {
      this.#strangers.set(url, error);
    } else if (!this.#refused.has(hello.nodeId)) {
      this.#refused.add(hello.nodeId);
      this.#ports.log.warn(error.message, { code: error.code, hint: error.hint });
    }
  }

  #apply(input: NodeInput): void {
    const { state, effects } = step(this.#state, input, this.#nowMs);
    this.#state = state;
    this.#announce();
    // After everybody knows: who is fenced stops before it notes the epoch of others.
    for (const effect of effects) void this.#carryOut(effect);
  }

  #announce(): void {
    const before = this.#situation;
    const after = this.#describe();
    this.#situation = after;
    if (keyOf(before) === keyOf(after)) return;
    if (after.primary !== undefined) this.#rememberPrimary(after.primary);
    this.#logChange(before, after);
    for (const listener of this.#listeners) listener(after);
  }

  #logChange(before: Situation, after: Situation): void {
    const { log } = this.#ports;
    const known = new Set(before.blockers.map(({ message }) => message));
    for (const { code, message, hint } of after.blockers) {
      if (known.has(message)) continue;
      if (code === 'PEERS_UNHEARD' || code === 'PRIMARY_AWAITED') log.info(message);
      else log.error(message, { code, hint });
    }
    if (before.role === after.role) return;
    const { role, epoch, primary } = after;
    log.info('The role of this node has changed', { role, epoch, primary: primary?.name });
  }

  #describe(): Situation {
    const { epoch, link, settings, peers } = this.#state;
    const role = roleOf(this.#state);
    const hellos = [...peers.values()].map(({ hello }) => hello);
    const leads = (hello: PeerHello): boolean =>
      hello.name === settings.primary && hello.role === 'primary';
    return {
      role,
      epoch: this.#state.term ?? epoch,
      link,
      clusterId: settings.clusterId,
      primary: role === 'primary' ? undefined : hellos.find(leads),
      blockers: [...blockersOf(this.#state), ...this.#strangers.values()],
      peers: hellos,
    };
  }

  async #carryOut(effect: NodeEffect): Promise<void> {
    try {
      if (effect.kind === 'acquire') await this.#acquire(effect.aboveEpoch);
      else if (effect.kind === 'release') await this.#release();
      else await this.#ports.epochs.raise(effect.epoch);
    } catch (error) {
      const fields = { step: effect.kind, error: (error as Error).message };
      this.#ports.log.error('Cannot change the role of this node', fields);
      if (effect.kind === 'acquire') this.#apply({ kind: 'not-acquired' });
    }
  }

  async #acquire(aboveEpoch: number): Promise<void> {
    const lease = await this.#ports.leaser.acquire(aboveEpoch);
    if (lease === undefined || this.#isStopped) {
      await lease?.release();
      this.#apply({ kind: 'not-acquired' });
      return;
    }
    this.#lease = lease;
    this.#leadAfter(this.#state.awaited?.peer);
    // Nobody may follow a node of no cluster.
    this.adoptClusterId(newClusterId(this.#ports.random));
    this.#apply({ kind: 'acquired', epoch: lease.epoch });
  }

  /** `missed`: who led before, and has not said what it has. */
  #leadAfter(missed: PeerAddress | undefined): void {
    if (missed !== undefined) {
      this.#ports.log.warn('Leads without the node that led before: it was not reached', {
        missing: missed.name,
        url: missed.url,
      });
    }
    this.#lastPrimary = undefined;
    this.#remember();
  }

  #rememberPrimary({ name, url }: PeerHello): void {
    if (this.#lastPrimary?.name === name && this.#lastPrimary.url === url) return;
    this.#lastPrimary = { name, url };
    this.#remember();
  }

  async #renew(): Promise<void> {
    this.#isRenewing = true;
    try {
      await this.#lease?.renew();
    } catch (cause) {
      const error =
        cause instanceof ClusterError
          ? cause
          : new ClusterError('LEASE_LOST', 'The lease could not be renewed', { cause });
      this.#apply({ kind: 'lease-lost', error });
    } finally {
      this.#isRenewing = false;
    }
  }

  async #release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.release();
  }

  #remember(): void {
    const { clusterId } = this.#state.settings;
    const lastPrimary = this.#lastPrimary;
    this.#ports.memory.save({ clusterId, peers: this.#book.met, lastPrimary });
  }
}

/** What others are told of when it differs. */
function keyOf({ role, epoch, link, clusterId, primary, blockers, peers }: Situation): string {
  const why = blockers.map(({ message }) => message);
  const others = peers.map(({ name, url, role: part, epoch: term }) => [name, url, part, term]);
  return JSON.stringify([
    role,
    epoch,
    link,
    clusterId,
    primary?.url,
    primary?.proxyUrl,
    primary?.sqlUrl,
    why,
    others,
  ]);
}
