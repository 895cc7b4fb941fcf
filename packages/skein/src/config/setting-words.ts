// The words in which people set up LiteFS from Django, as keys at the top of skein.yml
// (`primary_hostname: node1`) and as environment variables. A variable may have SKEIN_ or LITEFS_
// before it; those that no other program is likely to use for anything else may stand alone.

import { READ_CLUSTER } from './cluster-section.ts';
import { type ConfigDraft, mergeDrafts } from './draft.ts';
import { ConfigError, type ConfigProblem } from './errors.ts';
import type { Environment } from './expand-environment.ts';
import { scalar } from './shape.ts';
import { durationUpTo, parseAddress, parseBoolean, parseSecret, parseText } from './values.ts';

type Reader = (text: string) => ConfigDraft;

type Word =
  | 'mount_path'
  | 'data_path'
  | 'retention'
  | 'leader_election'
  | 'primary_hostname'
  | 'database_name'
  | 'proxy_addr'
  | 'proxy_target';

/** In files, and in the environment. */
const SETTINGS: Readonly<Record<Word, Reader>> = {
  mount_path: (text) => ({ mountpoint: parseText(text) }),
  data_path: (text) => ({ dataFolder: parseText(text) }),
  retention: (text) => ({ retentionMs: durationUpTo('3650d')(text) }),
  leader_election: (text) => ({
    cluster: { leaderElection: READ_CLUSTER.leaderElection(text) },
  }),
  primary_hostname: (text) => ({ cluster: { primary: READ_CLUSTER.nodeName(text) } }),
  database_name: (text) => ({ proxy: { database: parseText(text) } }),
  proxy_addr: (text) => ({ proxy: { address: parseAddress(text), alsoAt: [] } }),
  proxy_target: (text) => ({ proxy: { target: parseAddress(text) } }),
};

/** In the environment alone: what differs between nodes that share a file, and what is secret. */
const NODE_SETTINGS: Readonly<Record<string, Reader>> = {
  node_id: (text) => ({ cluster: { name: READ_CLUSTER.nodeName(text) } }),
  node_name: (text) => ({ cluster: { name: READ_CLUSTER.nodeName(text) } }),
  primary_url: (text) => ({ cluster: { primaryUrl: READ_CLUSTER.url(text) } }),
  advertise_url: (text) => ({ cluster: { advertiseUrl: READ_CLUSTER.url(text) } }),
  insecure: (text) => ({ cluster: { isInsecure: parseBoolean(text) } }),
  secret: (text) => ({ cluster: { secret: parseSecret(text) } }),
  secret_file: (text) => ({ cluster: { secretFile: parseText(text) } }),
  sql_addr: (text) => ({ sql: { address: parseAddress(text) } }),
  sql_token: (text) => ({ sql: { token: parseSecret(text) } }),
  sql_token_file: (text) => ({ sql: { tokenFile: parseText(text) } }),
};

const STANDING_ALONE: ReadonlySet<string> = new Set([
  'leader_election',
  'node_name',
  'primary_hostname',
]);

type SettingKey = ReturnType<typeof scalar<ConfigDraft>>;

/** For the schema of a file. */
export const SETTING_SHAPE: Readonly<Record<Word, SettingKey>> = Object.fromEntries(
  Object.entries(SETTINGS).map(([word, read]) => [word, scalar<ConfigDraft>(read)]),
) as Record<Word, SettingKey>;

/** What the keys of SETTING_SHAPE in a file say together. */
export function settingsOf(
  file: Readonly<Partial<Record<Word, ConfigDraft | undefined>>>,
): ConfigDraft {
  const words = Object.keys(SETTINGS) as Word[];
  return mergeDrafts(...words.map((word) => file[word] ?? {}));
}

/** What the environment says. Throws ConfigError with all that is wrong. */
export function readEnvironment(environment: Environment): ConfigDraft {
  const problems: ConfigProblem[] = [];
  const drafts = Object.entries<Reader>({ ...SETTINGS, ...NODE_SETTINGS }).map(([word, read]) => {
    const name = namesOf(word).find((candidate) => (environment[candidate] ?? '') !== '');
    if (name === undefined) return {};
    try {
      return read(environment[name]!);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push({ source: 'environment', key: name, message: error.message });
      return {};
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return mergeDrafts(...drafts);
}

function namesOf(word: string): readonly string[] {
  const name = word.toUpperCase();
  const prefixed = [`SKEIN_${name}`, `LITEFS_${name}`];
  return STANDING_ALONE.has(word) ? [...prefixed, name] : prefixed;
}
