import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';

import { ByteFeed } from './byte-feed.ts';
import { BytesFormatError } from './errors.ts';
import { Lz4FrameDecoder } from './lz4-frame-decoder.ts';
import { Lz4FrameEncoder } from './lz4-frame-encoder.ts';
import { xxh32 } from './xxh32.ts';

function encode(...content: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const encoder = new Lz4FrameEncoder((bytes, start, end) => parts.push(bytes.slice(start, end)));
  encoder.begin();
  for (const bytes of content) encoder.write(bytes);
  encoder.finish();
  return new Uint8Array(Buffer.concat(parts));
}

interface Decoded {
  readonly content: Uint8Array;
  readonly isWhole: boolean;
  /** Bytes of the input that the frame did not use. */
  readonly unused: number;
}

/** Decodes a frame that arrives in the given pieces. */
function decode(...pieces: readonly Uint8Array[]): Decoded {
  const feed = new ByteFeed();
  const decoder = new Lz4FrameDecoder(feed);
  const content: Uint8Array[] = [];
  const waiting = [...pieces];
  let unused = pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (;;) {
    const event = decoder.next();
    if (event === 'block') content.push(decoder.bytes.slice(decoder.start, decoder.end));
    const isWhole = event === 'end';
    if (isWhole || (event === 'more' && waiting.length === 0)) {
      unused -= feed.taken;
      return { content: new Uint8Array(Buffer.concat(content)), isWhole, unused };
    }
    if (event === 'more') feed.give(waiting.shift()!);
  }
}

/** Undefined for a format error; fails for any other. */
function maybeDecode(frame: Uint8Array): Decoded | undefined {
  try {
    return decode(frame);
  } catch (error) {
    assert.ok(error instanceof BytesFormatError, String(error));
    return undefined;
  }
}

/** More than two blocks, compressible in parts. */
const long = new Uint8Array(150_000).map((_, at) =>
  at % 3000 < 2000 ? at % 7 : Math.imul(at, 0x9e3779b1) >>> 24,
);
const short = new Uint8Array(Buffer.from('one transaction, one transaction, one transaction'));

/** A frame made by lz4_flex, with or without checksums of blocks. */
function foreignFrame(content: Uint8Array, blockChecksums: boolean): Uint8Array {
  const options = { blockChecksums, contentChecksum: true };
  return new Uint8Array(compressFrameSync(Buffer.from(content), options));
}

/** A frame of blocks of up to 64 KiB with the given flags; the rest in hexadecimal digits. */
function withDescriptor(flags: number, blocks: string, contentSize: string = ''): Uint8Array {
  const descriptor = Buffer.concat([Buffer.of(flags, 0x40), Buffer.from(contentSize, 'hex')]);
  const checksum = (xxh32(descriptor) >>> 8) & 0xff;
  const start = Buffer.from('04224d18', 'hex');
  const parts = [
    start,
    descriptor,
    Buffer.of(checksum),
    Buffer.from(blocks.replaceAll(' ', ''), 'hex'),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

describe('Lz4FrameEncoder', () => {
  test('begins frames as LiteFS does', () => {
    assert.equal(Buffer.from(encode(short)).toString('hex', 0, 7), '04224d186440a7');
  });

  test('ends frames with an end mark and the checksum of the content', () => {
    // xxHash32 of nothing is 02cc5d05.
    assert.equal(Buffer.from(encode()).toString('hex', 7), '00000000055dcc02');
  });

  test('makes frames that lz4-napi reads', () => {
    for (const content of [short, long]) {
      assert.deepEqual(new Uint8Array(decompressFrameSync(Buffer.from(encode(content)))), content);
    }
  });

  test('makes the same frame however the content is cut', () => {
    const whole = encode(long);
    for (const cut of [1, 65_535, 65_536, 65_537, 140_000]) {
      assert.deepEqual(encode(long.subarray(0, cut), long.subarray(cut)), whole);
    }
  });

  test('stores a block that does not get shorter', () => {
    const noise = new Uint8Array(70_000).map((_, at) => Math.imul(at + 1, 0x9e3779b1) >>> 24);
    for (let at = 0; at < noise.length; at += 1) noise[at]! ^= (at * at) >>> 9;
    const frame = encode(noise);
    assert.ok(frame.length <= noise.length + 7 + 2 * 4 + 8);
    assert.deepEqual(decode(frame).content, noise);
  });
});

describe('Lz4FrameDecoder', () => {
  test('reads what Lz4FrameEncoder wrote', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 5 });
    fc.assert(
      fc.property(pieces, (content) => {
        const { content: decoded, isWhole } = decode(encode(...content));
        assert.ok(isWhole);
        assert.deepEqual(decoded, new Uint8Array(Buffer.concat(content)));
      }),
    );
  });

  test('lets a dependent block refer to the one before, and an independent one not', () => {
    // "12345678" stored; then token 0x04 (a match of eight bytes), distance 8, a last empty
    // sequence.
    const blocks = '08000080 3132333435363738 04000000 04080000 00000000';
    const dependent = withDescriptor(0x40, blocks);
    assert.equal(Buffer.from(decode(dependent).content).toString(), '1234567812345678');
    const independent = withDescriptor(0x60, blocks);
    assert.throws(() => decode(independent), { code: 'LZ4_BLOCK_MATCH_OFFSET' });
  });

  test('compares the content with the size that the frame names', () => {
    const blocks = '03000080 616263 00000000';
    assert.ok(decode(withDescriptor(0x68, blocks, '0300000000000000')).isWhole);
    const wrong = withDescriptor(0x68, blocks, '0400000000000000');
    assert.throws(() => decode(wrong), { code: 'LZ4_FRAME_CONTENT_SIZE' });
  });

  test('rejects a block whose content is longer than the frame allows', () => {
    // One literal, then a match of 70,000 bytes, in a frame of dependent blocks of 64 KiB.
    const block = `1f610100${'ff'.repeat(274)}6f00`;
    const frame = withDescriptor(0x40, `18010000 ${block} 00000000`);
    assert.throws(() => decode(frame), { code: 'LZ4_FRAME_BLOCK_SIZE', actual: 70_001 });
  });

  test('keeps the last 64 KiB for dependent blocks, however much came before', () => {
    const noise = long.map((byte, at) => byte ^ Math.imul(at, 0x85ebca6b));
    const stored = (start: number): string =>
      `00000180${Buffer.from(noise.subarray(start, start + 65_536)).toString('hex')}`;
    // A match of 19 bytes from 65,535 bytes before.
    const frame = `${stored(0)} ${stored(65_536)} 05000000 0fffff0000 00000000`;
    const { content } = decode(withDescriptor(0x40, frame));
    const expected = [...noise.subarray(0, 131_072), ...noise.subarray(65_537, 65_556)];
    assert.ok(Buffer.from(content).equals(Uint8Array.from(expected)));
  });

  test('checks the checksums of blocks', () => {
    const frame = foreignFrame(short, true);
    const blockEnd = 7 + 4 + frame[7]!;
    frame[blockEnd]! ^= 1;
    assert.throws(() => decode(frame), { code: 'LZ4_FRAME_BLOCK_CHECKSUM' });
  });

  test('reads frames with checksums of blocks', () => {
    for (const blockChecksums of [false, true]) {
      const { content, isWhole } = decode(foreignFrame(long, blockChecksums));
      assert.ok(isWhole);
      assert.deepEqual(content, long);
    }
  });

  test('reads a frame cut anywhere into two, and leaves what follows it', () => {
    for (const frame of [encode(short), foreignFrame(short, true)]) {
      const followed = new Uint8Array([...frame, 0x04, 0x22, 0x4d, 0x18, 9]);
      for (let cut = 0; cut <= followed.length; cut += 1) {
        const result = decode(followed.subarray(0, cut), followed.subarray(cut));
        assert.deepEqual(result, { content: short, isWhole: true, unused: 5 });
      }
    }
  });

  test('reads one frame after the other after begin()', () => {
    const feed = new ByteFeed();
    const decoder = new Lz4FrameDecoder(feed);
    feed.give(new Uint8Array([...foreignFrame(short, false), ...encode(long.subarray(0, 300))]));
    for (const expected of [short, long.subarray(0, 300)]) {
      assert.equal(decoder.next(), 'block');
      assert.deepEqual(decoder.bytes.slice(decoder.start, decoder.end), expected.slice());
      assert.equal(decoder.next(), 'end');
      assert.equal(decoder.next(), 'end', 'stays at the end');
      decoder.begin();
    }
    assert.equal(feed.unused, 0);
  });

  test('waits for more at every length short of the whole', () => {
    for (const frame of [encode(short), foreignFrame(short, true)]) {
      for (let length = 0; length < frame.length; length += 1) {
        assert.equal(decode(frame.subarray(0, length)).isWhole, false);
      }
    }
  });

  test('rejects or reads equally a frame with one bit changed', () => {
    for (const frame of [encode(short), foreignFrame(short, true)]) {
      for (let bit = 0; bit < frame.length * 8; bit += 1) {
        const mutant = frame.slice();
        mutant[bit >>> 3]! ^= 1 << (bit & 7);
        const decoded = maybeDecode(mutant);
        if (decoded?.isWhole) assert.deepEqual(decoded.content, short, `bit ${bit}`);
      }
    }
  });

  test('names what is wrong with a frame', () => {
    const good = encode(short);
    const withByte = (at: number, value: number): Uint8Array => {
      const bytes = good.slice();
      bytes.set([value], at < 0 ? bytes.length + at : at);
      return bytes;
    };
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ['LZ4_FRAME_MAGIC', withByte(0, 0x03)],
      ['LZ4_FRAME_DESCRIPTOR', withByte(4, 0x24)],
      ['LZ4_FRAME_DESCRIPTOR', withByte(4, 0x66)],
      ['LZ4_FRAME_DICTIONARY', withByte(4, 0x65)],
      ['LZ4_FRAME_DESCRIPTOR', withByte(5, 0x30)],
      ['LZ4_FRAME_DESCRIPTOR', withByte(5, 0x41)],
      ['LZ4_FRAME_DESCRIPTOR_CHECKSUM', withByte(6, 0xa6)],
      ['LZ4_FRAME_BLOCK_SIZE', withByte(9, 0x02)],
      ['LZ4_FRAME_CONTENT_CHECKSUM', withByte(-1, good.at(-1)! ^ 1)],
    ];
    for (const [code, bytes] of cases) assert.throws(() => decode(bytes), { code });
  });
});
