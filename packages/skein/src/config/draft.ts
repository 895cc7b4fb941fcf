// A configuration on its way: what one source says, and how sources become a MountConfig.

import { dirname, basename, join, resolve } from 'node:path';

import { DEFAULT_ENGINE_OPTIONS } from '@skein/engine';
import type { LogFormat, LogLevel } from '@skein/host';

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
  readonly segmentBytes?: number | undefined;
  readonly overlayBytes?: number | undefined;
  readonly checkpointBytes?: number | undefined;
  readonly httpAddress?: Address | undefined;
  readonly httpSecret?: string | undefined;
  /** Where the secret stands, instead. */
  readonly httpSecretFile?: string | undefined;
  readonly httpIsInsecure?: boolean | undefined;
  readonly exec?: readonly ExecCommand[] | undefined;
  readonly logFormat?: LogFormat | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/** Later ones win. */
export function mergeDrafts(...drafts: readonly ConfigDraft[]): ConfigDraft {
  const said = drafts.map((draft) =>
    Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined)),
  );
  return Object.assign({}, ...said) as ConfigDraft;
}

export interface FinishOptions {
  /** Where relative paths begin. */
  readonly cwd: string;
  readonly isRoot: boolean;
}

/** Fills in the defaults. Throws ConfigError where values do not go together. */
export function finishDraft(draft: ConfigDraft, { cwd, isRoot }: FinishOptions): MountConfig {
  const { mountpoint } = draft;
  if (mountpoint === undefined) {
    throw new ConfigError([{ source: 'configuration', message: 'there is no mountpoint' }], {
      hint: 'Name a folder: skein mount FOLDER, or mount.path in skein.yml',
    });
  }
  const config: MountConfig = {
    mountpoint: resolve(cwd, mountpoint),
    dataFolder: dataFolderOf(draft, cwd)!,
    allowOther: draft.allowOther ?? isRoot,
    passthrough: draft.passthrough ?? 'auto',
    stayAwake: draft.stayAwake ?? 'auto',
    pinCpu: draft.pinCpu,
    retentionMs: draft.retentionMs ?? DEFAULT_ENGINE_OPTIONS.retentionMs,
    segmentBytes: draft.segmentBytes ?? DEFAULT_ENGINE_OPTIONS.segmentBytes,
    overlayBytes: draft.overlayBytes ?? DEFAULT_ENGINE_OPTIONS.overlayBytes,
    checkpointBytes: draft.checkpointBytes ?? DEFAULT_ENGINE_OPTIONS.checkpointBytes,
    http: finishHttp(draft),
    exec: draft.exec ?? [],
    log: { format: draft.logFormat ?? 'text', level: draft.logLevel ?? 'info' },
  };
  const problems = checkHttp(config.http);
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
