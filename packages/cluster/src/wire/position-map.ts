// The position map: where a replica stands, the body of its request (LiteFS's format).
//
//   0  4  number of databases
//   then of each: u32 length of the name, name, u64 TXID, u64 checksum
//
// The decoder takes exactly the map: what a replica of Skein sends after it is left in the feed.

import { type ByteFeed, readU32be } from '@skein/bytes';
import type { Position } from '@skein/ltx';

import type { PositionMap } from '../ports.ts';
import {
  malformed,
  overLimit,
  POSITION_BYTES,
  readLength,
  readName,
  readPosition,
} from './fields.ts';
import { DATABASE_COUNT_MAX, NAME_BYTES_MAX } from './limits.ts';

export class PositionMapDecoder {
  readonly #feed: ByteFeed;
  readonly #positions = new Map<string, Position>();
  #missing: number | undefined;

  constructor(feed: ByteFeed) {
    this.#feed = feed;
  }

  /** The map, when all of it has come. Throws ReplicationError. */
  next(): PositionMap | undefined {
    this.#missing ??= this.#maybeReadCount();
    if (this.#missing === undefined) return undefined;
    while (this.#missing > 0 && this.#readEntry()) this.#missing -= 1;
    return this.#missing === 0 ? this.#positions : undefined;
  }

  #maybeReadCount(): number | undefined {
    const feed = this.#feed;
    if (!feed.take(4)) return undefined;
    const count = readU32be(feed.bytes, feed.start);
    if (count > DATABASE_COUNT_MAX)
      throw overLimit('a number of databases', count, DATABASE_COUNT_MAX);
    return count;
  }

  #readEntry(): boolean {
    const feed = this.#feed;
    if (!feed.peek(4)) return false;
    const length = readLength(feed.bytes, feed.start, NAME_BYTES_MAX);
    if (!feed.take(4 + length + POSITION_BYTES)) return false;
    const nameEnd = feed.start + 4 + length;
    const name = readName(feed.bytes, feed.start + 4, nameEnd);
    if (this.#positions.has(name)) throw malformed('a database is in the map twice');
    this.#positions.set(name, readPosition(feed.bytes, nameEnd));
    return true;
  }
}
