// The gateway of a reader to its object store, with its cache on the local disk: DuckLake's data
// path is overridden by its URL. One gateway has its folder for itself.

import { join } from 'node:path';

import { type Clock, type Log, type Random, systemClock, systemRandom } from '@skein/host';

import type { S3Settings } from '../engine/ports.ts';
import { BlockCache } from './block-cache.ts';
import { lockFolder } from './folder-lock.ts';
import { startGatewayServer } from './gateway-server.ts';
import { endpointOf, parseObjectPath } from './object-location.ts';
import { ObjectReader } from './object-reader.ts';
import { S3Source, type SourceLimits } from './object-source.ts';

export interface GatewayConfig {
  readonly s3: S3Settings;
  /** `s3://bucket/prefix/`, as the writer has it. */
  readonly dataPath: string;
  readonly cacheFolder: string;
  readonly cacheBytesMax: number;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<SourceLimits>;
}

export interface GatewayStats {
  /** Bytes that DuckDB was given, from the cache or not. */
  readonly servedBytes: number;
  /** Bytes that came from the store. */
  readonly fetchedBytes: number;
  /** Of blocks. */
  readonly hitCount: number;
  readonly missCount: number;
  readonly cachedBytes: number;
  readonly cachedBlocks: number;
  readonly evictedCount: number;
  /** Blocks on the disk that were not as they were written. */
  readonly damagedCount: number;
}

export interface Gateway {
  /** For `readDataPath` of the engine; files' names begin with it, also where clients see them. */
  readonly url: string;
  /** A secret: who has it can read the objects of the lake. */
  readonly token: string;
  stats(): GatewayStats;
  close(): Promise<void>;
}

const TOKEN_BYTES = 32;

/** Throws StoreError. */
export async function startGateway(config: GatewayConfig): Promise<Gateway> {
  const { s3, dataPath, cacheFolder, cacheBytesMax, log, clock = systemClock, limits } = config;
  const { bucket, prefix } = parseObjectPath(dataPath);
  const unlock = lockFolder(cacheFolder, "the gateway's cache");
  try {
    const folder = join(cacheFolder, 'blocks');
    const cache = await BlockCache.open({ folder, maxBytes: cacheBytesMax, log });
    const source = new S3Source({ s3, bucket, log, clock, ...(limits && { limits }) });
    const storeName = `${endpointOf(s3).href}\n${bucket}`;
    const reader = new ObjectReader({ source, cache, storeName, clock, log });
    const token = tokenOf(config);
    const server = await startGatewayServer({ reader, prefix, token, log });
    const close = async (): Promise<void> => {
      await server.close();
      source.close();
      await cache.close();
      unlock();
    };
    let closing: Promise<void> | undefined;
    return {
      url: server.url,
      token,
      stats: () => statsOf(reader, cache),
      close: () => (closing ??= close()),
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

function tokenOf({ random = systemRandom }: GatewayConfig): string {
  const bytes = Buffer.alloc(TOKEN_BYTES);
  random.fill(bytes);
  return bytes.toString('hex');
}

function statsOf(reader: ObjectReader, cache: BlockCache): GatewayStats {
  const { blockCount, bytes, evictedCount, damagedCount } = cache.figures;
  const figures = { cachedBlocks: blockCount, cachedBytes: bytes, evictedCount, damagedCount };
  return { ...reader.figures, ...figures };
}
