// litefs.yml of LiteFS 0.3, 0.4 and 0.5, so that who comes from there can begin with what they
// have.
//
// What maps is mapped. What LiteFS knows and has no meaning here is named in a warning, since to
// pass over a key in silence would promise what it says. Any other key is an error, as it is there.
// Keys by version: 0.3 has `mount-dir`, `data-dir`, `retention`, `consul` and `static` at the top,
// 0.4 and 0.5 have `fuse`, `data` and `lease`.

import { z } from 'zod';

import { type ClusterDraft, NODE_PORT, type ProxyDraft } from './cluster-draft.ts';
import { READ_CLUSTER } from './cluster-section.ts';
import type { ConfigDraft } from './draft.ts';
import { ConfigError } from './errors.ts';
import { type ExecEntry, readExec } from './exec.ts';
import { anything, keysAndValues, readShape, scalar, section } from './shape.ts';
import { READ } from './skein-file.ts';
import { type Address, isLoopback, parseAddress, parseBoolean, parseText } from './values.ts';
import type { YamlFile } from './yaml-file.ts';

/** A key that LiteFS knows and that has no meaning here: anything goes. */
const IGNORED = z.unknown().optional();

function ignored<K extends string>(...keys: readonly K[]): Record<K, typeof IGNORED> {
  return Object.fromEntries(keys.map((key) => [key, IGNORED])) as Record<K, typeof IGNORED>;
}

const CONSUL_KEYS = ['url', 'key', 'ttl', 'lock-delay', 'hostname', 'advertise-url'] as const;

const SCHEMA = keysAndValues({
  'mount-dir': scalar(READ.path),
  fuse: section({
    dir: scalar(READ.path),
    'allow-other': scalar(parseBoolean),
    ...ignored('debug'),
  }),
  'data-dir': scalar(READ.path),
  data: section({
    dir: scalar(READ.path),
    retention: scalar(READ.retention),
    ...ignored('compress', 'retention-monitor-interval'),
  }),
  retention: section({ duration: scalar(READ.retention), ...ignored('monitor-interval') }),
  exec: anything((value) => readExec(value, ['cmd', 'if-candidate'])),
  http: section({ addr: scalar(parseAddress), ...ignored('snapshot-timeout') }),
  log: section({
    format: scalar(READ.logFormat),
    debug: scalar(parseBoolean),
    ...ignored('timestamp'),
  }),
  debug: scalar(parseBoolean),
  candidate: scalar(parseBoolean),
  static: section({
    primary: scalar(parseBoolean),
    hostname: scalar(READ_CLUSTER.nodeName),
    'advertise-url': scalar(READ_CLUSTER.url),
  }),
  consul: section(ignored(...CONSUL_KEYS)),
  lease: section({
    type: scalar(parseText),
    hostname: scalar(READ_CLUSTER.nodeName),
    'advertise-url': scalar(READ_CLUSTER.url),
    candidate: scalar(parseBoolean),
    databases: anything(READ_CLUSTER.texts),
    consul: section(ignored(...CONSUL_KEYS)),
    ...ignored('promote', 'reconnect-delay', 'demote-delay'),
  }),
  proxy: section({
    addr: scalar(parseAddress),
    target: scalar(parseAddress),
    db: scalar(parseText),
    'max-lag': scalar(READ_CLUSTER.wait),
    debug: scalar(parseBoolean),
    passthrough: anything(READ_CLUSTER.texts),
    'always-forward': anything(READ_CLUSTER.texts),
    'primary-redirect-timeout': scalar(READ_CLUSTER.wait),
    ...ignored('read-timeout', 'read-header-timeout', 'write-timeout', 'idle-timeout'),
  }),
  backup: section(ignored('type', 'path', 'url', 'cluster', 'auth-token', 'delay')),
  tracing: section(ignored('enabled', 'path', 'max-size', 'max-count', 'compress')),
  ...ignored('exit-on-error', 'skip-sync', 'strict-verify'),
});

type LitefsFile = z.infer<typeof SCHEMA>;

/** Dotted keys that readLitefsFile() takes over, or speaks of by itself. */
const MAPPED: ReadonlySet<string> = new Set([
  'mount-dir',
  'fuse.dir',
  'fuse.allow-other',
  'data-dir',
  'data.dir',
  'data.retention',
  'retention.duration',
  'exec',
  'http.addr',
  'log.format',
  'log.debug',
  'debug',
  'candidate',
  'static.primary',
  'static.hostname',
  'static.advertise-url',
  'lease.type',
  'lease.hostname',
  'lease.advertise-url',
  'lease.candidate',
  'lease.databases',
  'proxy.addr',
  'proxy.target',
  'proxy.db',
  'proxy.max-lag',
  'proxy.debug',
  'proxy.passthrough',
  'proxy.always-forward',
  'proxy.primary-redirect-timeout',
]);

/** Why the keys of a section do nothing; the others have no counterpart. */
const REASONS: Readonly<Record<string, string>> = {
  backup: 'there are no backups yet',
  consul: 'the primary is the one that is named',
  lease: 'the primary is the one that is named',
  proxy: 'the limits of the proxy are its own',
  tracing: 'the environment variable SKEIN_TRACE=fuse shows all operations',
};

export interface LitefsDraft {
  readonly draft: ConfigDraft;
  readonly warnings: readonly string[];
}

/** What LiteFS 0.5.8 and later have when nothing is said. */
const DEFAULT_MOUNTPOINT = '/litefs';
const DEFAULT_DATA = '/var/lib/litefs';

const LITEFS_KEYS: readonly string[] = ['fuse', 'mount-dir'];

/** Whether a file is LiteFS's, by its keys. */
export function looksLikeLitefs(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return !('mount' in value) && LITEFS_KEYS.some((key) => key in value);
}

/** Throws ConfigError. */
export function readLitefsFile(source: string, file: YamlFile): LitefsDraft {
  const content = readShape(source, file, SCHEMA);
  const { fuse, data, retention, log, 'mount-dir': mountDir, 'data-dir': dataDir } = content;
  const isCandidate = findCandidacy(content);
  checkLease(source, file, content);
  const isDebug = log?.debug === true || content.debug === true;
  const cluster = clusterOf(content, isCandidate);
  const address = content.http?.addr;
  const isMoved = cluster === undefined && address !== undefined && !isLoopback(address.host);
  return {
    draft: {
      mountpoint: fuse?.dir ?? mountDir ?? DEFAULT_MOUNTPOINT,
      allowOther: fuse?.['allow-other'],
      // Version 0.3 kept its data beside the mountpoint, as we do.
      dataFolder: data?.dir ?? dataDir ?? (mountDir === undefined ? DEFAULT_DATA : undefined),
      retentionMs: data?.retention ?? retention?.duration,
      httpAddress: cluster === undefined && address !== undefined ? toLocal(address) : undefined,
      cluster,
      proxy: proxyOf(content),
      exec: commandsFor(content.exec, isCandidate),
      logFormat: log?.format,
      logLevel: isDebug ? 'debug' : undefined,
    },
    warnings: [
      ...describeIgnored(source, file.value),
      ...(isCandidate || cluster !== undefined
        ? []
        : [`${source}: this node takes writes, though it is no candidate there`]),
      ...(isMoved
        ? [`${source}: http.addr: listening on this machine alone, for want of a secret`]
        : []),
    ],
  };
}

/** Where LiteFS asks Consul who leads, a node that went on alone would be a second primary. */
function checkLease(source: string, file: YamlFile, { lease, consul, ...rest }: LitefsFile): void {
  const refuse = (path: readonly string[], what: string): never => {
    const cure =
      'use a static lease: lease: { type: static, hostname: NAME, advertise-url: URL, ' +
      'candidate: true on the primary, else false }';
    const message = `${what}: ${cure}`;
    throw new ConfigError([{ source, line: file.lineOf(path), key: path.join('.'), message }]);
  };
  const type = lease?.type;
  if (type === 'consul') refuse(['lease', 'type'], '"consul" does not exist yet');
  if (type !== undefined && type !== 'static' && type !== 'consul') {
    refuse(['lease', 'type'], `${JSON.stringify(type)} is none of static, consul`);
  }
  if (type === undefined && lease?.consul !== undefined) {
    refuse(['lease', 'consul'], 'Consul is not used yet');
  }
  if (consul !== undefined && rest.static === undefined) {
    refuse(['consul'], 'Consul is not used yet');
  }
}

/** There, hostname and advertise-url are the primary's on every node. */
function clusterOf(content: LitefsFile, isCandidate: boolean): ClusterDraft | undefined {
  const { lease, http, static: fixed } = content;
  const primary = lease?.hostname ?? fixed?.hostname;
  const url = lease?.['advertise-url'] ?? fixed?.['advertise-url'];
  const isStatic = lease?.type === 'static' || fixed !== undefined;
  if (!isStatic) return undefined;
  const address = http?.addr;
  // Whoever said where to listen does not want to be heard everywhere.
  const hasHost = address !== undefined && address.host !== '';
  return {
    name: isCandidate ? primary : undefined,
    primary,
    primaryUrl: url,
    isCandidate,
    advertiseUrl: isCandidate ? url : undefined,
    ...(hasHost ? { address } : { port: address?.port ?? NODE_PORT }),
    databases: lease?.databases,
  };
}

function proxyOf({ proxy }: LitefsFile): ProxyDraft | undefined {
  // As there: without a target there is no proxy.
  if (proxy?.target === undefined) return undefined;
  return {
    address: proxy.addr,
    target: proxy.target,
    database: proxy.db,
    maxLagMs: proxy['max-lag'],
    debug: proxy.debug,
    passthrough: proxy.passthrough,
    alwaysForward: proxy['always-forward'],
    primaryWaitMs: proxy['primary-redirect-timeout'],
  };
}

/** Whether the node may become primary, in the words of each version. */
function findCandidacy({ candidate, static: fixed, lease }: LitefsFile): boolean {
  return lease?.candidate ?? fixed?.primary ?? candidate ?? true;
}

function commandsFor(entries: readonly ExecEntry[] | undefined, isCandidate: boolean) {
  return entries
    ?.filter(({ isForCandidates }) => isCandidate || !isForCandidates)
    .map(({ command }) => command);
}

/** LiteFS serves everybody; its file has no place for the secret that takes. */
function toLocal(address: Address): Address {
  return isLoopback(address.host) ? address : { ...address, host: '127.0.0.1' };
}

function describeIgnored(source: string, value: unknown): string[] {
  const keys = leavesOf(value).filter((key) => !MAPPED.has(key));
  const byReason = Map.groupBy(keys, (key) => REASONS[key.split('.')[0]!] ?? '');
  return [...byReason].map(([reason, names]) => {
    const because = reason === '' ? '' : ` (${reason})`;
    return `${source}: without a meaning here: ${names.join(', ')}${because}`;
  });
}

/** Dotted names of all keys that have a value rather than keys of their own. */
function leavesOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [prefix];
  return Object.entries(value).flatMap(([key, inner]) => {
    return leavesOf(inner, prefix === '' ? key : `${prefix}.${key}`);
  });
}
