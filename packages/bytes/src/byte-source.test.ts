import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { type ByteSource, bytesSource, readWhole, sourceFrom } from './byte-source.ts';

const bytes = Uint8Array.from({ length: 20 }, (_, i) => i);

/** Gives three bytes a call at most, as some files do. */
const slow: ByteSource = {
  read: (into, offset, length, position) =>
    bytesSource(bytes).read(into, offset, Math.min(length, 3), position),
};

describe('bytesSource()', () => {
  test('gives what there is, and 0 bytes from the end on', () => {
    const into = new Uint8Array(6);
    const source = bytesSource(bytes);
    assert.equal(source.read(into, 1, 4, 2), 4);
    assert.deepEqual([...into], [0, 2, 3, 4, 5, 0]);
    assert.equal(source.read(into, 0, 6, 18), 2);
    assert.equal(source.read(into, 0, 6, 20), 0);
    assert.equal(source.read(into, 0, 6, 1000), 0);
  });
});

describe('readWhole()', () => {
  test('fills the array, in as many calls as it takes, or says that it cannot', () => {
    fc.assert(
      fc.property(fc.nat(25), fc.nat(25), fc.nat(5), (position, length, start) => {
        const into = new Uint8Array(length);
        const isThere = start + position + length <= bytes.length || length === 0;
        assert.equal(readWhole(sourceFrom(slow, start), into, position), isThere);
        if (isThere)
          assert.deepEqual(into, bytes.slice(start + position, start + position + length));
      }),
    );
  });
});
