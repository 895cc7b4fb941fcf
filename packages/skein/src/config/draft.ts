// A configuration on its way: what one source says, and how sources become a MountConfig.

import { dirname, basename, join, resolve } from 'node:path';

import { DEFAULT_ENGINE_OPTIONS } from '@skein/engine';
import type { LogFormat, LogLevel } from '@skein/host';

import {
  type ClusterDraft,
  finishCluster,
  type FinishClusterOptions,
  finishProxy,
  type ProxyDraft,
} from './cluster-draft.ts';
import { finishSql, type SqlDraft } from './sql-config.ts';
import { ConfigError, type ConfigProblem } from './errors.ts';
import type { ExecCommand, HttpConfig, MountConfig } from './mount-config.ts';
import { type Address, isLoopback } from './values.ts';

/** What is missing is not said. Paths are as they were written. */
export interface ConfigDraft {
  readonly mountpoint?: string | undefined;
  readonly dataFolder?: string | undefined;
  readonly allowOther?: boolean | undefined;
  readonly passthrough?: MountConfig['passthrough'] | undefined;
  readonly stayAwake?: MountConfig['stayAwake'] | undefined;
  readonly pinCpu?: number | undefined;
  readonly retentionMs?: number | undefined;
  readonly retentionBytesMax?: number | undefined;
  readonly segmentBytes?: number | undefined;
  readonly overlayBytes?: number | undefined;
  readonly checkpointBytes?: number | undefined;
  readonly replicaWalBytesMax?: number | undefined;
  readonly httpAddress?: Address | undefined;
  readonly httpSecret?: string | undefined;
  /** Where the secret stands, instead. */
  readonly httpSecretFile?: string | undefined;
  readonly httpIsInsecure?: boolean | undefined;
  readonly cluster?: ClusterDraft | undefined;
  readonly proxy?: ProxyDraft | undefined;
  readonly sql?: SqlDraft | undefined;
  readonly exec?: readonly ExecCommand[] | undefined;
  readonly logFormat?: LogFormat | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/** Later ones win. */
export function mergeDrafts(...drafts: readonly ConfigDraft[]): ConfigDraft {
  const cluster = mergeSaid(drafts.map((draft) => draft.cluster ?? {}));
  const proxy = mergeSaid(drafts.map((draft) => draft.proxy ?? {}));
  const sql = mergeSaid(drafts.map((draft) => draft.sql ?? {}));
  return mergeSaid<ConfigDraft>([...drafts, { cluster, proxy, sql }]);
}

function mergeSaid<T extends object>(drafts: readonly T[]): T {
  const said = drafts.map((draft) =>
    Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined)),
  );
  return Object.assign({}, ...said) as T;
}

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

/** Beside the mountpoint, unless it is said: `.app` for `app`. Undefined when neither is known. */
export function dataFolderOf(draft: ConfigDraft, cwd: string): string | undefined {
  if (draft.dataFolder !== undefined) return resolve(cwd, draft.dataFolder);
  if (draft.mountpoint === undefined) return undefined;
  const mountpoint = resolve(cwd, draft.mountpoint);
  return join(dirname(mountpoint), `.${basename(mountpoint)}`);
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
