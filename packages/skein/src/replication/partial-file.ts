// A large LTX file on its way in, in the scratch folder: what came before a stream broke is kept
// for the next one, until the node is started anew.
//
// A stream brings it in pieces of a few KiB: they are put together, since each write to the file is
// a trip to another thread.

import { type FileHandle, open, rm } from 'node:fs/promises';

import { assert } from '@skein/bytes';

/** At most this much is written at once. */
const WRITE_BYTES = 512 * 1024;

export interface PartialFileOptions {
  /** Names the very bytes of the file. */
  readonly id: string;
  readonly database: string;
  readonly path: string;
}

export class PartialFile {
  readonly id: string;
  readonly database: string;
  readonly path: string;
  readonly #file: FileHandle;
  readonly #pending = new Uint8Array(WRITE_BYTES);
  #pendingBytes = 0;
  #writtenBytes = 0;
  #isWriting = false;

  static async create(options: PartialFileOptions): Promise<PartialFile> {
    return new PartialFile(options, await open(options.path, 'wx'));
  }

  private constructor({ id, database, path }: PartialFileOptions, file: FileHandle) {
    this.id = id;
    this.database = database;
    this.path = path;
    this.#file = file;
  }

  /** How much of it has come. */
  get sizeBytes(): number {
    return this.#writtenBytes + this.#pendingBytes;
  }

  /** Adds these bytes, which are the caller's again when it resolves. */
  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#pendingBytes === WRITE_BYTES) await this.#write();
      const piece = bytes.subarray(at, at + WRITE_BYTES - this.#pendingBytes);
      this.#pending.set(piece, this.#pendingBytes);
      this.#pendingBytes += piece.length;
      at += piece.length;
    }
  }

  /** It is whole: makes it durable. The path is somebody else's from then on. */
  async complete(): Promise<void> {
    await this.#write();
    await this.#file.sync();
    await this.#file.close();
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }

  /** What has come and is not in the file yet; after an error it still is not. */
  async #write(): Promise<void> {
    assert(!this.#isWriting, 'Two writes to a file that is being received');
    this.#isWriting = true;
    try {
      for (let done = 0; done < this.#pendingBytes;) {
        const rest = this.#pendingBytes - done;
        const position = this.#writtenBytes + done;
        const { bytesWritten } = await this.#file.write(this.#pending, done, rest, position);
        done += bytesWritten;
      }
      this.#writtenBytes += this.#pendingBytes;
      this.#pendingBytes = 0;
    } finally {
      this.#isWriting = false;
    }
  }
}
