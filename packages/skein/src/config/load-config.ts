// Where a configuration comes from: defaults, then a file, the environment, flags; later ones win.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';

import { type ConfigDraft, dataFolderOf, mergeDrafts } from './draft.ts';
import { ConfigError } from './errors.ts';
import { type Environment, expandEnvironment } from './expand-environment.ts';
import { looksLikeLitefs, readLitefsFile } from './litefs-file.ts';
import { readEnvironment } from './setting-words.ts';
import { readSkeinFile } from './skein-file.ts';
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

/** The data folder alone, for whoever only talks to a node. Throws ConfigError. */
export function findDataFolder(sources: ConfigSources): string {
  const folder = dataFolderOf(loadDraft(sources).draft, sources.cwd);
  if (folder !== undefined) return folder;
  throw new ConfigError([{ source: 'configuration', message: 'which data folder?' }], {
    hint: 'Say --data FOLDER, or run where a skein.yml is',
  });
}

/** What file, environment and flags say. Throws ConfigError. */
export function loadDraft(sources: ConfigSources): LoadedDraft {
  const { cwd, flags } = sources;
  const named = sources.file;
  const file = named ?? CONFIG_PATHS.find((path) => existsSync(resolve(cwd, path)));
  const said = mergeDrafts(readEnvironment(sources.environment), flags);
  if (file === undefined) return { draft: said, file, warnings: [] };
  const text = readText(file, cwd);
  const yaml = parseYaml(
    file,
    sources.expandsEnvironment ? expandEnvironment(text, sources.environment) : text,
  );
  const isLitefs = looksLikeLitefs(yaml.value) || basename(file).startsWith('litefs.');
  const { draft, warnings } = isLitefs
    ? readLitefsFile(file, yaml)
    : { draft: readSkeinFile(file, yaml), warnings: [] };
  return { draft: mergeDrafts(draft, said), file, warnings };
}

/** The text of a file of the configuration. Throws ConfigError. */
export function readText(path: string, cwd: string): string {
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
