// How the page block of version 3 is read from a feed: frames of one page each, then the page
// index, which must be that of these frames.

import {
  type ByteFeed,
  Lz4BlockDecoder,
  Lz4FrameDecoder,
  lz4BlockBound,
  readU32be,
  readU64be,
} from '@skein/bytes';

import { LtxFormatError } from './errors.ts';
import { FRAME_FLAG_LENGTH, FRAME_HEADER_SIZE, FRAME_LENGTH_SIZE } from './page-block.ts';
import {
  type PageBlockContext,
  type PageBlockEvent,
  type PageBlockReader,
  compressionError,
  advanceFrame,
} from './page-block-readers.ts';
import { INDEX_LENGTH_SIZE, PageIndexDigest, badIndex } from './page-index.ts';

type Part = 'header' | 'length' | 'block' | 'lz4 frame' | 'index' | 'index end' | 'nothing';

export class FrameReader implements PageBlockReader {
  readonly #context: PageBlockContext;
  readonly #feed: ByteFeed;
  readonly #index = new PageIndexDigest();
  readonly #blocks = new Lz4BlockDecoder();
  #frames: Lz4FrameDecoder | undefined;
  #expects: Part = 'header';
  #blockLength = 0;
  /** How much of the page the LZ4 frame has given so far. */
  #pageLength = 0;
  /** How much of the index entries was not read yet. */
  #indexRest = 0;
  pgno = 0;
  readonly bytes: Uint8Array;
  readonly start = 0;
  frameStart = 0;
  frameEnd = 0;

  constructor(context: PageBlockContext) {
    this.#context = context;
    this.#feed = context.feed;
    this.bytes = new Uint8Array(context.pageSize);
  }

  next(): PageBlockEvent {
    for (;;) {
      switch (this.#expects) {
        case 'header':
          if (!this.#readHeader()) return 'more';
          break;
        case 'length':
          if (!this.#readLength()) return 'more';
          break;
        case 'block':
          return this.#readBlock() ? this.#endFrame() : 'more';
        case 'lz4 frame':
          return this.#readLz4Frame() ? this.#endFrame() : 'more';
        case 'index':
          if (!this.#readIndex()) return 'more';
          break;
        case 'index end':
          if (!this.#readIndexEnd()) return 'more';
          break;
        case 'nothing':
          return 'end';
      }
    }
  }

  #readHeader(): boolean {
    const feed = this.#feed;
    const offset = feed.taken;
    if (!this.#take(FRAME_HEADER_SIZE)) return false;
    this.pgno = readU32be(feed.bytes, feed.start);
    const flags = (feed.bytes[feed.start + 4]! << 8) | feed.bytes[feed.start + 5]!;
    if (this.pgno === 0) {
      if (flags !== 0) throw badFrame('flags without a page', offset, flags);
      this.#indexRest = this.#index.length;
      this.#expects = 'index';
      return true;
    }
    this.#context.order.accept(this.pgno, offset);
    if ((flags & ~FRAME_FLAG_LENGTH) !== 0) throw badFrame('unknown flags', offset, flags);
    this.frameStart = offset;
    this.#pageLength = 0;
    this.#expects = flags === 0 ? 'lz4 frame' : 'length';
    return true;
  }

  #readLength(): boolean {
    const feed = this.#feed;
    if (!this.#take(FRAME_LENGTH_SIZE)) return false;
    this.#blockLength = readU32be(feed.bytes, feed.start);
    // The limit keeps a corrupt length from making the feed set gigabytes aside.
    if (this.#blockLength === 0 || this.#blockLength > lz4BlockBound(this.#context.pageSize)) {
      throw badFrame('no length of a compressed page', feed.taken, this.#blockLength);
    }
    this.#expects = 'block';
    return true;
  }

  #readBlock(): boolean {
    const feed = this.#feed;
    const length = this.#blockLength;
    if (!feed.take(length)) return false;
    try {
      const end = feed.start + length;
      this.#pageLength = this.#blocks.decode(feed.bytes, feed.start, end, this.bytes, 0);
    } catch (cause) {
      throw compressionError(cause, feed.taken);
    }
    return true;
  }

  /** A page as ltx 0.5.0 and 0.5.1 wrote it. */
  #readLz4Frame(): boolean {
    this.#frames ??= new Lz4FrameDecoder(this.#feed);
    const frames = this.#frames;
    for (;;) {
      const event = advanceFrame(frames, this.#feed);
      if (event === 'more') return false;
      if (event === 'end') break;
      const length = frames.end - frames.start;
      if (length > this.#context.pageSize - this.#pageLength) {
        throw badFrame('a page of more bytes', this.#feed.taken, this.#pageLength + length);
      }
      this.bytes.set(frames.bytes.subarray(frames.start, frames.end), this.#pageLength);
      this.#pageLength += length;
    }
    frames.begin();
    return true;
  }

  #endFrame(): PageBlockEvent {
    const { checksum, pageSize } = this.#context;
    this.frameEnd = this.#feed.taken;
    if (this.#pageLength !== pageSize) {
      throw badFrame('a page of fewer bytes', this.frameEnd, this.#pageLength);
    }
    checksum.addPage(this.pgno, this.bytes, 0);
    this.#index.add(this.pgno, this.frameStart, this.frameEnd - this.frameStart);
    this.#expects = 'header';
    return 'page';
  }

  #readIndex(): boolean {
    const feed = this.#feed;
    while (this.#indexRest > 0) {
      const length = feed.takeSome(this.#indexRest);
      if (length === 0) return false;
      this.#context.checksum.add(feed.bytes, feed.start, feed.start + length);
      this.#index.compare(feed.bytes, feed.start, feed.start + length);
      this.#indexRest -= length;
    }
    if (!this.#index.isEqual()) throw badIndex('it is not that of the frames', feed.taken);
    this.#expects = 'index end';
    return true;
  }

  #readIndexEnd(): boolean {
    const feed = this.#feed;
    if (!this.#take(1 + INDEX_LENGTH_SIZE)) return false;
    const length = readU64be(feed.bytes, feed.start + 1);
    if (feed.bytes[feed.start] !== 0 || length !== BigInt(this.#index.length + 1)) {
      throw badIndex('it is longer than that of the frames, or its length is wrong', feed.taken);
    }
    this.#expects = 'nothing';
    return true;
  }

  /** Takes bytes that the file checksum covers as they are. */
  #take(length: number): boolean {
    const feed = this.#feed;
    if (!feed.take(length)) return false;
    this.#context.checksum.add(feed.bytes, feed.start, feed.start + length);
    return true;
  }
}

function badFrame(problem: string, offset: number, actual: number): LtxFormatError {
  const message = `LTX page frame is invalid: ${problem}: ${actual}`;
  return new LtxFormatError('LTX_PAGE_HEADER', message, { offset, actual });
}
