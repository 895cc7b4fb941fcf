// The settings of an application and of its node, under litefs-django's names in TypeScript
// spelling: from an object, and for what that leaves out from the environment, where the variables
// have the names that the daemon reads too (packages/skein/src/config/setting-words.ts).
//
// Invariant: what loadSettings() returns is accepted by the daemon.

import { basename, dirname, join, resolve } from 'node:path';

import { z } from 'zod';

import { type SettingProblem, SettingsError } from './errors.ts';
import {
  parseAddress,
  parseBoolean,
  parseDatabaseName,
  parseLeaderElection,
  parseNodeName,
  parsePath,
  parseRetention,
} from './values.ts';

/** What an application says. What it leaves out comes from the environment, or has a default. */
export interface SettingsInput {
  /** The folder of the databases. `SKEIN_MOUNT_PATH`, `LITEFS_MOUNT_PATH`. */
  readonly mountPath?: string | undefined;
  /** The node's own folder; default: beside the mount, `.app` for `app`. `SKEIN_DATA_PATH`. */
  readonly dataPath?: string | undefined;
  /** The database that the application opens: a file in the mount. `SKEIN_DATABASE_NAME`. */
  readonly databaseName?: string | undefined;
  /** How the primary is chosen; `raft` does not exist yet. `LEADER_ELECTION`. */
  readonly leaderElection?: 'static' | 'raft' | undefined;
  /** The name of the node that accepts writes; without it the node is alone. `PRIMARY_HOSTNAME`. */
  readonly primaryHostname?: string | undefined;
  /** Where the proxy of this node listens. `SKEIN_PROXY_ADDR`. */
  readonly proxyAddr?: string | undefined;
  /** Where the application listens, for the proxy. `SKEIN_PROXY_TARGET`. */
  readonly proxyTarget?: string | undefined;
  /** False: no Skein, one node on a plain folder, said on purpose. `SKEIN_ENABLED`. */
  readonly enabled?: boolean | undefined;
  /** How long transactions are kept in the log: `10m`, `24h`. `SKEIN_RETENTION`. */
  readonly retention?: string | undefined;
  /** Of this node; default: the host's name. `NODE_NAME`. */
  readonly nodeName?: string | undefined;
  /** The daemon's socket for applications; default: `api.sock` in dataPath. `SKEIN_SOCKET`. */
  readonly socketPath?: string | undefined;
}

/** Settings that can be; paths are absolute. */
export interface Settings {
  readonly mountPath: string;
  readonly dataPath: string;
  readonly databaseName: string;
  readonly leaderElection: 'static';
  readonly primaryHostname?: string;
  readonly proxyAddr?: string;
  readonly proxyTarget?: string;
  readonly enabled: boolean;
  readonly retention?: string;
  readonly nodeName?: string;
  readonly socketPath?: string;
}

type SettingName = keyof SettingsInput;

const SHAPE = z.strictObject({
  mountPath: text(parsePath, 'which folder are the databases in? Name it, like /litefs'),
  dataPath: text(parsePath).optional(),
  databaseName: text(parseDatabaseName, 'which database? Name its file, like db.sqlite3'),
  leaderElection: text(parseLeaderElection).default('static'),
  primaryHostname: text(parseNodeName).optional(),
  proxyAddr: text(parseAddress).optional(),
  proxyTarget: text(parseAddress).optional(),
  enabled: z.boolean({ error: 'accepted: true, false' }).default(true),
  retention: text(parseRetention).optional(),
  nodeName: text(parseNodeName).optional(),
  socketPath: text(parsePath).optional(),
});

/** Each with the word that follows SKEIN_ or LITEFS_; the second of NODE_NAME is LiteFS's. */
const VARIABLES: Readonly<Record<SettingName, readonly string[]>> = {
  mountPath: prefixed('MOUNT_PATH'),
  dataPath: prefixed('DATA_PATH'),
  databaseName: prefixed('DATABASE_NAME'),
  leaderElection: [...prefixed('LEADER_ELECTION'), 'LEADER_ELECTION'],
  primaryHostname: [...prefixed('PRIMARY_HOSTNAME'), 'PRIMARY_HOSTNAME'],
  proxyAddr: prefixed('PROXY_ADDR'),
  proxyTarget: prefixed('PROXY_TARGET'),
  enabled: prefixed('ENABLED'),
  retention: prefixed('RETENTION'),
  nodeName: [...prefixed('NODE_NAME'), 'NODE_NAME', ...prefixed('NODE_ID')],
  socketPath: ['SKEIN_SOCKET'],
};

/**
 * The settings that `input` and the environment make together; what `input` says counts. Throws
 * SettingsError, which names every setting that is wrong with what is accepted.
 */
export function loadSettings(
  input: SettingsInput = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const said: Record<string, unknown> = {};
  const sources = new Map<PropertyKey, string>();
  const problems: SettingProblem[] = [];
  for (const [name, variables] of Object.entries(VARIABLES)) {
    const variable = variables.find((candidate) => (environment[candidate] ?? '') !== '');
    if (variable === undefined || isSaid(input, name)) continue;
    sources.set(name, variable);
    said[name] = environment[variable];
  }
  if (typeof said['enabled'] === 'string') readEnabled(said, sources, problems);
  const result = SHAPE.safeParse({ ...said, ...withoutUndefined(input) });
  if (result.success && problems.length === 0) return finish(result.data);
  for (const issue of result.error?.issues ?? []) problems.push(...describe(issue, sources));
  throw new SettingsError(problems);
}

/** In the environment everything is text. */
function readEnabled(
  said: Record<string, unknown>,
  sources: ReadonlyMap<PropertyKey, string>,
  problems: SettingProblem[],
): void {
  try {
    said['enabled'] = parseBoolean(said['enabled'] as string);
  } catch (error) {
    delete said['enabled'];
    problems.push({ setting: sources.get('enabled')!, message: (error as Error).message });
  }
}

function finish(given: z.infer<typeof SHAPE>): Settings {
  const { dataPath, socketPath, ...rest } = given;
  const mountPath = resolve(given.mountPath);
  return {
    ...(withoutUndefined(rest) as Omit<Settings, 'dataPath' | 'socketPath'>),
    mountPath,
    dataPath: resolve(dataPath ?? join(dirname(mountPath), `.${basename(mountPath)}`)),
    ...(socketPath === undefined ? {} : { socketPath: resolve(socketPath) }),
  };
}

function describe(
  issue: z.core.$ZodIssue,
  sources: ReadonlyMap<PropertyKey, string>,
): SettingProblem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(SHAPE.shape).join(', ');
    return issue.keys.map((setting) => {
      return { setting, message: `there is no such setting; accepted: ${known}` };
    });
  }
  const name = issue.path[0] ?? 'settings';
  return [{ setting: sources.get(name) ?? String(name), message: issue.message }];
}

type TextSchema<T> = z.ZodPipe<z.ZodString, z.ZodTransform<T, string>>;

/** A text, read by `parse`, which throws RangeError; `question` is asked where there is none. */
function text<T>(parse: (text: string) => T, question = 'accepted: a text'): TextSchema<T> {
  const error = ({ input }: { readonly input?: unknown }): string =>
    input === undefined ? question : 'accepted: a text';
  return z.string({ error }).transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

function prefixed(word: string): readonly string[] {
  return [`SKEIN_${word}`, `LITEFS_${word}`];
}

function isSaid(input: SettingsInput, name: string): boolean {
  return input[name as SettingName] !== undefined;
}

function withoutUndefined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
