// A configuration on its way: what one source says, and what several say together.

import { dirname, basename, join, resolve } from 'node:path';

import type { LogFormat, LogLevel } from '@skein/host';

import type { ClusterDraft, ProxyDraft } from './cluster-draft.ts';
import type { ExecCommand, MountConfig } from './mount-config.ts';
import type { SqlDraft } from './sql-config.ts';
import type { Address } from './values.ts';

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

/** Beside the mountpoint, unless it is said: `.app` for `app`. Undefined when neither is known. */
export function dataFolderOf(draft: ConfigDraft, cwd: string): string | undefined {
  if (draft.dataFolder !== undefined) return resolve(cwd, draft.dataFolder);
  if (draft.mountpoint === undefined) return undefined;
  const mountpoint = resolve(cwd, draft.mountpoint);
  return join(dirname(mountpoint), `.${basename(mountpoint)}`);
}
