// What is new about a node since whoever follows it was last told: of positions, only those that
// moved.

import type { Position } from '@skein/ltx';

export interface PositionFeed {
  readonly epoch: number;
  positions(): ReadonlyMap<string, Position>;
}

/** Where a database stands, with the epoch that says which history is meant. */
export interface EpochPosition {
  readonly epoch: number;
  readonly txid: bigint;
}

/** Undefined: the database is gone. */
export type MovedPosition = readonly [database: string, position: EpochPosition | undefined];

export class FeedChanges {
  readonly #feed: PositionFeed;
  readonly #told = new Map<string, EpochPosition>();

  constructor(feed: PositionFeed) {
    this.#feed = feed;
  }

  /** What moved since the last call; at first, all. */
  take(): readonly MovedPosition[] {
    const { epoch } = this.#feed;
    const moved: MovedPosition[] = [];
    const actual = this.#feed.positions();
    for (const [name, { txid }] of actual) {
      const told = this.#told.get(name);
      if (told?.txid === txid && told.epoch === epoch) continue;
      const position = { epoch, txid };
      this.#told.set(name, position);
      moved.push([name, position]);
    }
    for (const name of this.#told.keys()) {
      if (actual.has(name)) continue;
      this.#told.delete(name);
      moved.push([name, undefined]);
    }
    return moved;
  }
}
