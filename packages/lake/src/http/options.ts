// What the HTTP side of the lake is made from.

import type { Clock, Log, Metrics } from '@skein/host';

import type { LakeEngine } from '../engine/ports.ts';
import type { AccessPolicy } from './access.ts';

export interface LakeHttpOptions {
  readonly engine: LakeEngine;
  /** What ingresses are told; undefined: there is no cluster. */
  readonly nodeName?: string | undefined;
  readonly access: AccessPolicy;
  /** Sites whose pages may write where writes need no password; `*` for all. */
  readonly allowOrigins: readonly string[];
  /** Of answers to GET that may be stored. */
  readonly cacheControl: string;
  /** For uploads and Parquet results, of this process alone. */
  readonly scratchFolder: string;
  /** Of the web page; undefined: there is none. */
  readonly pageFolder?: string | undefined;
  readonly limits: HttpLimits;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The text of /metrics. */
  readonly readMetrics: () => string;
  readonly clock: Clock;
}

export interface HttpLimits {
  /** Queries that run at once; the engine has as many connections. */
  readonly queriesAtOnce: number;
  /** Queries that wait for their turn. */
  readonly queriesWaiting: number;
  /** Writes and uploads that are taken in; the engine does one after the other. */
  readonly writesAtOnce: number;
  /** A query may take so long, with its wait. */
  readonly queryMs: number;
  /** A client may wait so long for a position that this node does not have yet. */
  readonly positionMs: number;
  /** A client that neither sends nor reads for so long is given up. */
  readonly stallMs: number;
  /** The SQL of a request with its parameters. */
  readonly queryBytes: number;
  readonly uploadBytes: number;
  /** Results that are kept in memory; 0 for none. */
  readonly cacheBytes: number;
  readonly connections: number;
  /** Requests under way have so long when the server ends. */
  readonly closeMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  queriesAtOnce: 8,
  queriesWaiting: 128,
  writesAtOnce: 256,
  queryMs: 300_000,
  positionMs: 5_000,
  stallMs: 60_000,
  queryBytes: 16 * 1024 * 1024,
  // Seafowl's default.
  uploadBytes: 256 * 1024 * 1024,
  cacheBytes: 64 * 1024 * 1024,
  connections: 1024,
  closeMs: 5_000,
};

/** Seafowl's default: half a day, for everybody. */
export const DEFAULT_CACHE_CONTROL = 'max-age=43200, public';
