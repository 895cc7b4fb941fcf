// Where a database on a mount stands, from the file beside it: `<TXID>/<checksum>`. It is read anew
// each time, through a descriptor that stays open: one question to the daemon for each answer to a
// write, in place of five.

import { closeSync, openSync, readSync } from 'node:fs';

const TXID = /^([0-9a-f]{16})\//;
/** TXID, slash, checksum, newline. */
const FILE_BYTES = 34;

export class PositionFile {
  readonly #path: string;
  readonly #bytes = Buffer.alloc(FILE_BYTES);
  #fd: number | undefined;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-pos`;
  }

  /** The TXID, sixteen hexadecimal digits. Undefined in a plain folder, which has no such file. */
  read(): string | undefined {
    try {
      this.#fd ??= openSync(this.#path, 'r');
      const count = readSync(this.#fd, this.#bytes, 0, FILE_BYTES, 0);
      return TXID.exec(this.#bytes.toString('latin1', 0, count))?.[1];
    } catch {
      // The client is not told where its write is, and reads of it go to the primary.
      this.close();
      return undefined;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
