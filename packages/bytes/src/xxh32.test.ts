import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { Xxh32, xxh32 } from './xxh32.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('xxh32()', () => {
  test('has the known values for seed 0', () => {
    assert.equal(xxh32(encode('')), 0x02cc5d05);
    assert.equal(xxh32(encode('a')), 0x550d7456);
    assert.equal(xxh32(encode('abc')), 0x32d153ff);
    assert.equal(xxh32(encode('Nobody inspects the spammish repetition')), 0xe2293b2f);
  });
});

describe('Xxh32', () => {
  test('gives the same hash however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (pieces) => {
        const hash = new Xxh32();
        for (const piece of pieces) hash.update(piece);
        assert.equal(hash.digest(), xxh32(new Uint8Array(Buffer.concat(pieces))));
      }),
    );
  });

  test('goes on after digest() and starts again after reset()', () => {
    const hash = new Xxh32();
    hash.update(encode('ab'));
    hash.digest();
    hash.update(encode('c'));
    assert.equal(hash.digest(), 0x32d153ff);
    hash.reset();
    assert.equal(hash.digest(), 0x02cc5d05);
  });
});
