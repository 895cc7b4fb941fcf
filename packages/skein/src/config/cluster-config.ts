// What a node can be told about its cluster, and about the proxy in front of its app, with nothing
// left open. Plain data: it goes to other threads.

export interface ClusterConfig {
  /** Of this node: what other nodes and configurations call it. */
  readonly name: string;
  readonly primary: {
    readonly name: string;
    /** Where its node API may be, the likeliest first. */
    readonly urls: readonly string[];
  };
  readonly listen: ListenConfig;
  /** Where others find the node API; undefined: by this node's name, and the port that it got. */
  readonly advertiseUrl: string | undefined;
  readonly secret: string | undefined;
  readonly tls: TlsConfig | undefined;
  /** Serves other machines although it cannot tell who asks. */
  readonly isInsecure: boolean;
  readonly compat: CompatConfig | undefined;
  /** What a replica takes; undefined: everything. */
  readonly databases: readonly string[] | undefined;
  /** Becomes primary although a peer has transactions that this node lacks. */
  readonly isForced: boolean;
  /** A replica that is further behind is not ready. */
  readonly maxLagMs: number;
  /** How long a primary that ends waits for its replicas. */
  readonly drainMs: number;
}

export interface ListenConfig {
  /** A name or an address; empty: all interfaces. */
  readonly host: string;
  /** The first port that is tried; 0: any that is free. */
  readonly port: number;
  /** How many ports are tried, upward. */
  readonly portCount: number;
}

export interface TlsConfig {
  /** Files, absolute. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string | undefined;
  /** Whether peers have to show a certificate of the same authority. */
  readonly verifiesPeer: boolean;
}

/** Nodes of LiteFS may be peers. */
export interface CompatConfig {
  /** Addresses, and ranges of them, from which they may come: they cannot prove who they are. */
  readonly allowFrom: readonly string[];
}

export interface ProxyConfig {
  readonly address: ProxyAddress;
  /** Where else clients come; other nodes find it at the first. */
  readonly alsoAt: readonly ProxyAddress[];
  /** Where the app of this node listens. */
  readonly target: ProxyAddress;
  /** Where the proxies of other nodes find this one; undefined: as with the node API. */
  readonly advertiseUrl: string | undefined;
  readonly database: string | undefined;
  readonly passthrough: readonly string[];
  readonly alwaysForward: readonly string[];
  readonly waitMs: number;
  readonly primaryWaitMs: number;
  readonly maxLagMs: number;
  readonly flyReplay: boolean;
  readonly debug: boolean;
  /** Sets the cookie of LiteFS as well. */
  readonly compat: boolean;
  /** A response to a write is held until so many replicas have it; 0: it is not held. */
  readonly gate: number;
  readonly gateWaitMs: number;
}

export interface ProxyAddress {
  /** A name or an address; empty: all interfaces. */
  readonly host: string;
  readonly port: number;
}
