// Objects of a store as the gateway sees them: what there is, and ranges of it. The S3 side of it:
// signed requests, tried again while that may help.
//
// Invariant: every byte that is given out belongs to the ETag and the place that were asked for. An
// answer of another length, range or ETag counts as none.

import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Clock, type Log, systemClock } from '@skein/host';

import type { S3Settings } from '../engine/ports.ts';
import { endpointOf, objectUrl } from './object-location.ts';
import { signRequest } from './sign-request.ts';

export interface ObjectInfo {
  readonly key: string;
  /** As the store writes it, with its quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModified: string | undefined;
}

export interface ObjectSource {
  /** Undefined: there is no such object. Throws SourceError. */
  maybeStat(key: string): Promise<ObjectInfo | undefined>;
  /**
   * Bytes from `start` up to and without `end`. Throws SourceError; what came before is right, and
   * the rest can be asked for again.
   */
  read(object: ObjectInfo, start: number, end: number): AsyncIterable<Buffer>;
  close(): void;
}

export type SourceFailure =
  /** It is gone, or is not any more what it was. */
  | 'changed'
  /** The store does not let us. */
  | 'denied'
  /** It does not answer, or not with what was asked for; later it may. */
  | 'unavailable';

export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly failure: SourceFailure;

  constructor(failure: SourceFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.failure = failure;
  }
}

export interface S3SourceOptions {
  readonly s3: S3Settings;
  readonly bucket: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly limits?: Partial<SourceLimits>;
}

export interface SourceLimits {
  /** Without a byte from the store, also while it connects. */
  readonly silenceMs: number;
  /** How often a request is sent, the first time included. */
  readonly attempts: number;
  /** Before the second attempt; twice as long before each further one. */
  readonly pauseMs: number;
  readonly connections: number;
}

const DEFAULT_LIMITS: SourceLimits = {
  silenceMs: 15_000,
  attempts: 4,
  pauseMs: 100,
  connections: 32,
};

/** After so much the attempts are counted anew. */
const PROGRESS_BYTES = 1024 * 1024;
/** What a store explains of a refusal goes into the log up to here. */
const EXPLANATION_LENGTH_MAX = 2000;

export class S3Source implements ObjectSource {
  readonly #options: S3SourceOptions;
  readonly #limits: SourceLimits;
  readonly #clock: Clock;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(options: S3SourceOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    const isTls = endpointOf(options.s3).protocol === 'https:';
    const settings = { keepAlive: true, maxSockets: this.#limits.connections };
    this.#agent = isTls ? new HttpsAgent(settings) : new HttpAgent(settings);
  }

  async maybeStat(key: string): Promise<ObjectInfo | undefined> {
    return this.#persist(async () => {
      const answer = await this.#ask('HEAD', key, {});
      answer.resume();
      if (answer.statusCode === 404) return undefined;
      await this.#check(answer, key, 200);
      const { etag } = answer.headers;
      const sizeBytes = Number(answer.headers['content-length']);
      if (etag === undefined || !Number.isSafeInteger(sizeBytes)) {
        throw new SourceError('unavailable', `The store says neither ETag nor length of ${key}`);
      }
      return { key, etag, sizeBytes, lastModified: answer.headers['last-modified'] };
    });
  }

  async *read(object: ObjectInfo, start: number, end: number): AsyncIterable<Buffer> {
    let position = start;
    let attempt = 1;
    while (position < end) {
      const begin = position;
      try {
        for await (const piece of this.#readOnce(object, position, end)) {
          position += piece.length;
          yield piece;
        }
      } catch (error) {
        // A yield that throws is the reader's own end, which is no SourceError.
        if (!(error instanceof SourceError)) throw error;
        // A store that is slow or cut off now and then still gets on.
        if (position - begin >= PROGRESS_BYTES) attempt = 1;
        await this.#pauseOrThrow(error, attempt);
        attempt += 1;
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async *#readOnce(object: ObjectInfo, start: number, end: number): AsyncIterable<Buffer> {
    const { key, etag } = object;
    const headers = { range: `bytes=${start}-${end - 1}`, 'if-match': etag };
    const answer = await this.#ask('GET', key, headers);
    try {
      await this.#check(answer, key, 206);
      if (answer.headers.etag !== etag) throw changed(key);
      if (!answer.headers['content-range']?.startsWith(`bytes ${start}-${end - 1}/`)) {
        throw new SourceError('unavailable', `The store gives another range of ${key}`);
      }
      let position = start;
      for await (const piece of answer as AsyncIterable<Buffer>) {
        position += piece.length;
        if (position > end) break;
        yield piece;
      }
      if (position === end) return;
      throw new SourceError('unavailable', `The store gives another length of ${key}`);
    } catch (error) {
      throw toSourceError(error, key);
    } finally {
      answer.destroy();
    }
  }

  /** Resolves with the head of the answer. */
  #ask(
    method: 'GET' | 'HEAD',
    key: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<IncomingMessage> {
    const { s3, bucket } = this.#options;
    const url = objectUrl(s3, bucket, key);
    const signed = signRequest({ method, url, headers }, s3, this.#clock.wallMs());
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const asked = send(url, { method, headers: signed, agent: this.#agent });
      asked.setTimeout(this.#limits.silenceMs, () => {
        asked.destroy(new SourceError('unavailable', `The store is silent about ${key}`));
      });
      asked.once('error', (error) => reject(toSourceError(error, key)));
      asked.once('response', resolve);
      asked.end();
    });
  }

  async #check(answer: IncomingMessage, key: string, expected: number): Promise<void> {
    const { statusCode: status = 0 } = answer;
    if (status === expected) return;
    if (status === 404 || status === 412 || status === 416) throw changed(key);
    // What a store says of a refusal names the reason: a wrong key, a wrong clock.
    const explanation = answer.readableEnded ? '' : await text(answer).catch(() => '');
    const reason = explanation.slice(0, EXPLANATION_LENGTH_MAX);
    this.#options.log.warn('The object store refuses a request', { key, status, reason });
    const failure = status === 401 || status === 403 ? 'denied' : 'unavailable';
    throw new SourceError(failure, `The store answers ${status} about ${key}`);
  }

  async #persist<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        await this.#pauseOrThrow(error, attempt);
      }
    }
  }

  async #pauseOrThrow(error: SourceError, attempt: number): Promise<void> {
    const { attempts, pauseMs } = this.#limits;
    if (error.failure !== 'unavailable' || attempt >= attempts) throw error;
    await sleep(pauseMs * 2 ** (attempt - 1));
  }
}

function changed(key: string): SourceError {
  return new SourceError('changed', `The object ${key} is gone or is another`);
}

function toSourceError(error: unknown, key: string): unknown {
  if (error instanceof SourceError || !(error instanceof Error)) return error;
  const isOfSystem = 'code' in error;
  if (!isOfSystem) return error;
  const message = `The store does not answer about ${key}: ${error.message}`;
  return new SourceError('unavailable', message, { cause: error });
}
