// What an ingress is told, and what it does when it is not.

import type { Log } from '@skein/host';

import { StoreError } from '../store/errors.ts';

export interface IngressOptions {
  /** Where to listen; port 0 is any. */
  readonly host: string;
  readonly port: number;
  /** `http://host:port` of nodes that are asked for their role; a name may have many addresses. */
  readonly writers: readonly string[];
  readonly readers: readonly string[];
  /**
   * How long the answer to a write is held until the readers have it, so that clients that know of
   * no positions read their own writes; 0: not at all.
   */
  readonly holdMs?: number;
  /** Answers `fly-replay` where the writer is not on this machine. */
  readonly flyReplay?: boolean;
  readonly limits?: Partial<IngressLimits>;
  readonly log: Log;
}

export interface IngressLimits {
  /** Between two looks at a node, and at the addresses of a name. */
  readonly probeEveryMs: number;
  /** A node that does not say in this time that it is well is not. */
  readonly probeMs: number;
  readonly connectMs: number;
  /** From the first byte of a request to the last of its headers. */
  readonly headersMs: number;
  /** A client that sends nothing of its body; who takes nothing is noticed by the node. */
  readonly stallMs: number;
  /** From the last byte of a request to the headers of its answer. */
  readonly answerMs: number;
  /** How long a request waits for a node that can take it: a writer that starts again. */
  readonly patienceMs: number;
  /** What close() lets requests under way have. */
  readonly closeMs: number;
  readonly connections: number;
  /** Of one name: more is no cluster but a mistake. */
  readonly addressesMax: number;
}

export const DEFAULT_INGRESS_LIMITS: IngressLimits = {
  probeEveryMs: 1000,
  probeMs: 2000,
  connectMs: 3000,
  headersMs: 10_000,
  stallMs: 60_000,
  // A table of a large file is made within one request.
  answerMs: 3_600_000,
  patienceMs: 5000,
  closeMs: 5000,
  connections: 8192,
  addressesMax: 256,
};

export type LakeRole = 'writer' | 'reader';

/** Where nodes are, and what they are as long as they do not say it themselves. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
  readonly role: LakeRole;
}

const HTTP_PORT = 80;

/** Throws StoreError LAKE_STORE_CONFIG. */
export function targetsOf({ writers, readers }: IngressOptions): Target[] {
  return [
    ...writers.map((text) => parseTarget(text, 'writer')),
    ...readers.map((text) => parseTarget(text, 'reader')),
  ];
}

function parseTarget(text: string, role: LakeRole): Target {
  const url = URL.parse(text);
  const isTarget =
    url?.protocol === 'http:' && url.pathname === '/' && url.search === '' && url.username === '';
  if (isTarget) {
    const port = url.port === '' ? HTTP_PORT : Number(url.port);
    return { hostname: url.hostname.replaceAll(/^\[|\]$/g, ''), port, role };
  }
  throw new StoreError('LAKE_STORE_CONFIG', `No address of a ${role}: ${text}`, {
    hint: 'It is written http://HOST:PORT',
  });
}
