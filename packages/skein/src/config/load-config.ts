// Where a configuration comes from: defaults, then a file, then flags; later ones win.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';

import {
  type ConfigDraft,
  dataFolderOf,
  finishDraft,
  type FinishOptions,
  mergeDrafts,
} from './draft.ts';
import { ConfigError } from './errors.ts';
import { type Environment, expandEnvironment } from './expand-environment.ts';
import { looksLikeLitefs, readLitefsFile } from './litefs-file.ts';
import type { MountConfig } from './mount-config.ts';
import { readSkeinFile } from './skein-file.ts';
import { parseSecret } from './values.ts';
import { parseYaml, YAML_BYTES_MAX } from './yaml-file.ts';

/** Looked for in this order when no file is named. */
export const CONFIG_PATHS: readonly string[] = [
  'skein.yml',
  'litefs.yml',
  '/etc/skein.yml',
  '/etc/litefs.yml',
];

export interface ConfigSources {
  /** The file that was named, if one was. */
  readonly file?: string | undefined;
  readonly flags: ConfigDraft;
  readonly environment: Environment;
  /** Whether variables in the file are replaced. */
  readonly expandsEnvironment: boolean;
  readonly cwd: string;
}

export interface LoadedDraft {
  readonly draft: ConfigDraft;
  /** The file that was read, if there is one. */
  readonly file: string | undefined;
  /** What in the file was understood and has no effect, a sentence each. */
  readonly warnings: readonly string[];
}

export interface LoadedConfig extends Omit<LoadedDraft, 'draft'> {
  readonly config: MountConfig;
}

/** The whole configuration of a mount. Throws ConfigError. */
export function loadMountConfig(
  sources: ConfigSources,
  options: Pick<FinishOptions, 'isRoot'>,
): LoadedConfig {
  const { draft, file, warnings } = loadDraft(sources);
  const { cwd } = sources;
  const config = finishDraft(readSecretFile(draft, cwd), { ...options, cwd });
  return { config, file, warnings };
}

/** The data folder alone, for whoever only talks to a node. Throws ConfigError. */
export function findDataFolder(sources: ConfigSources): string {
  const folder = dataFolderOf(loadDraft(sources).draft, sources.cwd);
  if (folder !== undefined) return folder;
  throw new ConfigError([{ source: 'configuration', message: 'which data folder?' }], {
    hint: 'Say --data FOLDER, or run where a skein.yml is',
  });
}

/** What file and flags say. Throws ConfigError. */
export function loadDraft(sources: ConfigSources): LoadedDraft {
  const { cwd, flags } = sources;
  const named = sources.file;
  const file = named ?? CONFIG_PATHS.find((path) => existsSync(resolve(cwd, path)));
  if (file === undefined) return { draft: flags, file, warnings: [] };
  const text = readText(file, cwd);
  const yaml = parseYaml(
    file,
    sources.expandsEnvironment ? expandEnvironment(text, sources.environment) : text,
  );
  const isLitefs = looksLikeLitefs(yaml.value) || basename(file).startsWith('litefs.');
  const { draft, warnings } = isLitefs
    ? readLitefsFile(file, yaml)
    : { draft: readSkeinFile(file, yaml), warnings: [] };
  return { draft: mergeDrafts(draft, flags), file, warnings };
}

function readText(path: string, cwd: string): string {
  try {
    const absolute = resolve(cwd, path);
    const { size } = statSync(absolute);
    if (size > YAML_BYTES_MAX) {
      const message = `it has ${size} bytes, at most ${YAML_BYTES_MAX} are read`;
      throw new ConfigError([{ source: path, message }]);
    }
    return readFileSync(absolute, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([{ source: path, message: `reading it gives ${code}` }]);
  }
}

function readSecretFile(draft: ConfigDraft, cwd: string): ConfigDraft {
  const { httpSecretFile: path } = draft;
  if (path === undefined) return draft;
  try {
    return { ...draft, httpSecret: parseSecret(readText(path, cwd).trimEnd()) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([{ source: path, message: `as a secret, ${error.message}` }]);
  }
}
