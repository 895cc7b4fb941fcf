// The configuration of a mount, complete: all sources, the secrets that they name, the defaults.

import { hostname } from 'node:os';

import { type ConfigDraft, mergeDrafts } from './draft.ts';
import { ConfigError } from './errors.ts';
import { finishDraft, type FinishOptions } from './finish-draft.ts';
import { type ConfigSources, loadDraft, type LoadedDraft, readText } from './load-config.ts';
import type { MountConfig } from './mount-config.ts';
import { isLoopback, parseSecret } from './values.ts';

export interface LoadedConfig extends Omit<LoadedDraft, 'draft'> {
  readonly config: MountConfig;
}

/** The whole configuration of a mount. Throws ConfigError. */
export function loadMountConfig(
  sources: ConfigSources,
  options: Pick<FinishOptions, 'isRoot'> & Partial<Pick<FinishOptions, 'hostname'>>,
): LoadedConfig {
  const { draft, file, warnings } = loadDraft(sources);
  const { cwd } = sources;
  const complete = readSecretFiles(draft, cwd);
  const config = finishDraft(complete, { hostname: hostname(), ...options, cwd });
  return { config, file, warnings: [...warnings, ...describeReach(complete, config)] };
}

/** Said once: a node whose peers on other machines wait in vain tells nothing else of it. */
function describeReach({ cluster: draft }: ConfigDraft, { cluster }: MountConfig): string[] {
  const isByDefault = cluster !== undefined && draft?.address === undefined;
  if (!isByDefault || !isLoopback(cluster.listen.host)) return [];
  const cure = 'cluster.secret (SKEIN_SECRET), cluster.tls or cluster.insecure';
  return [`Only nodes on this machine reach this one: for others there has to be ${cure}`];
}

/** With the secrets that stand in files. Throws ConfigError. */
export function readSecretFiles(draft: ConfigDraft, cwd: string): ConfigDraft {
  const { httpSecretFile, cluster, sql } = draft;
  return mergeDrafts(draft, {
    httpSecret: maybeReadSecret(httpSecretFile, cwd),
    cluster: { secret: maybeReadSecret(cluster?.secretFile, cwd) },
    sql: { token: maybeReadSecret(sql?.tokenFile, cwd) },
  });
}

function maybeReadSecret(path: string | undefined, cwd: string): string | undefined {
  if (path === undefined) return undefined;
  try {
    return parseSecret(readText(path, cwd).trimEnd());
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([{ source: path, message: `as a secret, ${error.message}` }]);
  }
}
