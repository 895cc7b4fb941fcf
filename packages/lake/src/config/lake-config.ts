// The configuration of a lake as the program uses it: everything has a value, paths are absolute.

import { resolve } from 'node:path';

import type { LogFormat, LogLevel } from '@skein/host';

import type { ExternalTablePolicy, MaintenancePolicy, S3Settings } from '../engine/ports.ts';
import type { AccessPolicy } from '../http/access.ts';
import { DEFAULT_CACHE_CONTROL, DEFAULT_LIMITS, type HttpLimits } from '../http/options.ts';
import type { Address } from '../http/listening.ts';
import type { Draft } from './draft.ts';
import type { LakeConfigProblem } from './errors.ts';
import type { LakeSettings } from './lake-schema.ts';

export interface LakeConfig {
  readonly catalogPath: string;
  /** The data folder of the Skein node whose mount has the catalog; undefined: a plain file. */
  readonly nodeFolder: string | undefined;
  readonly isReadOnly: boolean;
  /** An absolute folder, or `s3://bucket/prefix/`. */
  readonly dataPath: string;
  readonly s3: S3Settings | undefined;
  readonly cacheFolder: string;
  readonly cacheBytes: number;
  readonly address: Address;
  readonly access: AccessPolicy;
  readonly allowOrigins: readonly string[];
  readonly cacheControl: string;
  /** Of the web page; undefined: the one that is installed, if any. */
  readonly pageFolder: string | undefined;
  readonly metricsAddress: Address | undefined;
  readonly limits: HttpLimits;
  readonly memoryLimit: string | undefined;
  readonly threads: number | undefined;
  readonly scratchFolder: string;
  readonly extensionsFolder: string | undefined;
  readonly exportFolder: string | undefined;
  readonly isConfined: boolean;
  readonly external: ExternalTablePolicy;
  readonly maintenance: MaintenancePolicy;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Settings that have no effect: said when the lake starts. */
  readonly notes: readonly string[];
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const DEFAULT_ADDRESS: Address = { host: '127.0.0.1', port: 8080 };
/** All that a lake on one machine needs is in here. */
const DEFAULT_FOLDER = 'skein-lake';

export interface ConfigPlace {
  /** What relative paths are relative to. */
  readonly folder: string;
  readonly notes: readonly string[];
}

/** What follows from settings that are right one by one. */
export function resolveConfig(settings: LakeSettings, place: ConfigPlace): LakeConfig {
  const absolute = (path: string): string => resolve(place.folder, path);
  const inFolder = (path: string): string => absolute(`${DEFAULT_FOLDER}/${path}`);
  const { catalog, data, http, engine, log } = settings;
  const dataPath = data?.path;
  const optional = (path: string | undefined): string | undefined => path && absolute(path);
  return {
    catalogPath: optional(catalog?.path) ?? inFolder('catalog.db'),
    nodeFolder: optional(catalog?.node),
    isReadOnly: catalog?.['read-only'] ?? false,
    dataPath: dataPath === undefined ? inFolder('data') : resolveData(dataPath, absolute),
    s3: s3Settings(settings),
    cacheFolder: optional(data?.['cache-path']) ?? inFolder('cache'),
    cacheBytes: data?.['cache-size'] ?? GIB,
    address: http?.address ?? DEFAULT_ADDRESS,
    access: { read: http?.read ?? 'any', write: http?.write ?? 'off' },
    allowOrigins: http?.['allow-origins'] ?? [],
    cacheControl: http?.['cache-control'] ?? DEFAULT_CACHE_CONTROL,
    pageFolder: optional(http?.page),
    metricsAddress: settings.metrics?.address,
    limits: limitsOf(settings),
    memoryLimit: engine?.memory === undefined ? undefined : `${Math.ceil(engine.memory / MIB)}MiB`,
    threads: engine?.threads,
    scratchFolder: optional(engine?.scratch) ?? inFolder('scratch'),
    extensionsFolder: optional(engine?.extensions),
    exportFolder: optional(engine?.exports),
    isConfined: engine?.confine ?? true,
    external: externalOf(settings, absolute),
    maintenance: maintenanceOf(settings),
    logLevel: log?.level ?? 'info',
    logFormat: log?.format ?? 'text',
    notes: place.notes,
  };
}

/** What does not fit together. */
export function checkSettings(settings: LakeSettings, draft: Draft): LakeConfigProblem[] {
  const problems: LakeConfigProblem[] = [];
  const add = (key: string, message: string): void => {
    problems.push({ place: draft.get(key)?.place ?? 'configuration', key, message });
  };
  const { http, s3, data } = settings;
  // Who opens the lake to others says for whom: a right to all is no accident then.
  if (!isLoopback(http?.address ?? DEFAULT_ADDRESS) && http?.read === undefined) {
    add('http.read', 'say who may read, where others than this machine can ask: any, off, a hash');
  }
  if (data?.path?.startsWith('s3://') === true) {
    if (s3?.region === undefined && s3?.endpoint === undefined) {
      add('s3.region', 'an object store needs a region or an endpoint');
    }
    if ((s3?.['access-key'] === undefined) !== (s3?.['secret-key'] === undefined)) {
      add('s3.secret-key', 'access-key and secret-key belong together');
    }
  }
  return problems;
}

function resolveData(path: string, absolute: (path: string) => string): string {
  if (!path.startsWith('s3://')) return absolute(path);
  return path.endsWith('/') ? path : `${path}/`;
}

function s3Settings({ s3, data }: LakeSettings): S3Settings | undefined {
  if (data?.path?.startsWith('s3://') !== true) return undefined;
  return {
    endpoint: s3?.endpoint,
    region: s3?.region ?? 'us-east-1',
    accessKey: s3?.['access-key'] ?? '',
    secretKey: s3?.['secret-key'] ?? '',
    sessionToken: s3?.['session-token'],
    pathStyle: s3?.['path-style'] ?? s3?.endpoint !== undefined,
  };
}

function limitsOf({ limits, http }: LakeSettings): HttpLimits {
  const given = DEFAULT_LIMITS;
  return {
    ...given,
    queriesAtOnce: limits?.queries ?? given.queriesAtOnce,
    queriesWaiting: limits?.waiting ?? given.queriesWaiting,
    writesAtOnce: limits?.writes ?? given.writesAtOnce,
    queryMs: limits?.['query-time'] ?? given.queryMs,
    positionMs: limits?.['position-time'] ?? given.positionMs,
    queryBytes: limits?.['query-size'] ?? given.queryBytes,
    uploadBytes: http?.['upload-size'] ?? given.uploadBytes,
    cacheBytes: limits?.['result-cache'] ?? given.cacheBytes,
    connections: limits?.connections ?? given.connections,
  };
}

function externalOf(
  { external }: LakeSettings,
  absolute: (path: string) => string,
): ExternalTablePolicy {
  return {
    allowHosts: external?.hosts ?? ['*'],
    allowPrivate: external?.private ?? false,
    maxBytes: external?.size ?? 10 * GIB,
    timeoutMs: external?.time ?? 10 * MINUTE_MS,
    allowFolders: (external?.folders ?? []).map(absolute),
  };
}

function maintenanceOf({ maintenance }: LakeSettings): MaintenancePolicy {
  return {
    intervalMs: maintenance?.interval ?? MINUTE_MS,
    inlineRowsMax: maintenance?.['inline-rows'] ?? 100,
    flushRows: maintenance?.['flush-rows'] ?? 10_000,
    flushAfterMs: maintenance?.['flush-after'] ?? 10 * MINUTE_MS,
    targetFileBytes: maintenance?.['file-size'] ?? 128 * MIB,
    keepSnapshotsMs: maintenance?.['keep-snapshots'] ?? 30 * DAY_MS,
    keepFilesMs: maintenance?.['keep-files'] ?? 7 * DAY_MS,
  };
}

function isLoopback({ host }: Address): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
