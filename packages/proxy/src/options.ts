// What a proxy can be told, and what it does when it is not.

import type { Positions } from '@skein/client/peers';
import { type Clock, type Log, type Metrics, systemClock } from '@skein/host';

import type { ForwardedTrust } from './forwarded.ts';
import type { NodeView } from './node-view.ts';

/**
 * Resolves with whether so many replicas have these positions as are needed before a client may
 * learn of its write. `signal`: nobody waits for it any more.
 */
export type OutputGate = (positions: Positions, signal: AbortSignal) => Promise<boolean>;

export interface HostAndPort {
  /** Without brackets; the empty string is every interface, for an address to listen on. */
  readonly host: string;
  readonly port: number;
}

export interface ProxySettings {
  /** The database that clients read and write; undefined: whatever moves during a request. */
  readonly database: string | undefined;
  readonly passthrough: readonly string[];
  readonly alwaysForward: readonly string[];
  /** How long a read waits for this node to have what its client has seen. */
  readonly waitMs: number;
  /** How long a request waits for a primary. */
  readonly primaryWaitMs: number;
  /** How long one waits for the app to listen. */
  readonly startWaitMs: number;
  /** From this lag on the node is not healthy; 0: lag does not matter. */
  readonly maxLagMs: number;
  /** Answers `fly-replay` to a write instead of forwarding it. */
  readonly flyReplay: boolean;
  /** Whether clients may ask for Skein-Debug. */
  readonly debug: boolean;
  /** Sets LiteFS's cookie too; needs `database`. */
  readonly compat: boolean;
  readonly gate: OutputGate | undefined;
  readonly gateWaitMs: number;
  /** Of the cluster: proves to the primary's proxy that a proxy has forwarded a request. */
  readonly secret: string | undefined;
  readonly trustForwarded: ForwardedTrust;
  readonly limits: ProxyLimits;
}

export interface ProxyLimits {
  /** From the first byte of a request to the last of its headers. */
  readonly headersMs: number;
  /** A connection without a request. */
  readonly idleMs: number;
  /** A request body of which nothing comes. */
  readonly bodyStallMs: number;
  /** A connection to the app or the primary that does not come about. */
  readonly connectMs: number;
  /** From the last byte of a request to the headers of the answer. */
  readonly answerMs: number;
  /** What close() lets requests under way have. */
  readonly closeMs: number;
  readonly headerBytes: number;
  readonly connections: number;
  readonly upgrades: number;
  /** Requests that wait for a position or a primary; one more is answered as if it had waited. */
  readonly waiters: number;
}

/** Each with LiteFS's value where LiteFS has one. */
export const DEFAULT_LIMITS: ProxyLimits = {
  headersMs: 10_000,
  idleMs: 30_000,
  bodyStallMs: 60_000,
  connectMs: 5000,
  // Reports and long polls take their time; what takes longer has lost its client anyway.
  answerMs: 300_000,
  closeMs: 5000,
  // Node's own.
  headerBytes: 16_384,
  // Below what a process may usually open, two sockets a connection.
  connections: 16_384,
  upgrades: 8192,
  // Each is a request with its headers: some 20 MB at most.
  waiters: 1024,
};

export const DEFAULT_PROXY_SETTINGS: ProxySettings = {
  database: undefined,
  passthrough: [],
  alwaysForward: [],
  waitMs: 1000,
  primaryWaitMs: 5000,
  startWaitMs: 30_000,
  maxLagMs: 10_000,
  flyReplay: false,
  debug: false,
  compat: false,
  gate: undefined,
  gateWaitMs: 5000,
  secret: undefined,
  trustForwarded: 'private',
  limits: DEFAULT_LIMITS,
};

export interface ProxyOptions extends Partial<Omit<ProxySettings, 'limits'>> {
  /** Where to listen; port 0 is any. */
  readonly address: HostAndPort;
  /** Where else. */
  readonly alsoAt?: readonly HostAndPort[];
  /** The app on this node. */
  readonly target: HostAndPort;
  readonly view: NodeView;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  readonly limits?: Partial<ProxyLimits>;
}

/** Options with nothing left out. */
export interface ResolvedOptions extends ProxySettings {
  readonly address: HostAndPort;
  readonly alsoAt: readonly HostAndPort[];
  readonly target: HostAndPort;
  readonly view: NodeView;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

export function resolveOptions(options: ProxyOptions): ResolvedOptions {
  return {
    ...DEFAULT_PROXY_SETTINGS,
    clock: systemClock,
    alsoAt: [],
    ...options,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  };
}
