// The addresses of the other nodes: those that the configuration gives, those that have introduced
// themselves, those that others tell of. Remembered across restarts, so that a node that is to lead
// finds its peers although no configuration lists them.

import type { PeerAddress } from './peer.ts';
import { PEER_COUNT_MAX } from './peer.ts';

export interface KnownPeer extends PeerAddress {
  /** When it last said something, by the wall clock. */
  readonly seenMs: number;
}

/** What a node remembers of its cluster. */
export interface ClusterMemory {
  readonly clusterId: string | undefined;
  readonly peers: readonly KnownPeer[];
  /** Whom the node followed last, unless it has led since. */
  readonly lastPrimary?: PeerAddress | undefined;
}

/** Where it is kept; what is written replaces what was there, durably. */
export interface ClusterMemoryStore {
  /** Undefined: nothing was ever kept, or it is damaged. */
  load(): ClusterMemory | undefined;
  save(memory: ClusterMemory): void;
}

/** A node that was silent for so long has been taken away. */
const FORGET_MS = 7 * 86_400_000;
/** The time of the last word is kept this exactly: a file is not written for each word. */
const SEEN_STEP_MS = 3_600_000;

export class PeerBook {
  readonly #byUrl = new Map<string, KnownPeer>();
  /** Given by configuration: they have no name yet and are never forgotten. */
  readonly #given: readonly string[];

  constructor(given: readonly string[], remembered: readonly KnownPeer[], nowMs: number) {
    this.#given = given;
    const recent = remembered.filter(({ seenMs }) => nowMs - seenMs < FORGET_MS);
    for (const peer of recent.slice(0, PEER_COUNT_MAX)) this.#byUrl.set(peer.url, peer);
  }

  /** Everywhere where a peer may be. */
  get urls(): readonly string[] {
    return [...new Set([...this.#given, ...this.#byUrl.keys()])];
  }

  /** Those that have ever said something. */
  get met(): readonly KnownPeer[] {
    return this.#all.filter(({ seenMs }) => seenMs > 0);
  }

  /** Returns whether it is worth to be remembered anew. */
  note({ name, url }: PeerAddress, nowMs: number): boolean {
    const before = this.#byUrl.get(url);
    const isNews = before?.name !== name || nowMs - before.seenMs >= SEEN_STEP_MS;
    if (!isNews) return false;
    // A node that has moved is not at its old address any more.
    for (const peer of this.#all) if (peer.name === name) this.#byUrl.delete(peer.url);
    this.#byUrl.delete(url);
    if (this.#byUrl.size >= PEER_COUNT_MAX) this.#forgetOldest();
    this.#byUrl.set(url, { name, url, seenMs: nowMs });
    return true;
  }

  /**
   * Somebody tells of a node: it is to be asked, and is remembered when it answers. Returns whether
   * that is news.
   */
  hear({ name, url }: PeerAddress): boolean {
    if (this.#byUrl.has(url) || this.#byUrl.size >= PEER_COUNT_MAX) return false;
    if (this.#all.some((peer) => peer.name === name)) return false;
    this.#byUrl.set(url, { name, url, seenMs: 0 });
    return true;
  }

  forget(url: string): void {
    this.#byUrl.delete(url);
  }

  get #all(): readonly KnownPeer[] {
    return [...this.#byUrl.values()];
  }

  #forgetOldest(): void {
    const [oldest] = this.#all.toSorted((a, b) => a.seenMs - b.seenMs);
    if (oldest !== undefined) this.#byUrl.delete(oldest.url);
  }
}
