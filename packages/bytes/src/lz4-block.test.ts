import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compressSync, uncompressSync } from 'lz4-napi';

import { BytesFormatError } from './errors.ts';
import { lz4BlockBound } from './lz4-block.ts';
import { Lz4BlockDecoder } from './lz4-block-decoder.ts';
import { Lz4BlockEncoder } from './lz4-block-encoder.ts';

const encoder = new Lz4BlockEncoder();
const decoder = new Lz4BlockDecoder();

/** Bytes with something to find: random ones, runs, and repetitions of what came before. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(255), fc.nat(600)).map(([byte, count]) => new Uint8Array(count).fill(byte)),
      fc
        .constantFrom('INSERT INTO ', 'the quick brown fox ', '\0\0\0\0')
        .map((s) => Buffer.from(s)),
    ),
    { maxLength: 30 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

function encode(bytes: Uint8Array): Uint8Array {
  const target = new Uint8Array(lz4BlockBound(bytes.length));
  return target.slice(0, encoder.encode(bytes, 0, bytes.length, target, 0));
}

function decode(block: Uint8Array, room: number): Uint8Array {
  const target = new Uint8Array(room);
  return target.subarray(0, decoder.decode(block, 0, block.length, target, 0));
}

/** Decodes between guards: fails if anything outside of the room changes. */
function decodeGuarded(block: Uint8Array, room: number): Uint8Array {
  const around = new Uint8Array(room + 64).fill(0xa5);
  const target = around.subarray(32, 32 + room);
  try {
    return target.slice(0, decoder.decode(block, 0, block.length, target, 0));
  } finally {
    const guards = [...around.subarray(0, 32), ...around.subarray(32 + room)];
    assert.ok(
      guards.every((byte) => byte === 0xa5),
      'writes outside of the room',
    );
  }
}

/** Equal content, or another content, or a format error; nothing else. */
function decodeOrFail(block: Uint8Array, room: number): void {
  try {
    decodeGuarded(block, room);
  } catch (error) {
    assert.ok(error instanceof BytesFormatError, String(error));
  }
}

describe('Lz4BlockEncoder', () => {
  test('makes blocks that Lz4BlockDecoder and lz4-napi turn back', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const block = encode(bytes);
        assert.ok(block.length <= lz4BlockBound(bytes.length));
        assert.deepEqual(decode(block, bytes.length), bytes);
        const prefix = Buffer.alloc(4);
        prefix.writeUInt32LE(bytes.length);
        assert.deepEqual(
          new Uint8Array(uncompressSync(Buffer.concat([prefix, block]))),
          new Uint8Array(bytes),
        );
      }),
    );
  });

  test('shortens what repeats', () => {
    assert.ok(encode(new Uint8Array(65536)).length < 300);
    assert.ok(encode(Buffer.from('replication '.repeat(300))).length < 60);
  });

  test('keeps the end of a block as the format wants it', () => {
    // No match begins in the last twelve bytes, none reaches into the last five.
    assert.deepEqual([...encode(new Uint8Array(12))], [0xc0, ...new Uint8Array(12)]);
    assert.deepEqual(encode(new Uint8Array(100)).slice(-6), Uint8Array.of(0x50, 0, 0, 0, 0, 0));
  });

  test('finds no matches farther away than a distance can say', () => {
    const bytes = new Uint8Array(200_000).map((_, at) => Math.imul(at, 0x9e3779b1) >>> 24);
    bytes.copyWithin(150_000, 0, 50_000);
    assert.deepEqual(decode(encode(bytes), bytes.length), bytes);
  });

  test('compresses a range of a larger array and leaves the rest of the target alone', () => {
    const source = new Uint8Array(Buffer.from(`xyz${'abcdef'.repeat(20)}xyz`)).subarray(1);
    const target = new Uint8Array(300).fill(0xa5);
    const end = encoder.encode(source, 2, 2 + 120, target, 10);
    assert.deepEqual(
      decode(target.slice(10, end), 120),
      new Uint8Array(Buffer.from('abcdef'.repeat(20))),
    );
    assert.ok(target.subarray(0, 10).every((byte) => byte === 0xa5));
    assert.ok(target.subarray(end).every((byte) => byte === 0xa5));
  });
});

describe('Lz4BlockDecoder', () => {
  const sample = new Uint8Array(
    Buffer.from('a match, a match, another match and abcabcabcabcabcabcabcabc, 0123456789'),
  );

  test('decodes blocks of lz4-napi', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const block = compressSync(Buffer.from(bytes)).subarray(4);
        assert.deepEqual(decode(block, bytes.length), bytes);
      }),
    );
  });

  test('lets matches reach into the history before the target', () => {
    // Token 0x04: no literals, a match of eight bytes; distance 8; then an empty last sequence.
    const target = Buffer.from('12345678........');
    assert.equal(decoder.decode(Uint8Array.of(0x04, 8, 0, 0x00), 0, 4, target, 8), 16);
    assert.equal(target.toString(), '1234567812345678');
  });

  test('rejects a block cut at any length', () => {
    const block = encode(sample);
    for (let length = 0; length < block.length; length += 1) {
      const cut = block.subarray(0, length);
      let decoded: Uint8Array | undefined;
      try {
        decoded = decodeGuarded(cut, sample.length);
      } catch (error) {
        assert.ok(error instanceof BytesFormatError && error.code === 'LZ4_BLOCK_TRUNCATED');
      }
      // A cut between two sequences cannot be told from an end: it gives less content, no other.
      if (decoded === undefined) continue;
      assert.ok(decoded.length < sample.length);
      assert.deepEqual(decoded, sample.slice(0, decoded.length));
    }
  });

  test('rejects content that does not fit into the room', () => {
    const block = encode(sample);
    for (let room = 0; room < sample.length; room += 1) {
      assert.throws(() => decodeGuarded(block, room), { code: 'LZ4_BLOCK_OVERFLOW' });
    }
  });

  test('rejects matches from nowhere', () => {
    for (const distance of [0, 2, 0xffff]) {
      const block = Uint8Array.of(0x10, 0x61, distance & 0xff, distance >>> 8, 0x00);
      assert.throws(() => decodeGuarded(block, 100), { code: 'LZ4_BLOCK_MATCH_OFFSET' });
    }
  });

  test('decodes or rejects a block with one byte changed', () => {
    const block = encode(sample);
    for (let at = 0; at < block.length; at += 1) {
      for (let value = 0; value < 256; value += 1) {
        const mutant = block.slice();
        mutant[at] = value;
        decodeOrFail(mutant, sample.length);
      }
    }
  });

  test('decodes or rejects any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(300), (block, room) => {
        decodeOrFail(block, room);
      }),
      { numRuns: 2000 },
    );
  });
});
