// Asks a running node, over the socket in its data folder.

import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';

import { ApiError, type ErrorBody } from './errors.ts';
import type { DatabaseStatus, NodeStatus, OnProgress } from './node-control.ts';
import { openSocketPath } from './unix-socket.ts';

/** What the API sends at most, other than databases. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export interface Upload {
  readonly content: Readable;
  /** Undefined: until it ends. */
  readonly sizeBytes: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export class ApiClient {
  readonly #dataFolder: string;

  constructor(dataFolder: string) {
    this.#dataFolder = dataFolder;
  }

  async status(): Promise<NodeStatus> {
    return (await this.#getJson('/v1/status')) as NodeStatus;
  }

  async metrics(): Promise<string> {
    return readAll(await this.#send({ path: '/metrics' }));
  }

  /** Resolves when all of the database has gone into `target`. Rejects with ApiError. */
  async exportDatabase(name: string, target: Writable, onProgress?: OnProgress): Promise<void> {
    const response = await this.#send({ path: pathOf(name) });
    const sizeBytes = Number(response.headers['content-length']);
    await pipeline(response, countBytes(sizeBytes, onProgress), target);
  }

  /** Makes what is sent the content of a database. Rejects with ApiError. */
  async importDatabase(name: string, upload: Upload): Promise<DatabaseStatus> {
    const { sizeBytes } = upload;
    const length = sizeBytes === undefined ? {} : { 'Content-Length': sizeBytes };
    const options = {
      method: 'PUT',
      path: pathOf(name),
      headers: { Expect: '100-continue', ...length },
    };
    try {
      return JSON.parse(await readAll(await this.#send(options, upload))) as DatabaseStatus;
    } finally {
      // A refusal may have come before anything was read.
      upload.content.destroy();
    }
  }

  async #getJson(path: string): Promise<unknown> {
    return JSON.parse(await readAll(await this.#send({ path })));
  }

  async #send(options: RequestOptions, upload?: Upload): Promise<IncomingMessage> {
    const socket = this.#openSocket();
    try {
      const response = await exchange({ ...options, socketPath: socket.path }, upload);
      if (response.statusCode === 200) return response;
      throw toError(await readAll(response), response.statusCode);
    } catch (error) {
      const { syscall } = error as NodeJS.ErrnoException;
      throw syscall === 'connect' ? this.#unreachable(error) : error;
    } finally {
      socket.close();
    }
  }

  #openSocket(): ReturnType<typeof openSocketPath> {
    try {
      return openSocketPath(this.#dataFolder);
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  #unreachable(cause: unknown): ApiError {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `Cannot reach a node with data folder ${this.#dataFolder}: ${code}`;
    const isRefused = code === 'EACCES' || code === 'EPERM';
    const hint = isRefused ? 'Run this as the user who runs the node' : 'Start it: skein mount';
    return new ApiError('API_UNREACHABLE', message, { cause, hint });
  }
}

/** Whether an error says that nobody listens there, rather than that the answer is no. */
export function isNobodyThere(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.code !== 'API_UNREACHABLE') return false;
  const { code } = error.cause as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}

/** Passes bytes on and reports how many there were. */
export function countBytes(
  totalBytes: number,
  onProgress: OnProgress | undefined,
): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* count(source) {
    let doneBytes = 0;
    for await (const chunk of source) {
      doneBytes += chunk.length;
      onProgress?.(doneBytes, totalBytes);
      yield chunk;
    }
  };
}

function exchange(options: RequestOptions, upload: Upload | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...options, host: 'localhost', agent: false }, resolve);
    request.on('error', reject);
    if (upload === undefined) {
      request.end();
      return;
    }
    const { content, sizeBytes, onProgress } = upload;
    // Also before anybody reads it.
    content.on('error', (error) => request.destroy(error));
    request.on('continue', () => {
      pipeline(content, countBytes(sizeBytes ?? Number.NaN, onProgress), request).catch(reject);
    });
    request.flushHeaders();
  });
}

function pathOf(name: string): string {
  return `/v1/databases/${encodeURIComponent(name)}`;
}

async function readAll(response: IncomingMessage): Promise<string> {
  if (Number(response.headers['content-length'] ?? 0) <= ANSWER_BYTES_MAX) return text(response);
  response.destroy();
  throw new ApiError('API_BAD_REQUEST', 'The answer of the node is too long');
}

function toError(body: string, status: number | undefined): ApiError {
  try {
    const parsed = JSON.parse(body) as ErrorBody;
    if (typeof parsed.code === 'string') return ApiError.received(parsed);
  } catch {
    // Not from our API; said below.
  }
  return new ApiError('API_INTERNAL', `The node answers ${status}: ${body.slice(0, 200)}`);
}
