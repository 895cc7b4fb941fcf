// What nodes tell each other about themselves when they meet: on connecting, and every few seconds
// after that. Read defensively: it comes from another machine.
//
// As JSON it is the body of POST /cluster/node (one's own) and of its answer (the other's).

import { formatPosition, maybeParsePosition } from '@skein/ltx';

import { isClusterId } from '../lease/cluster-id.ts';
import type { PositionMap } from '../ports.ts';
import { ClusterError } from './errors.ts';

/** What a node is at the moment. */
export type NodeRole =
  /** It accepts writes. */
  | 'primary'
  /** It follows the primary. */
  | 'replica'
  /** Nobody accepts writes, as far as it knows. */
  | 'no-primary'
  /** It was primary until it learned of a later term. */
  | 'fenced';

export const NODE_ROLES: readonly NodeRole[] = ['primary', 'replica', 'no-primary', 'fenced'];

export interface PeerAddress {
  readonly name: string;
  /** Where its node API is, as it says itself. */
  readonly url: string;
}

export interface PeerHello extends PeerAddress {
  /** Sixteen uppercase hexadecimal digits. */
  readonly nodeId: string;
  /** Where its proxy is. */
  readonly proxyUrl: string | undefined;
  /** Where its SQL is served over HTTP. */
  readonly sqlUrl: string | undefined;
  /** The name of the primary in its configuration. */
  readonly primary: string;
  readonly role: NodeRole;
  /** Its own term while it leads, else the highest that it has seen. */
  readonly epoch: number;
  /** Whether it has been told to end: what it has for others it gives them now. */
  readonly isEnding: boolean;
  readonly clusterId: string | undefined;
  /** Whom else it knows. */
  readonly peers: readonly PeerAddress[];
  /** Where its databases stand; only when it was asked. */
  readonly positions: PositionMap | undefined;
}

/** More nodes are not remembered, nor told of. */
export const PEER_COUNT_MAX = 64;
/** A thousand databases with long names fit many times. */
export const HELLO_BYTES_MAX: number = 4 * 1024 * 1024;

const NAME_LENGTH_MAX = 255;
const URL_LENGTH_MAX = 2_048;
const POSITION_COUNT_MAX = 65_536;
const PRINTABLE = /^[\x21-\x7e]+$/;

export function formatHello(hello: PeerHello): string {
  const positions =
    hello.positions === undefined
      ? undefined
      : Object.fromEntries(
          [...hello.positions].map(([database, position]) => [database, formatPosition(position)]),
        );
  return JSON.stringify({ ...hello, positions });
}

/** Throws ClusterError PEER_MALFORMED. */
export function parseHello(text: string): PeerHello {
  if (text.length > HELLO_BYTES_MAX) throw malformed('it is too long');
  const fields = asRecord(parseJson(text), 'it');
  const role = NODE_ROLES.find((known) => known === fields['role']);
  if (role === undefined) throw malformed('its role is unknown');
  const { epoch } = fields;
  if (!isEpoch(epoch)) throw malformed('its epoch is no whole number');
  const nodeId = nameIn(fields, 'nodeId');
  if (!/^[0-9A-F]{16}$/.test(nodeId)) throw malformed('its nodeId is none');
  return {
    ...addressIn(fields),
    nodeId,
    proxyUrl: maybeUrlIn(fields, 'proxyUrl'),
    sqlUrl: maybeUrlIn(fields, 'sqlUrl'),
    primary: nameIn(fields, 'primary'),
    role,
    epoch,
    isEnding: fields['isEnding'] === true,
    clusterId: clusterIdIn(fields),
    peers: listIn(fields, 'peers').map((item) => addressIn(asRecord(item, 'a peer'))),
    positions: fields['positions'] === undefined ? undefined : positionsIn(fields),
  };
}

function isEpoch(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function addressIn(fields: Fields): PeerAddress {
  return { name: nameIn(fields, 'name'), url: urlIn(fields, 'url') };
}

type Fields = Readonly<Record<string, unknown>>;

/** Names stand in messages and headers: nothing there that would change those. */
function nameIn(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value === 'string' && value.length <= NAME_LENGTH_MAX && PRINTABLE.test(value)) {
    return value;
  }
  throw malformed(`its ${key} is no name`);
}

function urlIn(fields: Fields, key: string): string {
  const value = fields[key];
  const url = typeof value === 'string' && value.length <= URL_LENGTH_MAX ? maybeUrl(value) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href;
  throw malformed(`its ${key} is no URL`);
}

function maybeUrlIn(fields: Fields, key: string): string | undefined {
  return fields[key] === undefined ? undefined : urlIn(fields, key);
}

function clusterIdIn(fields: Fields): string | undefined {
  const value = fields['clusterId'];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && isClusterId(value)) return value;
  throw malformed('its clusterId is none');
}

function listIn(fields: Fields, key: string): readonly unknown[] {
  const value = fields[key];
  if (Array.isArray(value) && value.length <= PEER_COUNT_MAX) return value;
  throw malformed(`its ${key} are no list, or too many`);
}

function positionsIn(fields: Fields): PositionMap {
  const entries = Object.entries(asRecord(fields['positions'], 'its positions'));
  if (entries.length > POSITION_COUNT_MAX) throw malformed('it has too many databases');
  return new Map(
    entries.map(([database, text]) => {
      const position = typeof text === 'string' ? maybeParsePosition(text) : undefined;
      if (position === undefined) throw malformed('one of its positions is none');
      return [database, position];
    }),
  );
}

function asRecord(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw malformed(`${what} has no keys and values`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('it is no JSON');
  }
}

function maybeUrl(text: string): URL | null {
  return URL.parse(text);
}

function malformed(reason: string): ClusterError {
  return new ClusterError('PEER_MALFORMED', `Cannot read what a peer says of itself: ${reason}`);
}
