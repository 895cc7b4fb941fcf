// What the plugins of all frameworks can be told, and what they do when they are not.

import type { PrimaryAddress } from '../errors.ts';
import type { NodeView } from '../node-view.ts';

export type RequestKind =
  /** Answered by this node, once it has what the client has seen. */
  | 'read'
  /** Executed by the primary. */
  | 'write'
  /** Of no concern to the plugin: to the application, as it is. */
  | 'local';

export interface RequestLine {
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
}

/** Where the application of the primary is, or its proxy; undefined: nowhere to forward to. */
export type FindPrimary = (primary: PrimaryAddress) => string | undefined;

export interface WebOptions {
  readonly node: NodeView;
  /** The database that clients read and write: `settings.databaseName`. */
  readonly database: string;
  /**
   * Where writes of a replica go when no proxy of Skein has brought the request. Default true: to
   * the proxy of the primary. A function says where else. False: to the application here, whose
   * write then fails with NotPrimaryError.
   */
  readonly forward?: boolean | FindPrimary;
  /** What a request is; default: GET, HEAD and OPTIONS are reads, all others are writes. */
  readonly classify?: (line: RequestLine) => RequestKind;
  /** Health is told at paths below; default "/health". False: it is not. */
  readonly healthPath?: string | false;
  /** Whether the application can serve; asked by the path `ready`. Default: always. */
  readonly isReady?: () => boolean | Promise<boolean>;
  /** From this lag on a replica is not ready; default 10,000. 0: lag does not matter. */
  readonly maxLagMs?: number;
  /** How long a read waits for what its client has seen; default 1000. */
  readonly waitMs?: number;
  /** How long a write waits for a primary that can be reached; default 5000. */
  readonly primaryWaitMs?: number;
  /** Of the cluster: proves to the other side that a node of ours has forwarded a request. */
  readonly secret?: string;
  /** Whether X-Forwarded-* of clients are believed: a balancer stands in front. Default false. */
  readonly trustForwarded?: boolean;
}

/** Options with nothing left out. */
export interface ResolvedOptions {
  readonly node: NodeView;
  readonly database: string;
  readonly findPrimary: FindPrimary | undefined;
  readonly classify: (line: RequestLine) => RequestKind;
  readonly healthPath: string | undefined;
  readonly isReady: () => boolean | Promise<boolean>;
  readonly maxLagMs: number;
  readonly waitMs: number;
  readonly primaryWaitMs: number;
  readonly secret: string | undefined;
  readonly trustForwarded: boolean;
}

export function resolveOptions(options: WebOptions): ResolvedOptions {
  const { node, database, forward = true, healthPath = '/health', secret } = options;
  return {
    node,
    database,
    findPrimary:
      typeof forward === 'function' ? forward : forward ? ({ proxyUrl }) => proxyUrl : undefined,
    classify: options.classify ?? classifyByMethod,
    healthPath: healthPath === false ? undefined : healthPath.replace(/\/$/, ''),
    isReady: options.isReady ?? (() => true),
    // The four that follow are the proxy's.
    maxLagMs: options.maxLagMs ?? 10_000,
    waitMs: options.waitMs ?? 1000,
    primaryWaitMs: options.primaryWaitMs ?? 5000,
    trustForwarded: options.trustForwarded ?? false,
    secret,
  };
}

const READ_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function isReadMethod(method: string): boolean {
  return READ_METHODS.has(method);
}

function classifyByMethod({ method }: RequestLine): RequestKind {
  return isReadMethod(method) ? 'read' : 'write';
}
