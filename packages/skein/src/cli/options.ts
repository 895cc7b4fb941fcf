// Options that several commands share.

import { type Command, InvalidArgumentError } from 'commander';

import type { ConfigDraft } from '../config/draft.ts';
import type { ConfigSources } from '../config/load-config.ts';
import { READ } from '../config/skein-file.ts';
import type { CommandContext } from './command-context.ts';

/** Reads a value as the same key in a file is read. */
export function reader<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

export interface PlaceFlags {
  readonly config?: string;
  readonly data?: string;
  readonly expandEnv: boolean;
}

/** --config, --data: which node is meant. */
export function withPlace(command: Command): Command {
  return command
    .option(
      '-c, --config <file>',
      'configuration (default: skein.yml or litefs.yml, here or in /etc)',
    )
    .option('-d, --data <folder>', 'data folder of the node', reader(READ.path))
    .option('--no-expand-env', 'leave $NAME and ${NAME} in the configuration as they are');
}

export function configSources(
  { cwd, environment }: CommandContext,
  { config, data, expandEnv }: PlaceFlags,
  flags: ConfigDraft = {},
): ConfigSources {
  return {
    file: config,
    flags: { ...flags, dataFolder: data },
    environment,
    expandsEnvironment: expandEnv,
    cwd,
  };
}
