// The sections `cluster` and `proxy` of skein.yml.

import type { z } from 'zod';

import type { ClusterDraft, ProxyDraft } from './cluster-draft.ts';
import { anything, keysAndValues, scalar, section } from './shape.ts';
import {
  type Address,
  choice,
  durationUpTo,
  isSingleWord,
  parseAddress,
  parseBoolean,
  parseSecret,
  parseText,
  wholeNumber,
} from './values.ts';

/** How each value is read: in files, in the environment, on the command line. */
export const READ_CLUSTER: {
  readonly nodeName: (text: string) => string;
  readonly leaderElection: (text: string) => 'static';
  readonly url: (text: string) => string;
  readonly wait: (text: string) => number;
  readonly texts: (value: unknown) => readonly string[];
} = {
  nodeName: parseNodeName,
  leaderElection: parseLeaderElection,
  url: parseUrl,
  wait: durationUpTo('1h'),
  texts: parseTexts,
};

const CLUSTER = keysAndValues({
  name: scalar(parseNodeName),
  primary: scalar(parseNodeName),
  'primary-url': scalar(parseUrl),
  'leader-election': scalar(parseLeaderElection),
  address: scalar(parseAddress),
  'advertise-url': scalar(parseUrl),
  secret: scalar(parseSecret),
  'secret-file': scalar(parseText),
  tls: section({
    cert: scalar(parseText),
    key: scalar(parseText),
    ca: scalar(parseText),
    'verify-peer': scalar(parseBoolean),
  }),
  insecure: scalar(parseBoolean),
  compat: scalar(choice('litefs')),
  'allow-from': anything(parseTexts),
  databases: anything(parseTexts),
  'force-primary': scalar(parseBoolean),
  'max-lag': scalar(READ_CLUSTER.wait),
  drain: scalar(READ_CLUSTER.wait),
});

const PROXY = keysAndValues({
  address: anything(parseAddresses),
  target: scalar(parseAddress),
  'advertise-url': scalar(parseUrl),
  database: scalar(parseText),
  'max-lag': scalar(READ_CLUSTER.wait),
  passthrough: anything(parseTexts),
  'always-forward': anything(parseTexts),
  wait: scalar(READ_CLUSTER.wait),
  'primary-wait': scalar(READ_CLUSTER.wait),
  'fly-replay': scalar(parseBoolean),
  debug: scalar(parseBoolean),
  gate: scalar(wholeNumber(0, 63)),
  'gate-wait': scalar(READ_CLUSTER.wait),
});

export const CLUSTER_SECTION: z.ZodOptional<z.ZodType<ClusterDraft>> =
  CLUSTER.transform(clusterDraftOf).optional();
export const PROXY_SECTION: z.ZodOptional<z.ZodType<ProxyDraft>> =
  PROXY.transform(proxyDraftOf).optional();

function clusterDraftOf(cluster: z.infer<typeof CLUSTER>): ClusterDraft {
  const { tls } = cluster;
  return {
    name: cluster.name,
    primary: cluster.primary,
    primaryUrl: cluster['primary-url'],
    leaderElection: cluster['leader-election'],
    address: cluster.address,
    advertiseUrl: cluster['advertise-url'],
    secret: cluster.secret,
    secretFile: cluster['secret-file'],
    tlsCert: tls?.cert,
    tlsKey: tls?.key,
    tlsCa: tls?.ca,
    tlsVerifiesPeer: tls?.['verify-peer'],
    isInsecure: cluster.insecure,
    compat: cluster.compat,
    allowFrom: cluster['allow-from'],
    databases: cluster.databases,
    isForced: cluster['force-primary'],
    maxLagMs: cluster['max-lag'],
    drainMs: cluster.drain,
  };
}

function proxyDraftOf(proxy: z.infer<typeof PROXY>): ProxyDraft {
  const [address, ...alsoAt] = proxy.address ?? [];
  return {
    address,
    alsoAt: address === undefined ? undefined : alsoAt,
    target: proxy.target,
    advertiseUrl: proxy['advertise-url'],
    database: proxy.database,
    maxLagMs: proxy['max-lag'],
    passthrough: proxy.passthrough,
    alwaysForward: proxy['always-forward'],
    waitMs: proxy.wait,
    primaryWaitMs: proxy['primary-wait'],
    flyReplay: proxy['fly-replay'],
    debug: proxy.debug,
    gate: proxy.gate,
    gateWaitMs: proxy['gate-wait'],
  };
}

/** Names stand in messages and headers, and are compared as they are. */
function parseNodeName(text: string): string {
  if (isSingleWord(text)) return text;
  throw new RangeError(`${JSON.stringify(text)} is no name of a node: letters, digits, signs only`);
}

function parseLeaderElection(text: string): 'static' {
  if (text === 'static') return text;
  const quoted = JSON.stringify(text);
  const known = 'use static, and name the primary (cluster.primary, or PRIMARY_HOSTNAME)';
  if (text === 'raft' || text === 'consul' || text === 'etcd') {
    throw new RangeError(`${quoted} does not exist yet: ${known}`);
  }
  throw new RangeError(`${quoted} is no leader election: ${known}`);
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  const isBare = url !== null && url.pathname === '/' && url.search === '' && url.hash === '';
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (isBare && isHttp && url.username === '' && url.password === '') return url.href;
  throw new RangeError(`${JSON.stringify(text)} is no URL; write it like http://node1:20202`);
}

/** A list of texts, or one text. */
function parseTexts(value: unknown): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isEach = texts.every((text) => typeof text === 'string' && text !== '');
  if (isEach) return texts as readonly string[];
  throw new RangeError('expected a text here, or a list of them');
}

/**
 * An address, or a list of them, each taken once. What is empty in a list counts for nothing: a
 * variable that is not set.
 */
function parseAddresses(value: unknown): readonly Address[] {
  const texts = Array.isArray(value) ? parseTextsOrEmpty(value) : parseTexts(value);
  const addresses = [...new Set(texts)].map(parseAddress);
  if (addresses.length > 0) return addresses;
  throw new RangeError('expected an address here, or a list of them, like :8080');
}

function parseTextsOrEmpty(values: readonly unknown[]): readonly string[] {
  const said = values.filter((value) => value !== '' && value !== null);
  return said.length === 0 ? [] : parseTexts(said);
}
