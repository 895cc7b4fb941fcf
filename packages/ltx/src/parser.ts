// Reads an LTX file from pieces of any length: the part that decoder and reader share.
//
// Everything the format promises is checked on the way: order of the pages, index, post-apply
// checksum of a snapshot, file checksum. But pages are given out before the checksum behind them is
// known: what was made of them counts only after 'end'. Memory does not grow with the file.

import { ByteFeed, assert } from '@skein/bytes';

import { formatChecksum } from './checksum.ts';
import { DETECTION_SIZE, versionOfFlags, versionOfFrame } from './detect-version.ts';
import { LtxFormatError } from './errors.ts';
import {
  HEADER_SIZE,
  type LtxHeader,
  type LtxVersion,
  checkHeader,
  decodeHeader,
} from './header.ts';
import { type LtxPage, PageBlockParser } from './page-block-parser.ts';
import {
  type LtxTrailer,
  TRAILER_CHECKED_SIZE,
  TRAILER_SIZE,
  checkPostApply,
  decodeTrailer,
} from './trailer.ts';

/** 'more': give the feed more, or the file ends too early; 'end': the file is whole and right. */
export type LtxEvent = 'more' | 'header' | 'page' | 'end';

export interface LtxReadOptions {
  /** Undefined: detected; detect-version.ts says what can go wrong with that. */
  readonly version?: LtxVersion | undefined;
}

export class LtxParser {
  readonly feed: ByteFeed = new ByteFeed();
  #version: LtxVersion | undefined;
  #headerBytes: Uint8Array | undefined;
  #header: LtxHeader | undefined;
  #block: PageBlockParser | undefined;
  #isBlockAtEnd = false;
  #trailer: LtxTrailer | undefined;

  constructor(options: LtxReadOptions = {}) {
    this.#version = options.version;
  }

  next(): LtxEvent {
    if (this.#block === undefined) return this.#readHeader() ? 'header' : 'more';
    if (!this.#isBlockAtEnd) {
      const event = this.#block.next();
      if (event !== 'end') return event;
      this.#isBlockAtEnd = true;
    }
    return this.isAtEnd || this.#readTrailer() ? 'end' : 'more';
  }

  /** Known from the event 'header' on, as are version and page. */
  get header(): LtxHeader {
    assert(this.#header !== undefined, 'The LTX header is not read yet');
    return this.#header;
  }

  get version(): LtxVersion {
    assert(this.#version !== undefined, 'The LTX version is not known yet');
    return this.#version;
  }

  /** The page of the last event 'page'. */
  get page(): LtxPage {
    return this.#pages;
  }

  /** Known at the event 'end'. */
  get trailer(): LtxTrailer {
    assert(this.#trailer !== undefined, 'The LTX trailer is not read yet');
    return this.#trailer;
  }

  get isAtEnd(): boolean {
    return this.#trailer !== undefined;
  }

  /** The error to throw when there is nothing to give at the event 'more'. */
  truncated(): LtxFormatError {
    const details = { offset: this.feed.taken };
    return new LtxFormatError('LTX_TRUNCATED', 'LTX file ends too early', details);
  }

  get #pages(): PageBlockParser {
    assert(this.#block !== undefined, 'The LTX header is not read yet');
    return this.#block;
  }

  /** Reads the header and finds out the version, for which it may look at the first frame. */
  #readHeader(): boolean {
    const { feed } = this;
    if (this.#headerBytes === undefined) {
      if (!feed.take(HEADER_SIZE)) return false;
      this.#headerBytes = feed.bytes.slice(feed.start, feed.start + HEADER_SIZE);
    }
    this.#header ??= decodeHeader(this.#headerBytes);
    const header = this.#header;
    this.#version ??= versionOfFlags(header.flags);
    if (this.#version === undefined) {
      if (!feed.peek(DETECTION_SIZE)) return false;
      this.#version = versionOfFrame(header, feed.bytes, feed.start);
    }
    checkHeader(header, this.#version);
    this.#block = new PageBlockParser(feed, header, this.#version);
    this.#block.checksum.add(this.#headerBytes, 0, HEADER_SIZE);
    return true;
  }

  #readTrailer(): boolean {
    const { feed } = this;
    const offset = feed.taken;
    if (!feed.take(TRAILER_SIZE)) return false;
    const trailer = decodeTrailer(feed.bytes, feed.start);
    const { checksum, pagesChecksum } = this.#pages;
    checksum.add(feed.bytes, feed.start, feed.start + TRAILER_CHECKED_SIZE);
    if (trailer.fileChecksum !== checksum.value) {
      const details = { offset, expected: trailer.fileChecksum, actual: checksum.value };
      const message = `LTX file is corrupt: its checksum is ${formatChecksum(checksum.value)}`;
      throw new LtxFormatError('LTX_FILE_CHECKSUM', message, details);
    }
    checkPostApply(this.header, trailer.postApplyChecksum, pagesChecksum, offset);
    this.#trailer = trailer;
    return true;
  }
}
