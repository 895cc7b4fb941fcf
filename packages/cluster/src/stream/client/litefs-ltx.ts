// An LTX file that comes from LiteFS: verified, and turned into one without compression, which is
// what the log keeps.
//
// LiteFS says neither how large a file is nor what it is. The header tells a snapshot, which is
// passed on as a file; another becomes one when it grows too large for one transaction.

import { FLAG_LZ4, isSnapshot, LtxDecoder, LtxEncoder, LtxFormatError } from '@skein/ltx';

import { ReplicationError } from '../../errors.ts';
import { malformed } from '../../wire/fields.ts';

/** As large as what the log keeps inline. */
const INLINE_BYTES_MAX = 16 * 1024 * 1024;

export class LitefsLtx {
  readonly database: string;
  readonly #decoder: LtxDecoder;
  #encoder: LtxEncoder | undefined;
  #pieces: Uint8Array[] = [];
  #byteCount = 0;
  #isFile = false;

  constructor(database: string) {
    this.database = database;
    this.#decoder = new LtxDecoder(
      {
        onHeader: (header) => {
          const flags = header.flags & ~FLAG_LZ4;
          this.#isFile = isSnapshot(header);
          this.#encoder = new LtxEncoder((bytes, start, end) => this.#keep(bytes, start, end), {
            ...header,
            flags,
          });
        },
        onPage: (page) => this.#encoder!.writePage(page.pgno, page.bytes, page.start),
        onTrailer: (trailer) => this.#encoder!.finish(trailer.postApplyChecksum),
      },
      { version: 1 },
    );
  }

  /** Whether it must be passed on as a file; false until that is known. */
  get isFile(): boolean {
    return this.#isFile || this.#byteCount > INLINE_BYTES_MAX;
  }

  /** Throws ReplicationError when the bytes are no LTX file. */
  push(bytes: Uint8Array): void {
    const taken = attempt(() => this.#decoder.push(bytes));
    if (taken < bytes.length) throw malformed('bytes behind the end of an LTX file');
  }

  /** To be called at its end: throws unless it is whole and its checksum is right. */
  finish(): void {
    attempt(() => this.#decoder.finish());
  }

  /** What there is of the file since the last call. */
  take(): Uint8Array {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return bytes;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    this.#pieces.push(bytes.slice(start, end));
    this.#byteCount += end - start;
  }
}

function attempt<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof LtxFormatError)) throw error;
    const message = `Cannot read stream: an LTX file is damaged: ${error.message}`;
    throw new ReplicationError('STREAM_MALFORMED', message, { cause: error });
  }
}
