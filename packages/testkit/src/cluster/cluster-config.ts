// What the nodes of a cluster are configured with: the one place of the harness that knows the keys
// of skein.yml (docs/configuration.md).

import assert from 'node:assert/strict';

export interface NodePlace {
  readonly name: string;
  /** Where its node API, its proxy and its application listen. */
  readonly host: string;
  readonly apiPort: number;
  readonly proxyPort: number;
  readonly appPort: number;
  /** Of SQL over HTTP, where nodes serve it. */
  readonly sqlPort?: number;
}

export interface ClusterConfigOptions {
  readonly primary: NodePlace;
  readonly secret: string;
  /** The database whose position the proxy's cookie carries; undefined: nodes have no proxy. */
  readonly proxyDatabase?: string | undefined;
  /** The database of SQL over HTTP, with the secret as its token; undefined: nodes serve none. */
  readonly sqlDatabase?: string | undefined;
}

/** Sections of skein.yml, by name. */
export type NodeConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export function nodeConfig(place: NodePlace, options: ClusterConfigOptions): NodeConfig {
  const { primary, secret, proxyDatabase, sqlDatabase } = options;
  const cluster = {
    name: place.name,
    primary: primary.name,
    'primary-url': apiUrl(primary),
    address: `${place.host}:${place.apiPort}`,
    'advertise-url': apiUrl(place),
    secret,
  };
  const sql =
    sqlDatabase === undefined
      ? {}
      : {
          sql: {
            address: `${place.host}:${place.sqlPort}`,
            'advertise-url': sqlUrl(place),
            token: secret,
            database: sqlDatabase,
          },
        };
  if (proxyDatabase === undefined) return { cluster, ...sql };
  const proxy = {
    address: `${place.host}:${place.proxyPort}`,
    target: `${place.host}:${place.appPort}`,
    'advertise-url': proxyUrl(place),
    database: proxyDatabase,
  };
  return { cluster, proxy, ...sql };
}

export function apiUrl({ host, apiPort }: NodePlace): string {
  return `http://${host}:${apiPort}`;
}

export function proxyUrl({ host, proxyPort }: NodePlace): string {
  return `http://${host}:${proxyPort}`;
}

export function sqlUrl({ host, sqlPort }: NodePlace): string {
  assert(sqlPort !== undefined, 'A node that serves SQL has a port for it');
  return `http://${host}:${sqlPort}`;
}
