// From what was said to a whole MountConfig: defaults, and what does not go together.

import { resolve } from 'node:path';

import { DEFAULT_ENGINE_OPTIONS } from '@skein/engine';

import { finishCluster, type FinishClusterOptions, finishProxy } from './cluster-draft.ts';
import { type ConfigDraft, dataFolderOf } from './draft.ts';
import { ConfigError, type ConfigProblem } from './errors.ts';
import type { HttpConfig, MountConfig } from './mount-config.ts';
import { finishSql } from './sql-config.ts';
import { isLoopback } from './values.ts';

export interface FinishOptions extends FinishClusterOptions {
  readonly isRoot: boolean;
}

/** Fills in the defaults. Throws ConfigError where values do not go together. */
export function finishDraft(draft: ConfigDraft, options: FinishOptions): MountConfig {
  const { cwd, isRoot } = options;
  const { mountpoint } = draft;
  if (mountpoint === undefined) {
    throw new ConfigError([{ source: 'configuration', message: 'there is no mountpoint' }], {
      hint: 'Name a folder: skein mount FOLDER, or mount.path in skein.yml',
    });
  }
  const cluster = finishCluster(draft.cluster, options);
  const proxy = finishProxy(draft.proxy, cluster.config);
  const sql = finishSql(draft.sql, proxy.config);
  const config: MountConfig = {
    mountpoint: resolve(cwd, mountpoint),
    dataFolder: dataFolderOf(draft, cwd)!,
    allowOther: draft.allowOther ?? isRoot,
    passthrough: draft.passthrough ?? 'auto',
    stayAwake: draft.stayAwake ?? 'auto',
    pinCpu: draft.pinCpu,
    retentionMs: draft.retentionMs ?? DEFAULT_ENGINE_OPTIONS.retentionMs,
    retentionBytesMax: draft.retentionBytesMax ?? DEFAULT_ENGINE_OPTIONS.retentionBytesMax,
    segmentBytes: draft.segmentBytes ?? DEFAULT_ENGINE_OPTIONS.segmentBytes,
    overlayBytes: draft.overlayBytes ?? DEFAULT_ENGINE_OPTIONS.overlayBytes,
    checkpointBytes: draft.checkpointBytes ?? DEFAULT_ENGINE_OPTIONS.checkpointBytes,
    replicaWalBytesMax: draft.replicaWalBytesMax ?? DEFAULT_ENGINE_OPTIONS.replicaWalBytesMax,
    http: finishHttp(draft),
    cluster: cluster.config,
    proxy: proxy.config,
    sql: sql.config,
    exec: draft.exec ?? [],
    log: { format: draft.logFormat ?? 'text', level: draft.logLevel ?? 'info' },
  };
  const problems = [
    ...checkHttp(config.http),
    ...cluster.problems,
    ...proxy.problems,
    ...sql.problems,
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function finishHttp(draft: ConfigDraft): HttpConfig | undefined {
  if (draft.httpAddress === undefined) return undefined;
  const { httpSecret: secret, httpIsInsecure: isInsecure = false } = draft;
  return { ...draft.httpAddress, secret, isInsecure };
}

function checkHttp(http: HttpConfig | undefined): ConfigProblem[] {
  if (http === undefined || http.secret !== undefined || http.isInsecure) return [];
  if (isLoopback(http.host)) return [];
  const where = http.host === '' ? 'all interfaces' : http.host;
  const cure = 'set http.secret or http.secret-file, or say http.insecure: true';
  return [
    {
      source: 'configuration',
      key: 'http',
      message: `on ${where} anybody could read and replace the databases: ${cure}`,
    },
  ];
}
