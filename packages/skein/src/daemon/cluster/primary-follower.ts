// A replica's connection to the primary: whom to follow, and how that goes.
//
// A node of Skein is followed where it says of itself that it is primary; where LiteFS is allowed,
// which says nothing, the address of the configuration is.

import {
  type ClusterNode,
  type Link,
  type LogSink,
  StreamClient,
  type StreamClientOptions,
  type StreamStatus,
} from '@skein/cluster';

import type { ClusterConfig } from '../../config/cluster-config.ts';
import type { EngineLogSink } from '../../replication/log-sink.ts';

export interface PrimaryFollowerOptions {
  readonly config: ClusterConfig;
  readonly node: ClusterNode;
  readonly sink: EngineLogSink;
  readonly stream: Omit<
    StreamClientOptions,
    'url' | 'sink' | 'databases' | 'adoptClusterId' | 'onChange'
  >;
  readonly onChange: () => void;
}

const LINKS: Readonly<Record<StreamStatus['state'], Link>> = {
  connecting: 'none',
  connected: 'connected',
  ready: 'caught-up',
  closed: 'none',
};

export class PrimaryFollower {
  readonly sink: LogSink;
  readonly #options: PrimaryFollowerOptions;
  #client: StreamClient | undefined;
  #url: URL | undefined;
  #isClosed = false;

  constructor(options: PrimaryFollowerOptions) {
    this.#options = options;
    this.sink = options.sink;
  }

  /** Where the primary is that is followed; undefined: there was none yet. */
  get url(): URL | undefined {
    return this.#url;
  }

  get status(): StreamStatus | undefined {
    return this.#client?.status;
  }

  /** For how long this replica has not known that it has everything; undefined: it never did. */
  get lagMs(): number | undefined {
    const heardMs = this.status?.primaryMs;
    if (heardMs === undefined) return undefined;
    return Math.max(this.#options.stream.clock.wallMs() - heardMs, 0);
  }

  /** Looks whether another node is to be followed than before. */
  tick(): void {
    const url = this.#findPrimary();
    if (url === undefined || this.#isClosed || url.href === this.#url?.href) return;
    this.#url = url;
    const before = this.#client;
    this.#client = this.#connect(url);
    void before?.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client?.close();
    await this.#options.sink.close();
  }

  #findPrimary(): URL | undefined {
    const { config, node } = this.#options;
    const url = findPrimaryUrl(config, node.situation.primary?.url);
    return url === undefined ? undefined : new URL(url);
  }

  #connect(url: URL): StreamClient {
    const { config, node, sink, stream } = this.#options;
    const client: StreamClient = new StreamClient({
      ...stream,
      url,
      sink,
      databases: config.databases === undefined ? undefined : new Set(config.databases),
      adoptClusterId: (clusterId) => {
        node.adoptClusterId(clusterId);
        return Promise.resolve();
      },
      onChange: () => {
        if (client === this.#client) this.#changed();
      },
    });
    // A bug there ends the process, rather than leave a replica that silently stays behind.
    client.done.catch((error: unknown) => {
      queueMicrotask(() => {
        throw error;
      });
    });
    return client;
  }

  #changed(): void {
    this.#options.node.setLink(LINKS[this.status?.state ?? 'closed']);
    this.#options.onChange();
  }
}

/** Where to follow; `known`: where a node of Skein leads, by its own word. */
export function findPrimaryUrl(
  { primary, compat }: Pick<ClusterConfig, 'primary' | 'compat'>,
  known: string | undefined,
): string | undefined {
  const [first, ...others] = primary.urls;
  const given = known !== undefined || compat !== undefined ? first : undefined;
  // That it can be reached where the configuration says is known; where it says itself is not.
  return others.length === 0 ? given : (known ?? given);
}
