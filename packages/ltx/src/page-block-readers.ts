// How the page block of version 1 is read from a feed; frame-reader.ts has that of version 3. All
// readers check the order of the pages and count what they read into the file checksum, as it is
// without compression.

import {
  ByteFeed,
  BytesFormatError,
  Lz4FrameDecoder,
  type Lz4FrameEvent,
  readU32be,
} from '@skein/bytes';

import { LtxFormatError } from './errors.ts';
import type { FileChecksum } from './file-checksum.ts';
import { HEADER_SIZE } from './header.ts';
import { PGNO_SIZE } from './page-block.ts';
import type { PageOrder } from './page-order.ts';

/** 'more': the feed needs more; 'page': one was read; 'end': that was all. */
export type PageBlockEvent = 'more' | 'page' | 'end';

/** What reading a file works with, whatever its version. */
export interface PageBlockContext {
  readonly feed: ByteFeed;
  readonly pageSize: number;
  readonly checksum: FileChecksum;
  readonly order: Pick<PageOrder, 'accept'>;
}

export interface PageBlockReader {
  next(): PageBlockEvent;
  readonly pgno: number;
  /** The page's bytes begin at `start`; they are valid until the next call. */
  readonly bytes: Uint8Array;
  readonly start: number;
  /** Where its frame begins and ends; in a file without compression for version 1. */
  readonly frameStart: number;
  readonly frameEnd: number;
}

/** Version 1 without compression. Allocates nothing a page. */
export class RawPageReader implements PageBlockReader {
  readonly #context: PageBlockContext;
  /** Where the block is read from; that of the context unless it is compressed. */
  readonly #content: ByteFeed;
  /** Position in the uncompressed file of the feed's first byte. */
  readonly #contentStart: number;
  #isInPage = false;
  pgno = 0;

  constructor(context: PageBlockContext, content: ByteFeed = context.feed) {
    this.#context = context;
    this.#content = content;
    this.#contentStart = content === context.feed ? 0 : HEADER_SIZE;
  }

  get bytes(): Uint8Array {
    return this.#content.bytes;
  }

  get start(): number {
    return this.#content.start;
  }

  get frameStart(): number {
    return this.frameEnd - this.#context.pageSize - PGNO_SIZE;
  }

  get frameEnd(): number {
    return this.#contentStart + this.#content.taken;
  }

  next(): PageBlockEvent {
    const content = this.#content;
    const { checksum, order, feed, pageSize } = this.#context;
    if (!this.#isInPage) {
      if (!content.take(PGNO_SIZE)) return 'more';
      checksum.add(content.bytes, content.start, content.start + PGNO_SIZE);
      this.pgno = readU32be(content.bytes, content.start);
      if (this.pgno === 0) return 'end';
      order.accept(this.pgno, feed.taken);
      this.#isInPage = true;
    }
    if (!content.take(pageSize)) return 'more';
    this.#isInPage = false;
    checksum.addPage(this.pgno, content.bytes, content.start);
    return 'page';
  }
}

/** Version 1 in one LZ4 frame, of which the file has no byte more than it needs. */
export class FramedPageReader implements PageBlockReader {
  readonly #context: PageBlockContext;
  readonly #frame: Lz4FrameDecoder;
  readonly #content = new ByteFeed();
  readonly #pages: RawPageReader;
  #isAtEnd = false;

  constructor(context: PageBlockContext) {
    this.#context = context;
    this.#frame = new Lz4FrameDecoder(context.feed);
    this.#pages = new RawPageReader(context, this.#content);
  }

  get pgno(): number {
    return this.#pages.pgno;
  }

  get bytes(): Uint8Array {
    return this.#pages.bytes;
  }

  get start(): number {
    return this.#pages.start;
  }

  get frameStart(): number {
    return this.#pages.frameStart;
  }

  get frameEnd(): number {
    return this.#pages.frameEnd;
  }

  next(): PageBlockEvent {
    for (;;) {
      if (!this.#isAtEnd) {
        const event = this.#pages.next();
        if (event === 'page') return 'page';
        this.#isAtEnd = event === 'end';
      }
      if (this.#isAtEnd && this.#content.unused > 0) throw this.#badLength('more');
      // The block is over, or needs what the next part of the frame has.
      const event = advanceFrame(this.#frame, this.#context.feed);
      if (event === 'more') return 'more';
      if (event === 'end') {
        if (!this.#isAtEnd) throw this.#badLength('less');
        return 'end';
      }
      this.#content.give(this.#frame.bytes, this.#frame.start, this.#frame.end);
    }
  }

  #badLength(comparison: 'more' | 'less'): LtxFormatError {
    const message = `LTX page block is invalid: its LZ4 frame has ${comparison} than the pages`;
    return new LtxFormatError('LTX_COMPRESSION', message, { offset: this.#context.feed.taken });
  }
}

/** The next event of an LZ4 frame inside of an LTX file. */
export function advanceFrame(frame: Lz4FrameDecoder, file: ByteFeed): Lz4FrameEvent {
  try {
    return frame.next();
  } catch (cause) {
    throw compressionError(cause, file.taken);
  }
}

/** The error to throw in place of one of decompression; any other error is thrown as it is. */
export function compressionError(cause: unknown, offset: number): LtxFormatError {
  if (!(cause instanceof BytesFormatError)) throw cause;
  const message = 'LTX page block is invalid: it cannot be advanceFrame';
  return new LtxFormatError('LTX_COMPRESSION', message, { offset, cause });
}
