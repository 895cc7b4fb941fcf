// A cluster in memory: real ClusterNodes, a network that can be cut between any two of them, and a
// clock that stands still between two steps. What a database has is one number per node.

import { setImmediate as nextTurn } from 'node:timers/promises';

import { POSITION_ZERO, toTxid } from '@skein/ltx';
import { RecordingLog, type SeededRandom, SimClock } from '@skein/testkit';

import { StaticLeaser } from '../src/lease/static-leaser.ts';
import { ClusterNode, type PeerProbe } from '../src/node/cluster-node.ts';
import type { ClusterMemory, KnownPeer } from '../src/node/peer-book.ts';
import { formatHello, parseHello, type PeerHello } from '../src/node/peer.ts';
import type { PositionMap } from '../src/ports.ts';

const DATABASE = 'app.db';
const STEP_MS = 100;
/** As long as a probe takes to give up. */
const SILENCE_MS = 1_500;

/** A machine: what of a node survives its end, and the node while it runs. */
export interface Host {
  readonly name: string;
  readonly nodeId: bigint;
  /** The primary in its configuration. */
  primary: string;
  epoch: number;
  txid: bigint;
  memory: ClusterMemory | undefined;
  node: ClusterNode | undefined;
}

interface Delivery {
  readonly dueMs: number;
  readonly run: () => void;
}

export class SimCluster {
  readonly clock: SimClock = new SimClock();
  readonly log: RecordingLog = new RecordingLog();
  readonly hosts: readonly Host[];
  readonly #random: SeededRandom;
  readonly #cuts = new Set<string>();
  #deliveries: Delivery[] = [];

  constructor(random: SeededRandom, names: readonly string[]) {
    this.#random = random;
    this.hosts = names.map((name, index) => ({
      name,
      nodeId: BigInt(index + 1),
      primary: names[0]!,
      epoch: 1,
      txid: 0n,
      memory: undefined,
      node: undefined,
    }));
  }

  host(name: string): Host {
    return this.hosts.find((host) => host.name === name)!;
  }

  get primaries(): readonly Host[] {
    return this.hosts.filter(({ node }) => node?.situation.role === 'primary');
  }

  start(host: Host, options: { readonly isForced?: boolean } = {}): void {
    const primary = { name: host.primary, urls: [urlOf(host.primary)] };
    const epochs = {
      raise: (epoch: number) => {
        host.epoch = Math.max(host.epoch, epoch);
        return Promise.resolve();
      },
    };
    const { name, nodeId } = host;
    host.node = new ClusterNode(
      {
        name,
        nodeId,
        url: urlOf(name),
        proxyUrl: undefined,
        sqlUrl: undefined,
        primary: host.primary,
        primaryUrls: primary.urls,
        isForced: options.isForced ?? false,
        epoch: host.epoch,
      },
      {
        leaser: new StaticLeaser({ name, nodeId, primary, epochs }),
        epochs,
        memory: { load: () => host.memory, save: (memory) => void (host.memory = memory) },
        probe: this.#probeOf(host),
        positions: () => positionsOf(host),
        clock: this.clock,
        random: this.#random,
        log: this.log.with({ node: name }),
      },
    );
  }

  addressesBut(host: Host): readonly KnownPeer[] {
    const others = this.hosts.filter((other) => other !== host);
    const seenMs = this.clock.wallMs();
    return others.map(({ name }) => ({ name, url: urlOf(name).href, seenMs }));
  }

  /** As kill -9 does it. */
  kill(host: Host): void {
    void host.node?.stop();
    host.node = undefined;
  }

  cut(one: Host, other: Host): void {
    this.#cuts.add(pairOf(one, other));
  }

  heal(): void {
    this.#cuts.clear();
  }

  isReachable(one: Host, other: Host): boolean {
    return other.node !== undefined && !this.#cuts.has(pairOf(one, other));
  }

  /** Lets time pass; `check` is called after each step of it. */
  async run(ms: number, check: () => void = () => {}): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      this.clock.advance(STEP_MS);
      for (const host of this.hosts) this.#turn(host);
      const nowMs = this.clock.monotonicMs();
      const due = this.#deliveries.filter(({ dueMs }) => dueMs <= nowMs);
      this.#deliveries = this.#deliveries.filter(({ dueMs }) => dueMs > nowMs);
      for (const { run } of due) run();
      await nextTurn();
      check();
    }
  }

  /** A write where that is possible, and what replication does. */
  #turn(host: Host): void {
    const { node } = host;
    if (node === undefined) return;
    node.tick();
    if (node.situation.role === 'primary') host.txid += 1n;
    if (host.name === host.primary) return;
    const primary = this.host(host.primary);
    const own = node.situation.clusterId;
    const theirs = primary.node?.situation;
    const isSame = own === undefined || own === theirs?.clusterId;
    const isStreaming = this.isReachable(host, primary) && theirs?.role === 'primary' && isSame;
    if (isStreaming) {
      // A node that was ahead heals by a snapshot.
      host.txid = primary.txid;
      const { clusterId } = primary.node!.situation;
      if (clusterId !== undefined) node.adoptClusterId(clusterId);
    }
    node.setLink(isStreaming ? 'caught-up' : 'none');
  }

  #probeOf(asking: Host): PeerProbe {
    return {
      ask: (url, own, { wantsPositions }) => {
        const { promise, resolve, reject } = Promise.withResolvers<PeerHello>();
        const asked = this.host(url.hostname);
        this.#deliver(this.#random.int(0, 300), () => {
          if (!this.isReachable(asking, asked)) {
            this.#deliver(SILENCE_MS, () => reject(new Error('timeout')));
            return;
          }
          asked.node!.meet(parseHello(formatHello(own)));
          const answer = formatHello(asked.node!.hello({ wantsPositions }));
          this.#deliver(this.#random.int(0, 300), () => resolve(parseHello(answer)));
        });
        return promise;
      },
    };
  }

  #deliver(delayMs: number, run: () => void): void {
    this.#deliveries.push({ dueMs: this.clock.monotonicMs() + delayMs, run });
  }
}

function positionsOf({ txid }: Host): PositionMap {
  const { checksum } = POSITION_ZERO;
  return new Map(txid === 0n ? [] : [[DATABASE, { txid: toTxid(txid), checksum }]]);
}

function urlOf(name: string): URL {
  return new URL(`http://${name}/`);
}

function pairOf(one: Host, other: Host): string {
  return [one.name, other.name].sort().join('-');
}
