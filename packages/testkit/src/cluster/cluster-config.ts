// What the nodes of a cluster are configured with: the one place of the harness that knows the keys
// of skein.yml (docs/configuration.md).

export interface NodePlace {
  readonly name: string;
  /** Where its node API, its proxy and its application listen. */
  readonly host: string;
  readonly apiPort: number;
  readonly proxyPort: number;
  readonly appPort: number;
}

export interface ClusterConfigOptions {
  readonly primary: NodePlace;
  readonly secret: string;
  /** The database whose position the proxy's cookie carries; undefined: nodes have no proxy. */
  readonly proxyDatabase?: string | undefined;
}

/** Sections of skein.yml, by name. */
export type NodeConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export function nodeConfig(place: NodePlace, options: ClusterConfigOptions): NodeConfig {
  const { primary, secret, proxyDatabase } = options;
  const cluster = {
    name: place.name,
    primary: primary.name,
    'primary-url': apiUrl(primary),
    address: `${place.host}:${place.apiPort}`,
    'advertise-url': apiUrl(place),
    secret,
  };
  if (proxyDatabase === undefined) return { cluster };
  const proxy = {
    address: `${place.host}:${place.proxyPort}`,
    target: `${place.host}:${place.appPort}`,
    'advertise-url': proxyUrl(place),
    database: proxyDatabase,
  };
  return { cluster, proxy };
}

export function apiUrl({ host, apiPort }: NodePlace): string {
  return `http://${host}:${apiPort}`;
}

export function proxyUrl({ host, proxyPort }: NodePlace): string {
  return `http://${host}:${proxyPort}`;
}
