// Databases that come and go over HTTP. Both ways lead through a file in scratch, so that a slow or
// broken connection holds up nothing: what comes in is committed when it is whole, what goes out
// has been read from the database before the first byte is sent.

import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat, statfs } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { findNameFault } from '@skein/engine';
import type { Log } from '@skein/host';

import { ApiError } from './errors.ts';
import type { NodeControl } from './node-control.ts';
import { sendJson } from './reply.ts';

/** Each takes a file in scratch and a share of the disk's speed, which commits need too. */
const TRANSFERS_MAX = 4;

/** An upload leaves so much of the disk to the log, which must go on meanwhile. */
const SPACE_KEPT_BYTES = 64 * 1024 * 1024;

/** What a pipeline says when its source ends before its time. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/** A connection on which nothing moves for so long is given up. */
const STALL_MS = 60_000;

export interface TransferOptions {
  readonly control: NodeControl;
  readonly log: Log;
  /** Largest upload; default: whatever there is space for. */
  readonly uploadBytesMax?: number | undefined;
  readonly stallMs?: number | undefined;
}

export class Transfers {
  readonly #options: TransferOptions;
  #count = 0;

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** Answers with the database as a file. */
  async send(name: string, response: ServerResponse): Promise<void> {
    checkName(name);
    const { control } = this.#options;
    await this.#withScratch('export', async (path) => {
      const { txid, checksum } = await control.exportDatabase(name, path);
      const { size } = await stat(path);
      response.writeHead(200, {
        'Content-Type': 'application/vnd.sqlite3',
        'Content-Length': size,
        'Cache-Control': 'no-store',
        'Skein-Position': `${txid}/${checksum}`,
      });
      this.#watch(response.req);
      await pipeline(createReadStream(path), response);
    });
  }

  /** Takes the request's body as the content of the database. */
  async receive(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    checkName(name);
    const { control, log } = this.#options;
    await this.#withScratch('import', async (path) => {
      const bytesMax = await this.#findSpace(path);
      checkLength(request.headers['content-length'], bytesMax);
      if (request.headers.expect !== undefined) response.writeContinue();
      this.#watch(request);
      await receiveFile(request, path, bytesMax);
      // From here on it is for us to take our time.
      request.socket.setTimeout(0);
      const status = await control.importDatabase(name, path);
      log.info('Imported a database', { name, txid: status.txid, sizeBytes: status.sizeBytes });
      sendJson(response, 200, status);
    });
  }

  async #withScratch(purpose: string, run: (path: string) => Promise<void>): Promise<void> {
    if (this.#count >= TRANSFERS_MAX) {
      const message = `Cannot start another transfer: ${TRANSFERS_MAX} are under way`;
      throw new ApiError('API_BUSY', message, { hint: 'Try again when one of them is done' });
    }
    this.#count += 1;
    const path = this.#options.control.newScratchPath(purpose);
    try {
      await run(path);
    } finally {
      await rm(path, { force: true });
      this.#count -= 1;
    }
  }

  async #findSpace(path: string): Promise<number> {
    const { bavail, bsize } = await statfs(dirname(path));
    const { uploadBytesMax = Infinity } = this.#options;
    return Math.min(uploadBytesMax, Math.max(0, bavail * bsize - SPACE_KEPT_BYTES));
  }

  #watch({ socket }: IncomingMessage): void {
    // Node's server destroys the socket then.
    socket.setTimeout(this.#options.stallMs ?? STALL_MS);
  }
}

function checkName(name: string): void {
  const fault = findNameFault(name);
  if (fault === undefined) return;
  const message = `There is no database ${JSON.stringify(name)}: ${fault}`;
  throw new ApiError('API_BAD_REQUEST', message);
}

function checkLength(header: string | undefined, bytesMax: number): void {
  if (header !== undefined && Number(header) > bytesMax) throw tooLarge(bytesMax);
}

async function receiveFile(
  request: IncomingMessage,
  path: string,
  bytesMax: number,
): Promise<void> {
  let received = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > bytesMax) done(tooLarge(bytesMax));
      else done(null, chunk);
    },
  });
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  try {
    await pipeline(request, limit, file);
  } catch (error) {
    if (!BROKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    const message = `The upload ended after ${received} bytes`;
    throw new ApiError('API_INCOMPLETE', message, { cause: error });
  }
}

function tooLarge(bytesMax: number): ApiError {
  return new ApiError('API_TOO_LARGE', `The file has more than ${bytesMax} bytes`, {
    hint: 'Make space on the disk of the data folder',
  });
}
