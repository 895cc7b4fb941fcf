// The cluster and the proxy of a configuration on its way: what one source says of them, and what
// becomes of it.

import { resolve } from 'node:path';

import type { ClusterConfig, ListenConfig, ProxyConfig, TlsConfig } from './cluster-config.ts';
import type { ConfigProblem } from './errors.ts';
import { type Address, isLoopback } from './values.ts';

/** What is missing is not said. */
export interface ClusterDraft {
  readonly name?: string | undefined;
  readonly primary?: string | undefined;
  readonly primaryUrl?: string | undefined;
  readonly leaderElection?: 'static' | undefined;
  /** What LiteFS says of this node in place of a name. */
  readonly isCandidate?: boolean | undefined;
  readonly address?: Address | undefined;
  /** The port alone: on all interfaces where the node can tell who asks, else on this machine. */
  readonly port?: number | undefined;
  readonly advertiseUrl?: string | undefined;
  readonly secret?: string | undefined;
  /** Where the secret stands, instead. */
  readonly secretFile?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
  readonly tlsVerifiesPeer?: boolean | undefined;
  readonly isInsecure?: boolean | undefined;
  readonly compat?: 'litefs' | undefined;
  readonly allowFrom?: readonly string[] | undefined;
  readonly databases?: readonly string[] | undefined;
  readonly isForced?: boolean | undefined;
  readonly maxLagMs?: number | undefined;
  readonly drainMs?: number | undefined;
}

export interface ProxyDraft {
  readonly address?: Address | undefined;
  readonly alsoAt?: readonly Address[] | undefined;
  readonly target?: Address | undefined;
  readonly advertiseUrl?: string | undefined;
  readonly database?: string | undefined;
  readonly passthrough?: readonly string[] | undefined;
  readonly alwaysForward?: readonly string[] | undefined;
  readonly waitMs?: number | undefined;
  readonly primaryWaitMs?: number | undefined;
  readonly maxLagMs?: number | undefined;
  readonly flyReplay?: boolean | undefined;
  readonly debug?: boolean | undefined;
  readonly gate?: number | undefined;
  readonly gateWaitMs?: number | undefined;
}

export const NODE_PORT = 20_202;
/** As many nodes may run on one machine without being told their ports. */
export const NODE_PORT_COUNT = 16;

const MAX_LAG_MS = 10_000;
const DRAIN_MS = 5_000;
/** As the proxy has them by itself. */
const PROXY_WAIT_MS = 1_000;
const PROXY_PRIMARY_WAIT_MS = 5_000;
const GATE_WAIT_MS = 5_000;

export interface FinishClusterOptions {
  /** Where relative paths begin. */
  readonly cwd: string;
  /** What the machine is called, for a node that has no other name. */
  readonly hostname: string;
}

export type Finished<T> =
  | { readonly config: T | undefined; readonly problems: readonly [] }
  | { readonly config: undefined; readonly problems: readonly ConfigProblem[] };

/** No cluster where nobody speaks of one. A name alone does not make one. */
export function finishCluster(
  draft: ClusterDraft | undefined,
  options: FinishClusterOptions,
): Finished<ClusterConfig> {
  const { name, ...rest } = draft ?? {};
  const isMeant = Object.values(rest).some((value) => value !== undefined);
  if (!isMeant) return { config: undefined, problems: [] };
  const problems = [...checkCluster(rest), ...checkCandidacy(rest, name ?? options.hostname)];
  if (problems.length > 0) return { config: undefined, problems };
  const tls = finishTls(rest, options.cwd);
  const isProtected = rest.secret !== undefined || tls?.verifiesPeer === true;
  const isInsecure = rest.isInsecure ?? false;
  const listen = finishListen(rest, isProtected || isInsecure);
  const scheme = tls === undefined ? 'http' : 'https';
  const primary = rest.primary!;
  const config: ClusterConfig = {
    name: name ?? options.hostname,
    primary: { name: primary, urls: primaryUrls(rest, scheme, listen) },
    listen,
    advertiseUrl: rest.advertiseUrl,
    secret: rest.secret,
    tls,
    isInsecure,
    compat: rest.compat === undefined ? undefined : { allowFrom: rest.allowFrom ?? [] },
    databases: rest.databases,
    isForced: rest.isForced ?? false,
    maxLagMs: rest.maxLagMs ?? MAX_LAG_MS,
    drainMs: rest.drainMs ?? DRAIN_MS,
  };
  const exposed = isProtected || isInsecure ? [] : checkExposure(listen.host);
  if (exposed.length > 0) return { config: undefined, problems: exposed };
  return { config, problems: [] };
}

export function finishProxy(
  draft: ProxyDraft | undefined,
  cluster: ClusterConfig | undefined,
): Finished<ProxyConfig> {
  const { address, target } = draft ?? {};
  const isMeant = Object.values(draft ?? {}).some((value) => value !== undefined);
  // LiteFS does without a proxy too where no target is said.
  if (!isMeant || (address === undefined && target === undefined)) {
    return { config: undefined, problems: [] };
  }
  if (address === undefined) {
    return refuse('proxy.address', 'where does the proxy listen? Say it like :8080');
  }
  if (target === undefined) {
    return refuse('proxy.target', 'where does the app listen? Say it like localhost:8081');
  }
  if (draft?.advertiseUrl?.startsWith('https:') === true) {
    const message = 'nodes forward to each other over plain HTTP: say where the proxy itself is';
    return refuse('proxy.advertise-url', message);
  }
  const compat = cluster?.compat !== undefined;
  if (compat && draft?.database === undefined) {
    return refuse('proxy.database', 'the cookie of LiteFS is about one database: say which');
  }
  return {
    problems: [],
    config: {
      address,
      alsoAt: draft?.alsoAt ?? [],
      target,
      advertiseUrl: draft?.advertiseUrl,
      database: draft?.database,
      passthrough: draft?.passthrough ?? [],
      alwaysForward: draft?.alwaysForward ?? [],
      waitMs: draft?.waitMs ?? PROXY_WAIT_MS,
      primaryWaitMs: draft?.primaryWaitMs ?? PROXY_PRIMARY_WAIT_MS,
      maxLagMs: draft?.maxLagMs ?? MAX_LAG_MS,
      flyReplay: draft?.flyReplay ?? false,
      debug: draft?.debug ?? false,
      compat,
      gate: draft?.gate ?? 0,
      gateWaitMs: draft?.gateWaitMs ?? GATE_WAIT_MS,
    },
  };
}

function checkCluster(draft: ClusterDraft): ConfigProblem[] {
  const { tlsCert, tlsKey, tlsCa, tlsVerifiesPeer, compat, allowFrom } = draft;
  const problems: ConfigProblem[] = [];
  const report = (key: string, message: string): void => {
    problems.push({ source: 'configuration', key, message });
  };
  if (draft.primary === undefined) {
    report(
      'cluster.primary',
      'which node accepts writes? Say its name, here or as PRIMARY_HOSTNAME',
    );
  }
  const hasTls = tlsCert !== undefined || tlsKey !== undefined || tlsCa !== undefined;
  if (hasTls && (tlsCert === undefined || tlsKey === undefined)) {
    report('cluster.tls', 'a certificate and its key belong together: say cert and key');
  }
  if (hasTls && tlsVerifiesPeer === true && tlsCa === undefined) {
    report('cluster.tls.verify-peer', 'by which authority? Say cluster.tls.ca');
  }
  if (compat === undefined && allowFrom !== undefined) {
    report('cluster.allow-from', 'it is about nodes of LiteFS: say cluster.compat: litefs as well');
  }
  if (compat !== undefined && allowFrom === undefined && draft.isInsecure !== true) {
    const cure = 'say cluster.allow-from, a list of addresses, or cluster.insecure: true';
    report('cluster.compat', `nodes of LiteFS cannot prove who they are: ${cure}`);
  }
  return problems;
}

function checkCandidacy({ primary, isCandidate }: ClusterDraft, name: string): ConfigProblem[] {
  if (isCandidate === undefined || primary === undefined) return [];
  if (isCandidate === (name === primary)) return [];
  const message = isCandidate
    ? `this node is the candidate, but is named ${name}, and the primary is ${primary}`
    : `this node is no candidate, but is named ${name}, as the primary is`;
  return [{ source: 'configuration', key: 'lease.candidate', message }];
}

function finishTls(draft: ClusterDraft, cwd: string): TlsConfig | undefined {
  const { tlsCert, tlsKey, tlsCa, tlsVerifiesPeer } = draft;
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return {
    certFile: resolve(cwd, tlsCert),
    keyFile: resolve(cwd, tlsKey),
    caFile: tlsCa === undefined ? undefined : resolve(cwd, tlsCa),
    verifiesPeer: tlsVerifiesPeer ?? tlsCa !== undefined,
  };
}

function finishListen({ address, port }: ClusterDraft, mayLeaveMachine: boolean): ListenConfig {
  if (address !== undefined) return { ...address, portCount: 1 };
  const host = mayLeaveMachine ? '' : '127.0.0.1';
  if (port !== undefined) return { host, port, portCount: 1 };
  return { host, port: NODE_PORT, portCount: NODE_PORT_COUNT };
}

/** On one machine the primary has one of the ports that nodes get there by themselves. */
function primaryUrls(
  { primary, primaryUrl }: ClusterDraft,
  scheme: string,
  { host }: ListenConfig,
): readonly string[] {
  if (primaryUrl !== undefined) return [primaryUrl];
  if (!isLoopback(host)) return [`${scheme}://${primary}:${NODE_PORT}/`];
  return Array.from(
    { length: NODE_PORT_COUNT },
    (_, index) => `${scheme}://127.0.0.1:${NODE_PORT + index}/`,
  );
}

function checkExposure(host: string): ConfigProblem[] {
  if (isLoopback(host)) return [];
  const where = host === '' ? 'all interfaces' : host;
  const cure =
    'set cluster.secret or cluster.secret-file (SKEIN_SECRET, SKEIN_SECRET_FILE), ' +
    'or cluster.tls with a ca, or say cluster.insecure: true';
  const message = `on ${where} anybody could read the databases: ${cure}`;
  return [{ source: 'configuration', key: 'cluster', message }];
}

function refuse(key: string, message: string): Finished<never> {
  return { config: undefined, problems: [{ source: 'configuration', key, message }] };
}
