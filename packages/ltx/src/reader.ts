// Reads an LTX file page by page, as the caller asks for them, with the checks of the decoder.

import type { ByteSource } from '@skein/bytes';

import type { LtxHeader, LtxVersion } from './header.ts';
import type { LtxPage } from './page-block-parser.ts';
import { LtxParser, type LtxReadOptions } from './parser.ts';
import type { LtxTrailer } from './trailer.ts';

/** Bytes read at once: many pages a call, yet little enough to have hundreds of readers. */
const CHUNK_BYTES = 65536;

export interface LtxReaderOptions extends LtxReadOptions {
  /** The length of the file, if it is known: a short one takes no more memory than that. */
  readonly sizeBytes?: number;
}

export class LtxReader {
  readonly #source: ByteSource;
  readonly #parser: LtxParser;
  readonly #chunk: Uint8Array;
  /** Where to read next in the source. */
  #position = 0;

  /** Reads the header. Throws LtxFormatError, as does next(). */
  constructor(source: ByteSource, options: LtxReaderOptions = {}) {
    this.#source = source;
    this.#chunk = new Uint8Array(Math.min(options.sizeBytes || CHUNK_BYTES, CHUNK_BYTES));
    this.#parser = new LtxParser(options);
    this.#advance();
  }

  get header(): LtxHeader {
    return this.#parser.header;
  }

  get version(): LtxVersion {
    return this.#parser.version;
  }

  /**
   * The next page, valid until the next call. Undefined after the last, and not before the whole
   * file has proved right: only then count the pages before.
   */
  next(): LtxPage | undefined {
    return this.#parser.isAtEnd || this.#advance() === 'end' ? undefined : this.#parser.page;
  }

  /** Known when next() has returned undefined. */
  get trailer(): LtxTrailer {
    return this.#parser.trailer;
  }

  /**
   * Length of the file, known when next() has returned undefined. More may follow in the source.
   */
  get sizeBytes(): number {
    return this.#parser.feed.taken;
  }

  #advance(): 'header' | 'page' | 'end' {
    for (;;) {
      const event = this.#parser.next();
      if (event !== 'more') return event;
      const length = this.#source.read(this.#chunk, 0, this.#chunk.length, this.#position);
      if (length === 0) throw this.#parser.truncated();
      this.#position += length;
      this.#parser.feed.give(this.#chunk, 0, length);
    }
  }
}
