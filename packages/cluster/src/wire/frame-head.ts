// The beginning of a frame: its type, then fields of fixed length, then texts, all in one piece.
//
// A head is looked at until it is whole and only then taken, so that nothing has to be remembered
// of one that has come in part: it has at most some hundred bytes.

import { type ByteFeed, readU32be } from '@skein/bytes';

import { readLength } from './fields.ts';

export interface HeadLayout {
  /** Bytes from the type on, before the first text. */
  readonly fixedBytes: number;
  /** The longest that each text may be. */
  readonly texts: readonly number[];
}

export interface FrameHead {
  readonly bytes: Uint8Array;
  /** Where the head begins, with the type. */
  readonly start: number;
  /** Where each text begins and ends. */
  readonly texts: ReadonlyArray<readonly [start: number, end: number]>;
}

const TYPE_BYTES = 4;

/** The type of the frame that comes next, without taking it. */
export function peekType(feed: ByteFeed): number | undefined {
  return feed.peek(TYPE_BYTES) ? readU32be(feed.bytes, feed.start) : undefined;
}

/** Takes a head that is whole; it is valid until the feed is asked again. */
export function maybeTakeHead(feed: ByteFeed, layout: HeadLayout): FrameHead | undefined {
  let length = layout.fixedBytes;
  const texts: [start: number, end: number][] = [];
  for (const bytesMax of layout.texts) {
    if (!feed.peek(length + 4)) return undefined;
    const textStart = length + 4;
    length = textStart + readLength(feed.bytes, feed.start + length, bytesMax);
    texts.push([textStart, length]);
  }
  if (!feed.take(length)) return undefined;
  const { bytes, start } = feed;
  return { bytes, start, texts: texts.map(([from, to]) => [start + from, start + to]) };
}
