// Blocks of objects on a local disk, bounded: the one that was used longest ago goes first. What is
// in it may be lost at any time; what it gives is what was put in.
//
// Invariant: the index never counts less than what is on the disk, but for files that are just
// being written; a block that this process has not written is checked before it is used.

import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Log } from '@skein/host';

import {
  BLOCK_OVERHEAD_BYTES,
  maybeReadPart,
  maybeReadWhole,
  TEMPORARY_ENDING,
  writeBlock,
} from './block-file.ts';

export interface BlockCacheOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly log: Log;
}

/** Which block: of this content of an object, by number. */
export interface BlockName {
  /** Names store, key, ETag and length. */
  readonly content: string;
  readonly index: number;
}

export interface BlockCacheFigures {
  readonly blockCount: number;
  readonly bytes: number;
  readonly evictedCount: number;
  readonly damagedCount: number;
}

interface Entry {
  readonly sizeBytes: number;
  /** A block that an earlier process has written is compared with its checksum once. */
  state: 'writing' | 'unchecked' | 'checked';
}

interface FoundBlock {
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly writtenMs: number;
}

const HASH_LENGTH = 40;
const SHARD_LENGTH = 2;
const FILE_NAME = /^[0-9a-f]{40}-\d{1,9}$/;

export class BlockCache {
  readonly #options: BlockCacheOptions;
  /** By file name; the one used longest ago is first. */
  readonly #entries = new Map<string, Entry>();
  readonly #shards = new Set<string>();
  #bytes = 0;
  #evictedCount = 0;
  #damagedCount = 0;
  #hasWarned = false;
  #isClosed = false;
  readonly #writing = new Set<Promise<void>>();

  private constructor(options: BlockCacheOptions) {
    this.#options = options;
  }

  /** Finds what an earlier process has left. */
  static async open(options: BlockCacheOptions): Promise<BlockCache> {
    const cache = new BlockCache(options);
    await cache.#load();
    await cache.#shrink();
    return cache;
  }

  get figures(): BlockCacheFigures {
    return {
      blockCount: this.#entries.size,
      bytes: this.#bytes,
      evictedCount: this.#evictedCount,
      damagedCount: this.#damagedCount,
    };
  }

  has(name: BlockName): boolean {
    return this.#entries.has(fileNameOf(name));
  }

  /** Bytes `start` up to and without `end` of a block; undefined when it has to be fetched. */
  async maybeRead(name: BlockName, start: number, end: number): Promise<Buffer | undefined> {
    const fileName = fileNameOf(name);
    const entry = this.#entries.get(fileName);
    if (entry === undefined || entry.state === 'writing') return undefined;
    this.#entries.delete(fileName);
    this.#entries.set(fileName, entry);
    const path = this.#pathOf(fileName);
    const bytes =
      entry.state === 'checked'
        ? await maybeReadPart(path, start, end)
        : (await this.#maybeReadUnchecked(path, entry))?.subarray(start, end);
    if (bytes?.length === end - start) return bytes;
    // Evicted meanwhile, or not as it was written.
    if (this.#entries.get(fileName) === entry) {
      this.#damagedCount += 1;
      await this.#drop(fileName);
    }
    return undefined;
  }

  /** A disk that cannot take it costs speed, nothing else. */
  async put(name: BlockName, content: Buffer): Promise<void> {
    const fileName = fileNameOf(name);
    const sizeBytes = content.length + BLOCK_OVERHEAD_BYTES;
    const isTooLarge = sizeBytes > this.#options.maxBytes;
    if (this.#isClosed || isTooLarge || this.#entries.has(fileName)) return;
    const written = this.#write(fileName, content, sizeBytes);
    this.#writing.add(written);
    await written;
    this.#writing.delete(written);
  }

  /** Nothing is written any more when this resolves: the folder can be another's. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#writing);
  }

  async #write(fileName: string, content: Buffer, sizeBytes: number): Promise<void> {
    const entry: Entry = { sizeBytes, state: 'writing' };
    this.#add(fileName, entry);
    try {
      await this.#shrink();
      await this.#makeShard(fileName.slice(0, SHARD_LENGTH));
      await writeBlock(this.#pathOf(fileName), content);
      entry.state = 'checked';
    } catch (error) {
      await this.#drop(fileName);
      this.#warnOnce(error);
    }
    // It was evicted before it was there.
    if (this.#entries.get(fileName) !== entry) await rm(this.#pathOf(fileName), { force: true });
  }

  #add(fileName: string, entry: Entry): void {
    this.#entries.set(fileName, entry);
    this.#bytes += entry.sizeBytes;
  }

  async #maybeReadUnchecked(path: string, entry: Entry): Promise<Buffer | undefined> {
    const whole = await maybeReadWhole(path);
    if (whole !== undefined) entry.state = 'checked';
    return whole;
  }

  /** Within the bound when it returns; resolves when the files are gone too. */
  async #shrink(): Promise<void> {
    const gone: Promise<void>[] = [];
    while (this.#bytes > this.#options.maxBytes) {
      const [oldest] = this.#entries.keys();
      gone.push(this.#drop(oldest!));
      this.#evictedCount += 1;
    }
    await Promise.all(gone);
  }

  async #drop(fileName: string): Promise<void> {
    const entry = this.#entries.get(fileName);
    if (entry === undefined) return;
    this.#entries.delete(fileName);
    this.#bytes -= entry.sizeBytes;
    await rm(this.#pathOf(fileName), { force: true });
  }

  async #makeShard(shard: string): Promise<void> {
    if (this.#shards.has(shard)) return;
    await mkdir(join(this.#options.folder, shard), { recursive: true });
    this.#shards.add(shard);
  }

  async #load(): Promise<void> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true });
    const found: FoundBlock[] = [];
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const file of files) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      if (file.name.endsWith(TEMPORARY_ENDING)) await rm(path, { force: true });
      if (!FILE_NAME.test(file.name)) continue;
      const { size, mtimeMs } = await stat(path);
      found.push({ fileName: file.name, sizeBytes: size, writtenMs: mtimeMs });
    }
    found.sort((a, b) => a.writtenMs - b.writtenMs);
    for (const { fileName, sizeBytes } of found) {
      this.#add(fileName, { sizeBytes, state: 'unchecked' });
    }
  }

  #pathOf(fileName: string): string {
    return join(this.#options.folder, fileName.slice(0, SHARD_LENGTH), fileName);
  }

  #warnOnce(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const { folder, log } = this.#options;
    log.warn('The cache of objects cannot be written', { folder, error: String(error) });
  }
}

/** The name of a content in the cache; parts of it contain no line breaks. */
export function contentName(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, HASH_LENGTH);
}

function fileNameOf({ content, index }: BlockName): string {
  return `${content}-${index}`;
}
