// skein.yml out of settings: what the daemon of this node is to be started with.

import { SettingsError } from './errors.ts';
import type { Settings } from './settings.ts';

/** Keys of skein.yml, in the order in which they are written. */
const KEYS = [
  ['mount_path', 'mountPath'],
  ['data_path', 'dataPath'],
  ['database_name', 'databaseName'],
  ['leader_election', 'leaderElection'],
  ['primary_hostname', 'primaryHostname'],
  ['proxy_addr', 'proxyAddr'],
  ['proxy_target', 'proxyTarget'],
  ['retention', 'retention'],
] as const satisfies readonly (readonly [string, keyof Settings])[];

/**
 * A skein.yml that says what the settings say. Secrets, and what else a node needs, are for other
 * keys and variables of the daemon: docs/configuration.md. Throws SettingsError for settings that
 * are of no daemon.
 */
export function toSkeinYaml(settings: Settings): string {
  const { primaryHostname, nodeName } = settings;
  checkDaemon(settings);
  const isAlone = primaryHostname === undefined;
  const lines = KEYS.flatMap(([key, name]) => {
    // A node that is alone elects nobody.
    if (isAlone && name === 'leaderElection') return [];
    const value = settings[name];
    return value === undefined ? [] : [`${key}: ${quote(value)}`];
  });
  // A node that is alone has no name, but for its proxy, where it is that of the host.
  if (!isAlone && nodeName !== undefined) lines.push('cluster:', `  name: ${quote(nodeName)}`);
  return `${lines.join('\n')}\n`;
}

function checkDaemon({ enabled, proxyAddr, proxyTarget }: Settings): void {
  if (!enabled) {
    const message = 'there is no daemon to be configured; accepted: true';
    throw new SettingsError([{ setting: 'enabled', message }]);
  }
  if ((proxyAddr === undefined) === (proxyTarget === undefined)) return;
  const [setting, what] =
    proxyAddr === undefined ? ['proxyAddr', 'the proxy'] : ['proxyTarget', 'the application'];
  const message = `where does ${what} listen? Say it like 127.0.0.1:8080 or :8080`;
  throw new SettingsError([{ setting, message }]);
}

/** A text in JSON is one in YAML. */
function quote(value: string): string {
  return JSON.stringify(value);
}
