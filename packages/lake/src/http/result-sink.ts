// The way of a result to the client: compressed where that is wanted, no faster than it is read.

import type { ServerResponse } from 'node:http';
import type { Transform, Writable } from 'node:stream';
import { promisify } from 'node:util';
import {
  brotliCompress,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  type Gzip,
  gzip,
  zstdCompress,
} from 'node:zlib';

import { LakeHttpError } from './errors.ts';
import type { Encoding } from './negotiate.ts';

/** Compressing less than this saves no packet. */
export const COMPRESSED_BYTES_MIN = 1024;

/** What is made for one client is compressed quickly rather than well. */
const GZIP = { level: 3 };
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

/** A whole body. */
export async function compress(body: Buffer, encoding: Encoding): Promise<Buffer> {
  switch (encoding) {
    case 'identity':
      return body;
    case 'gzip':
      return promisify(gzip)(body, GZIP);
    case 'br':
      return promisify(brotliCompress)(body, BROTLI);
    case 'zstd':
      return promisify(zstdCompress)(body);
  }
}

type Compressor = Transform & Pick<Gzip, 'flush'>;

function createCompressor(encoding: Encoding): Compressor | undefined {
  switch (encoding) {
    case 'identity':
      return undefined;
    case 'gzip':
      return createGzip(GZIP);
    case 'br':
      return createBrotliCompress(BROTLI);
    case 'zstd':
      return createZstdCompress();
  }
}

/** A body piece by piece. */
export class ResultSink {
  readonly #response: ServerResponse;
  readonly #compressor: Compressor | undefined;
  readonly #target: Writable;
  readonly #stallMs: number;

  constructor(response: ServerResponse, encoding: Encoding, stallMs: number) {
    this.#response = response;
    this.#stallMs = stallMs;
    const compressor = createCompressor(encoding);
    compressor?.pipe(response);
    compressor?.on('error', () => response.destroy());
    this.#compressor = compressor;
    this.#target = compressor ?? response;
  }

  /** Resolves when there is room for more. Rejects when the client has left, or reads nothing. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#response.destroyed) throw gone();
    if (bytes.length === 0 || this.#target.write(bytes)) return;
    await this.#drained();
  }

  end(): void {
    this.#target.end();
  }

  /**
   * Tells of a late failure and cuts the connection: neither a client nor a cache may take what it
   * has for a whole result.
   */
  async fail(lastLine: Uint8Array): Promise<void> {
    if (this.#response.destroyed) return;
    const isWritten = await this.#written(lastLine);
    const { socket } = this.#response;
    // What is on its way has to arrive; the end of a chunked body must not.
    if (socket === null || !isWritten) this.#response.destroy();
    else socket.end(() => this.#response.destroy());
  }

  /** False for a client that reads nothing. */
  #written(bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), this.#stallMs);
      const settle = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#response.once('close', settle);
      if (this.#compressor === undefined) {
        this.#response.write(bytes, settle);
        return;
      }
      // A compressor would keep it until there is more.
      this.#compressor.write(bytes);
      this.#compressor.flush(settle);
    });
  }

  #drained(): Promise<void> {
    const response = this.#response;
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#target.off('drain', onDrain);
        response.off('close', onClose);
        then();
      };
      const onDrain = (): void => settle(resolve);
      const onClose = (): void => settle(() => reject(gone()));
      const timer = setTimeout(() => {
        settle(() => reject(new LakeHttpError(408, 'LAKE_STALLED', 'The client reads nothing')));
        response.destroy();
      }, this.#stallMs);
      this.#target.once('drain', onDrain);
      response.once('close', onClose);
    });
  }
}

export function gone(): LakeHttpError {
  return new LakeHttpError(408, 'LAKE_STALLED', 'The client has left');
}
