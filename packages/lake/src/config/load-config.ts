// Where the configuration of a lake comes from: a file, then the environment, then the command
// line; later ones win.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

import { type Draft, mergeSources, NO_SOURCE, type Source, treeOf } from './draft.ts';
import { type Environment, environmentSource } from './environment-source.ts';
import { LakeConfigError } from './errors.ts';
import { checkSettings, type LakeConfig, resolveConfig } from './lake-config.ts';
import { readSettings } from './lake-schema.ts';
import { seafowlEnvironmentSource, seafowlTomlSource } from './seafowl-source.ts';
import { yamlSource } from './yaml-source.ts';

export interface LakeConfigOptions {
  readonly cwd: string;
  readonly environment: Environment;
  /** A lake.yml or a seafowl.toml; undefined: the one that is in `cwd`, if any. */
  readonly file?: string | undefined;
  /** Of the command line: by key, `http.address`. */
  readonly flags?: Readonly<Record<string, string>>;
}

const FILE_NAMES = ['lake.yml', 'seafowl.toml'];
/** Far more than any configuration; a wrong path may lead to anything. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Throws LakeConfigError with all that is wrong. */
export function loadLakeConfig(options: LakeConfigOptions): LakeConfig {
  const { cwd, environment, flags = {} } = options;
  const path = findFile(options);
  const file = path === undefined ? NO_SOURCE : readSource(path);
  const sources = mergeSources(
    file,
    seafowlEnvironmentSource(environment),
    environmentSource(environment),
    flagSource(flags),
  );
  const { draft } = sources;
  const read = readSettings(treeOf(draft), draft);
  const problems = [...sources.problems, ...('problems' in read ? read.problems : [])];
  if ('settings' in read) problems.push(...checkSettings(read.settings, draft));
  if (problems.length > 0 || !('settings' in read)) throw new LakeConfigError(problems);
  const folder = path === undefined ? cwd : dirname(path);
  return resolveConfig(read.settings, { folder, notes: sources.notes });
}

function findFile({ cwd, file }: LakeConfigOptions): string | undefined {
  if (file !== undefined) return resolve(cwd, file);
  return FILE_NAMES.map((name) => resolve(cwd, name)).find((path) => existsSync(path));
}

function readSource(path: string): Source {
  const name = basename(path);
  const problem = (message: string): LakeConfigError =>
    new LakeConfigError([{ place: path, key: undefined, message }]);
  let content: string;
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw problem('it is too large for a configuration');
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof LakeConfigError) throw error;
    throw problem(`cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  return name.endsWith('.toml') ? seafowlTomlSource(name, content) : yamlSource(name, content);
}

function flagSource(flags: Readonly<Record<string, string>>): Source {
  const draft: Draft = new Map(
    Object.entries(flags).map(([key, text]) => [key, { text, place: 'command line' }] as const),
  );
  return { ...NO_SOURCE, draft };
}
