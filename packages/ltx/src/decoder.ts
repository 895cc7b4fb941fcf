// Decodes an LTX file that arrives in pieces, from a network or a log.

import { type LtxHeader, type LtxVersion } from './header.ts';
import type { LtxPage } from './page-block-parser.ts';
import { LtxParser, type LtxReadOptions } from './parser.ts';
import type { LtxTrailer } from './trailer.ts';

/**
 * Called in the order of the file: once the header, each page, once the trailer. What is given is
 * the handler's only during the call. Nothing of it is verified before onTrailer().
 */
export interface LtxHandler {
  onHeader(header: LtxHeader, version: LtxVersion): void;
  onPage(page: LtxPage): void;
  onTrailer(trailer: LtxTrailer): void;
}

export class LtxDecoder {
  readonly #handler: LtxHandler;
  readonly #parser: LtxParser;

  constructor(handler: LtxHandler, options?: LtxReadOptions) {
    this.#handler = handler;
    this.#parser = new LtxParser(options);
  }

  /**
   * Decodes the next piece of the file. Returns how many bytes of it were the file's: all, unless
   * the file ends in it. Throws LtxFormatError, after which the decoder is of no more use.
   */
  push(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
    const parser = this.#parser;
    if (parser.isAtEnd) return 0;
    parser.feed.give(bytes, start, end);
    for (;;) {
      switch (parser.next()) {
        case 'more':
          return end - start;
        case 'header':
          this.#handler.onHeader(parser.header, parser.version);
          break;
        case 'page':
          this.#handler.onPage(parser.page);
          break;
        case 'end':
          this.#handler.onTrailer(parser.trailer);
          return end - start - parser.feed.unused;
      }
    }
  }

  /** Whether the whole file was decoded and verified. */
  get isAtEnd(): boolean {
    return this.#parser.isAtEnd;
  }

  /** To be called when there are no more pieces: throws unless the file was whole. */
  finish(): void {
    if (!this.#parser.isAtEnd) throw this.#parser.truncated();
  }
}
