// Everything that `skein mount` can be told, with nothing left open: what load-config.ts makes of
// defaults, a file and flags.

import type { LogFormat, LogLevel } from '@skein/host';

import type { ClusterConfig, ProxyConfig } from './cluster-config.ts';
import type { SqlConfig } from './sql-config.ts';

export interface MountConfig {
  /** Absolute. */
  readonly mountpoint: string;
  /** Absolute. */
  readonly dataFolder: string;
  /** Lets other users in. */
  readonly allowOther: boolean;
  /** Whether the kernel reads and writes journals by itself, where it can. */
  readonly passthrough: 'auto' | 'off';
  /** Whether idle CPUs are kept awake while requests come; auto: where waking them is dear. */
  readonly stayAwake: 'auto' | 'on' | 'off';
  /** The CPU that serves the mount; undefined: wherever the scheduler puts it. */
  readonly pinCpu: number | undefined;

  /** Segments of the log are kept this long, for those who follow it, or may do so again. */
  readonly retentionMs: number;
  /** But no more than this, unless the node itself needs it to start. */
  readonly retentionBytesMax: number;
  readonly segmentBytes: number;
  /** Memory for uncommitted pages of all databases; what is more goes to scratch files. */
  readonly overlayBytes: number;
  /** After this much in the log the databases are brought up to date. */
  readonly checkpointBytes: number;
  /** A replica whose WAL a reader keeps from being emptied waits when it is so large. */
  readonly replicaWalBytesMax: number;

  /** The API over TCP; undefined: only over the socket in the data folder. */
  readonly http: HttpConfig | undefined;
  /** Undefined: the node is alone. */
  readonly cluster: ClusterConfig | undefined;
  /** The door in front of the app; undefined: there is none. */
  readonly proxy: ProxyConfig | undefined;
  /** SQL over HTTP; undefined: there is none. */
  readonly sql: SqlConfig | undefined;
  /**
   * Programs with their arguments. All but the last run to their end before it starts; the node
   * lives as long as the last.
   */
  readonly exec: readonly ExecCommand[];
  readonly log: LogConfig;
}

export interface HttpConfig {
  /** A name or an address; empty: all interfaces. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What callers have to show; undefined: nothing. */
  readonly secret: string | undefined;
  /** Serves beyond this machine although there is no secret. */
  readonly isInsecure: boolean;
}

export type ExecCommand = readonly [program: string, ...args: string[]];

export interface LogConfig {
  readonly format: LogFormat;
  /** The least level that is written. */
  readonly level: LogLevel;
}
