// One HTTP resource to a file, for a client who must not reach what only the server can reach.
//
// Each address of each redirect is checked when it is connected to (public-address.ts). Size and
// time have limits. Nothing of this process goes along: no cookies, no credentials, no proxy.

import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type ClientRequest, get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { LakeError } from '../errors.ts';
import type { ExternalTablePolicy } from '../ports.ts';
import { checkedLookup, checkHost, refused } from './public-address.ts';

const REDIRECTS_MAX = 5;

export interface FetchOptions {
  readonly policy: ExternalTablePolicy;
  readonly signal: AbortSignal;
  /** Of the first request only: redirects get none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Throws LAKE_LOCATION or LAKE_FETCH; then the file does not exist. */
export async function fetchFile(url: URL, path: string, options: FetchOptions): Promise<void> {
  const { policy } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(policy.timeoutMs)]);
  try {
    const response = await follow(url, { ...options, signal });
    await pipeline(response, limit(policy.maxBytes), createWriteStream(path, { mode: 0o600 }), {
      signal,
    });
  } catch (error) {
    await rm(path, { force: true });
    throw explain(error, url, options);
  }
}

async function follow(start: URL, options: FetchOptions): Promise<IncomingMessage> {
  let url = start;
  let headers = options.headers;
  for (let redirect = 0; redirect <= REDIRECTS_MAX; redirect += 1) {
    const response = await request(url, { ...options, headers });
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    response.destroy();
    const { location } = response.headers;
    if (status < 300 || status > 399 || location === undefined) {
      throw failed(`The server of ${url.host} answered ${status}`);
    }
    url = parseHttpUrl(location, url);
    headers = undefined;
  }
  throw failed(`More than ${REDIRECTS_MAX} redirects`);
}

/** Throws LAKE_LOCATION for what is no plain address of HTTP. */
export function parseHttpUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw refused('A location is an https, http, s3 or file address');
  }
  if (url.username !== '' || url.password !== '') {
    throw refused('A location cannot hold a user name or password');
  }
  return url;
}

function request(url: URL, options: FetchOptions): Promise<IncomingMessage> {
  const { policy, signal } = options;
  checkHost(url.hostname, policy);
  const get = url.protocol === 'https:' ? httpsGet : httpGet;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent: ClientRequest = get(
    url,
    {
      agent: false,
      lookup: checkedLookup(policy),
      headers: { 'user-agent': 'skein-lake', 'accept-encoding': 'identity', ...options.headers },
      signal,
    },
    resolve,
  );
  sent.on('error', reject);
  return promise;
}

function limit(bytesMax: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total > bytesMax) done(failed(`The file is larger than ${bytesMax} bytes`));
      else done(null, chunk);
    },
  });
}

function explain(error: unknown, url: URL, options: FetchOptions): LakeError {
  if (error instanceof LakeError) return error;
  const reason: unknown = options.signal.reason;
  if (options.signal.aborted && reason instanceof LakeError) return reason;
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError' || name === 'AbortError') {
    return failed(`${url.host} took longer than ${options.policy.timeoutMs} ms`);
  }
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  return failed(`Cannot fetch from ${url.host}: ${code}`);
}

export function failed(message: string): LakeError {
  return new LakeError('execution', 'LAKE_FETCH', message);
}
