// A large LTX file on its way in, in the scratch folder: what came before a stream broke is kept
// for the next one, until the node is started anew.

import { type FileHandle, open, rm } from 'node:fs/promises';

import { assert } from '@skein/bytes';

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
  #sizeBytes = 0;
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
    return this.#sizeBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    assert(!this.#isWriting, 'Two writes to a file that is being received');
    this.#isWriting = true;
    try {
      for (let done = 0; done < bytes.length;) {
        const rest = bytes.length - done;
        const { bytesWritten } = await this.#file.write(bytes, done, rest, this.#sizeBytes + done);
        done += bytesWritten;
      }
      this.#sizeBytes += bytes.length;
    } finally {
      this.#isWriting = false;
    }
  }

  /** It is whole: makes it durable. The path is somebody else's from then on. */
  async complete(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }
}
