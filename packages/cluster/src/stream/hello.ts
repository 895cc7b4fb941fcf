// What two nodes say of themselves when they connect, as headers of the request and of the answer.
//
//   litefs-id          id of the node, 16 uppercase hexadecimal digits (LiteFS's)
//   litefs-cluster-id  id of the cluster, in answers (LiteFS's)
//   skein-protocol     version of Skein's part; without it the peer is a LiteFS
//   skein-cluster-id   id of the cluster, in requests
//   skein-node, skein-url, skein-primary
//                      name, advertised URL, name of the primary it is configured for; URI-encoded
//   skein-epoch        the last term of leadership that the node has seen
//   skein-resume       in requests: `<id> <offset>` of a file that broke off
//   skein-auth         signature of all these (auth/authenticator.ts)

import { formatHex64, maybeParseHex64 } from '@skein/bytes';

import { ReplicationError } from '../errors.ts';
import { isClusterId } from '../lease/cluster-id.ts';

export const PROTOCOL_VERSION = '1';

export const STREAM_PATH = '/stream';

/** What a node says of itself. */
export interface NodeHello {
  readonly nodeId: bigint;
  readonly name: string;
  /** Where the node advertises its API; empty: nowhere. */
  readonly url: string;
  /** The name of the primary that it is configured for; empty: none. */
  readonly primary: string;
  /** The last term of leadership that it has seen. */
  readonly epoch: number;
  /** Undefined until the node belongs to a cluster. */
  readonly clusterId: string | undefined;
}

/** A peer of Skein, or a LiteFS, of which no more is known than its id. */
export type StreamPeer =
  | (NodeHello & { readonly dialect: 'skein' })
  | {
      readonly dialect: 'litefs';
      readonly nodeId: bigint;
      readonly clusterId: string | undefined;
    };

export interface ResumePoint {
  readonly id: string;
  readonly offset: number;
}

export type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Names of hosts and URLs are shorter. */
const TEXT_LENGTH_MAX = 1024;

/** As configurations have them (skein's isSingleWord()); empty: none. */
const NAME = /^[\x21-\x7e]{0,255}$/;
const NATURAL = /^\d{1,15}$/;
const RESUME = /^([\x21-\x7e]{1,128}) (\d{1,15})$/;

const SIGNED = /^(?:skein|litefs)-/;
const SIGNATURE = 'skein-auth';

export function requestHeaders(hello: NodeHello, resume?: ResumePoint): Record<string, string> {
  const headers = skeinHeaders(hello);
  if (hello.clusterId !== undefined) headers['skein-cluster-id'] = hello.clusterId;
  if (resume !== undefined) headers['skein-resume'] = `${resume.id} ${resume.offset}`;
  return headers;
}

export function answerHeaders(
  hello: NodeHello,
  dialect: StreamPeer['dialect'],
): Record<string, string> {
  const headers = dialect === 'skein' ? skeinHeaders(hello) : litefsHeaders(hello);
  if (hello.clusterId !== undefined) headers['litefs-cluster-id'] = hello.clusterId;
  return headers;
}

function litefsHeaders(hello: NodeHello): Record<string, string> {
  return { 'litefs-id': formatHex64(hello.nodeId).toUpperCase() };
}

function skeinHeaders(hello: NodeHello): Record<string, string> {
  return {
    ...litefsHeaders(hello),
    'skein-protocol': PROTOCOL_VERSION,
    'skein-node': encodeURIComponent(hello.name),
    'skein-url': encodeURIComponent(hello.url),
    'skein-primary': encodeURIComponent(hello.primary),
    'skein-epoch': String(hello.epoch),
  };
}

/** What a signature is over: what is said first, and every header that means something here. */
export function signedParts(first: readonly string[], headers: HeaderFields): readonly string[] {
  const names = Object.keys(headers).filter((name) => SIGNED.test(name) && name !== SIGNATURE);
  return [...first, ...names.toSorted().flatMap((name) => [name, textOf(headers, name) ?? ''])];
}

/** Throws ReplicationError for headers that no version of Skein or LiteFS sends. */
export function parseHello(headers: HeaderFields): StreamPeer {
  const nodeId = maybeParseHex64((textOf(headers, 'litefs-id') ?? '').toLowerCase());
  if (nodeId === undefined) throw refused('litefs-id');
  const protocol = textOf(headers, 'skein-protocol');
  const clusterId = parseClusterId(headers);
  if (protocol === undefined) return { dialect: 'litefs', nodeId, clusterId };
  if (protocol !== PROTOCOL_VERSION) {
    const reason = `its protocol is ${JSON.stringify(protocol)}, ours is ${PROTOCOL_VERSION}`;
    const message = `Cannot speak with the peer: ${reason}`;
    throw new ReplicationError('PEER_PROTOCOL', message, {
      hint: 'Run the same version of Skein on all nodes',
    });
  }
  return {
    dialect: 'skein',
    nodeId,
    clusterId,
    name: parseText(headers, 'skein-node', isName),
    url: parseText(headers, 'skein-url', isUrl),
    primary: parseText(headers, 'skein-primary', isName),
    epoch: parseEpoch(headers),
  };
}

export function maybeParseResume(headers: HeaderFields): ResumePoint | undefined {
  const text = textOf(headers, 'skein-resume');
  if (text === undefined) return undefined;
  const match = RESUME.exec(text);
  if (match === null) throw refused('skein-resume');
  return { id: match[1]!, offset: Number(match[2]) };
}

/** The only value of a header. */
export function textOf(headers: HeaderFields, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.join(',');
}

function parseClusterId(headers: HeaderFields): string | undefined {
  const id = textOf(headers, 'skein-cluster-id') ?? textOf(headers, 'litefs-cluster-id');
  if (id !== undefined && !isClusterId(id)) throw refused('the id of the cluster');
  return id;
}

function parseEpoch(headers: HeaderFields): number {
  const text = textOf(headers, 'skein-epoch') ?? '';
  if (!NATURAL.test(text)) throw refused('skein-epoch');
  return Number(text);
}

/** They stand in messages and status, and are told to others: nothing that would change those. */
function isName(text: string): boolean {
  return NAME.test(text);
}

function isUrl(text: string): boolean {
  if (text === '') return true;
  const url = URL.parse(text);
  return url?.href === text && (url.protocol === 'http:' || url.protocol === 'https:');
}

function parseText(
  headers: HeaderFields,
  name: string,
  isGood: (decoded: string) => boolean,
): string {
  const text = textOf(headers, name) ?? '';
  if (text.length > TEXT_LENGTH_MAX) throw refused(name);
  const decoded = decode(text, name);
  if (!isGood(decoded)) throw refused(name);
  return decoded;
}

function decode(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw refused(name, error);
  }
}

function refused(name: string, cause?: unknown): ReplicationError {
  const message = `Cannot speak with the peer: its header for ${name} is missing or malformed`;
  return new ReplicationError('STREAM_MALFORMED', message, { cause });
}
