// Tells applications what their node is, and where its databases stand for readers, as it changes:
// the API's StateControl.
//
// Invariant: whoever follows has had every change up to the number of the last line that it got.

import type { Clock } from '@skein/host';
import { formatTxid } from '@skein/ltx';

import { EventHub, type Subscriber } from '../api/events.ts';
import type { StateControl, StateLine, StatePosition } from '../api/state-routes.ts';
import type { ProxyFeed } from './proxy/proxy-thread.ts';

/** All of a line but its number and the positions. */
export type NodeDescription = Omit<StateLine, 'seq' | 'positions'>;

export interface StateFeedOptions {
  /** Where the databases stand; the proxy is told the same. */
  readonly feed: Pick<ProxyFeed, 'epoch' | 'positions' | 'refresh' | 'onChange'>;
  readonly describe: () => NodeDescription;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Commits come by the thousand: who follows is told of those of so long together. */
const PAUSE_MS = 5;
/** Who hears nothing for longer takes the node for gone; and the lag grows by itself. */
const PULSE_MS = 1_000;

export class StateFeed implements StateControl {
  readonly hub: EventHub<StateLine> = new EventHub();
  readonly #options: StateFeedOptions;
  readonly #told = new Map<string, StatePosition>();
  readonly #pulse: NodeJS.Timeout;
  #seq = 0;
  #pushedMs = Number.NEGATIVE_INFINITY;
  #isChanged = false;

  constructor(options: StateFeedOptions) {
    this.#options = options;
    options.feed.onChange(() => this.#changed());
    this.#pulse = setInterval(() => this.#pushToFollowers(), PULSE_MS);
    this.#pulse.unref();
  }

  now(): StateLine {
    this.#push();
    return this.#line(Object.fromEntries(this.#told));
  }

  follow(subscriber: Subscriber): () => void {
    return this.hub.subscribe(subscriber, this.now());
  }

  async settled(): Promise<number> {
    await this.#options.feed.refresh();
    this.#push();
    return this.#seq;
  }

  close(): void {
    clearInterval(this.#pulse);
    this.hub.close();
  }

  #changed(): void {
    if (this.#isChanged || this.hub.subscriberCount === 0) return;
    this.#isChanged = true;
    const waitedMs = this.#options.clock.monotonicMs() - this.#pushedMs;
    if (waitedMs >= PAUSE_MS) setImmediate(() => this.#pushToFollowers());
    else setTimeout(() => this.#pushToFollowers(), PAUSE_MS - waitedMs);
  }

  #pushToFollowers(): void {
    if (this.hub.subscriberCount > 0) this.#push();
    this.#isChanged = false;
  }

  #push(): void {
    this.#isChanged = false;
    this.#pushedMs = this.#options.clock.monotonicMs();
    const moved = this.#takeMoved();
    this.#seq += 1;
    this.hub.publish(this.#line(moved));
  }

  #takeMoved(): Record<string, StatePosition | null> {
    const { feed } = this.#options;
    const { epoch } = feed;
    const moved: Record<string, StatePosition | null> = {};
    const actual = feed.positions();
    for (const [database, position] of actual) {
      const txid = formatTxid(position.txid);
      const told = this.#told.get(database);
      if (told?.txid === txid && told.epoch === epoch) continue;
      moved[database] = { epoch, txid };
      this.#told.set(database, moved[database]);
    }
    for (const database of this.#told.keys()) {
      if (actual.has(database)) continue;
      this.#told.delete(database);
      moved[database] = null;
    }
    return moved;
  }

  #line(positions: StateLine['positions']): StateLine {
    return { seq: this.#seq, ...this.#options.describe(), positions };
  }
}
