// Objects by way of the cache: cut into blocks, each fetched at most once at a time, however many
// ask for it, and blocks in a row with one request.
//
// Invariant: what is read is of one content of the object, known by ETag and length, from the first
// byte to the last. When the object has changed meanwhile, the reading fails and is begun again.

import { assert } from '@skein/bytes';
import type { Clock, Log } from '@skein/host';

import { type BlockCache, type BlockName, contentName } from './block-cache.ts';
import { type ObjectInfo, type ObjectSource, SourceError } from './object-source.ts';

export interface ObjectReaderOptions {
  readonly source: ObjectSource;
  readonly cache: BlockCache;
  /** Names the store: two of them may have the same keys. */
  readonly storeName: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ReaderFigures {
  /** Bytes that were given out, from the cache or not. */
  readonly servedBytes: number;
  readonly fetchedBytes: number;
  readonly hitCount: number;
  readonly missCount: number;
}

/** A round trip to a store takes as long as a megabyte; footers and small columns need less. */
const BLOCK_BYTES = 1024 * 1024;
/** Of one request to the store. */
const RUN_BLOCKS_MAX = 4;
/** Blocks that are fetched before a reader comes to them. */
const AHEAD_BLOCKS = 8;
/** What is known of an object is asked for again after this time, beside the reading. */
const INFO_FRESH_MS = 300_000;
/** Objects of which something is known; each takes some 300 bytes. */
const INFO_COUNT_MAX = 100_000;

interface KnownInfo {
  readonly info: ObjectInfo;
  askedMs: number;
}

export class ObjectReader {
  readonly #options: ObjectReaderOptions;
  readonly #infos = new Map<string, KnownInfo>();
  readonly #asking = new Map<string, Promise<ObjectInfo | undefined>>();
  /** Blocks that are on their way or being written, by content and index. */
  readonly #fetching = new Map<string, Promise<Buffer>>();
  #servedBytes = 0;
  #fetchedBytes = 0;
  #hitCount = 0;
  #missCount = 0;

  constructor(options: ObjectReaderOptions) {
    this.#options = options;
  }

  get figures(): ReaderFigures {
    return {
      servedBytes: this.#servedBytes,
      fetchedBytes: this.#fetchedBytes,
      hitCount: this.#hitCount,
      missCount: this.#missCount,
    };
  }

  /** Undefined: there is no such object. Throws SourceError. */
  async maybeStat(key: string): Promise<ObjectInfo | undefined> {
    const known = this.#infos.get(key);
    if (known === undefined) return this.#ask(key);
    const now = this.#options.clock.monotonicMs();
    if (now - known.askedMs > INFO_FRESH_MS) {
      known.askedMs = now;
      // Objects of a lake do not change. That one is gone shows a little later.
      void this.#ask(key).catch((error: unknown) => {
        this.#options.log.warn('What is known of an object is old', { key, error: String(error) });
      });
    }
    return known.info;
  }

  /** Bytes from `start` up to and without `end`. Throws SourceError. */
  async *read(info: ObjectInfo, start: number, end: number): AsyncIterable<Buffer> {
    assert(start < end && end <= info.sizeBytes, 'Reads beyond an object');
    const reading = new Reading(info, this.#contentOf(info), Math.ceil(end / BLOCK_BYTES) - 1);
    for (let at = start; at < end;) {
      const index = Math.floor(at / BLOCK_BYTES);
      const blockStart = index * BLOCK_BYTES;
      const from = at - blockStart;
      const to = Math.min(end - blockStart, BLOCK_BYTES);
      const bytes = await this.#readBlock(reading, index, from, to);
      at += bytes.length;
      this.#servedBytes += bytes.length;
      yield bytes;
    }
  }

  /** A block that is gone or damaged since it was looked for is fetched. */
  async #readBlock(reading: Reading, index: number, from: number, to: number): Promise<Buffer> {
    this.#fetchAhead(reading, index);
    const cached = reading.blocks.has(index)
      ? undefined
      : await this.#options.cache.maybeRead(reading.name(index), from, to);
    if (cached !== undefined) {
      this.#hitCount += 1;
      return cached;
    }
    this.#missCount += 1;
    if (!reading.blocks.has(index)) this.#fetchRun(reading, index, index + 1);
    const whole = await this.#take(reading, index);
    return whole.subarray(from, to);
  }

  async #take(reading: Reading, index: number): Promise<Buffer> {
    const block = reading.blocks.get(index);
    assert(block !== undefined, 'Takes a block that nobody fetches');
    reading.blocks.delete(index);
    try {
      return await block;
    } catch (error) {
      if (error instanceof SourceError && error.failure === 'changed') {
        this.#infos.delete(reading.info.key);
      }
      throw error;
    }
  }

  /** Begins to fetch what is missing from `index` on, in runs. */
  #fetchAhead(reading: Reading, index: number): void {
    const lastIndex = Math.min(reading.lastIndex, index + AHEAD_BLOCKS - 1);
    let next = Math.max(index, reading.aheadIndex);
    while (next <= lastIndex) {
      const name = reading.name(next);
      const underWay = this.#fetching.get(keyOf(name));
      if (underWay !== undefined) reading.blocks.set(next, underWay);
      if (underWay !== undefined || this.#options.cache.has(name)) {
        next += 1;
        continue;
      }
      const end = this.#runEnd(reading, next, lastIndex);
      this.#fetchRun(reading, next, end);
      next = end;
    }
    reading.aheadIndex = next;
  }

  /** Where the blocks end that are missing in a row. */
  #runEnd(reading: Reading, first: number, lastIndex: number): number {
    let end = first + 1;
    while (end <= lastIndex && end - first < RUN_BLOCKS_MAX) {
      const name = reading.name(end);
      if (this.#fetching.has(keyOf(name)) || this.#options.cache.has(name)) break;
      end += 1;
    }
    return end;
  }

  /** One request for the blocks from `first` up to and without `end`. */
  #fetchRun(reading: Reading, first: number, end: number): void {
    const waiting = Array.from({ length: end - first }, (_, offset) => {
      const key = keyOf(reading.name(first + offset));
      const block = Promise.withResolvers<Buffer>();
      // Nobody may come for it.
      block.promise.catch(() => undefined);
      this.#fetching.set(key, block.promise);
      reading.blocks.set(first + offset, block.promise);
      return { key, block, name: reading.name(first + offset) };
    });
    void this.#runFetch(reading.info, first, waiting).catch((error: unknown) => {
      for (const { key, block } of waiting) {
        this.#fetching.delete(key);
        block.reject(error);
      }
    });
  }

  async #runFetch(info: ObjectInfo, first: number, waiting: readonly WaitedBlock[]): Promise<void> {
    const start = first * BLOCK_BYTES;
    const end = Math.min(start + waiting.length * BLOCK_BYTES, info.sizeBytes);
    const cutter = new BlockCutter(
      waiting.map((_, offset) => Math.min(BLOCK_BYTES, end - start - offset * BLOCK_BYTES)),
    );
    let index = 0;
    for await (const piece of this.#options.source.read(info, start, end)) {
      this.#fetchedBytes += piece.length;
      for (const content of cutter.push(piece)) {
        this.#arrived(waiting[index]!, content);
        index += 1;
      }
    }
    assert(index === waiting.length, 'A store has given less than its source says');
  }

  #arrived({ key, block, name }: WaitedBlock, content: Buffer): void {
    block.resolve(content);
    // Until it is in the cache, who asks for it gets it from here.
    void this.#options.cache.put(name, content).finally(() => this.#fetching.delete(key));
  }

  async #ask(key: string): Promise<ObjectInfo | undefined> {
    const underWay = this.#asking.get(key);
    if (underWay !== undefined) return underWay;
    const asked = this.#options.source.maybeStat(key);
    this.#asking.set(key, asked);
    try {
      const info = await asked;
      this.#infos.delete(key);
      if (info === undefined) return undefined;
      const [oldest] = this.#infos.keys();
      if (this.#infos.size >= INFO_COUNT_MAX) this.#infos.delete(oldest!);
      this.#infos.set(key, { info, askedMs: this.#options.clock.monotonicMs() });
      return info;
    } finally {
      this.#asking.delete(key);
    }
  }

  #contentOf({ key, etag, sizeBytes }: ObjectInfo): string {
    return contentName(this.#options.storeName, key, etag, sizeBytes);
  }
}

interface WaitedBlock {
  readonly key: string;
  readonly name: BlockName;
  readonly block: PromiseWithResolvers<Buffer>;
}

/** What one reader waits for. */
class Reading {
  readonly info: ObjectInfo;
  readonly lastIndex: number;
  /** Blocks that are on their way to it, by index. */
  readonly blocks = new Map<number, Promise<Buffer>>();
  /** Everything before this was looked for. */
  aheadIndex = 0;
  readonly #content: string;

  constructor(info: ObjectInfo, content: string, lastIndex: number) {
    this.info = info;
    this.lastIndex = lastIndex;
    this.#content = content;
  }

  name(index: number): BlockName {
    return { content: this.#content, index };
  }
}

/** Cuts a stream into blocks of the lengths that are given. */
class BlockCutter {
  readonly #lengths: readonly number[];
  #index = 0;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(lengths: readonly number[]) {
    this.#lengths = lengths;
  }

  *push(piece: Buffer): Iterable<Buffer> {
    let rest = piece;
    while (rest.length > 0) {
      const wanted = this.#lengths[this.#index];
      assert(wanted !== undefined, 'A store gives more than was asked for');
      const taken = rest.subarray(0, wanted - this.#length);
      rest = rest.subarray(taken.length);
      this.#pieces.push(taken);
      this.#length += taken.length;
      if (this.#length < wanted) return;
      yield Buffer.concat(this.#pieces);
      this.#index += 1;
      this.#pieces = [];
      this.#length = 0;
    }
  }
}

function keyOf({ content, index }: BlockName): string {
  return `${content}-${index}`;
}
