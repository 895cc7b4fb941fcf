import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Listing } from './listing.ts';

function read(listing: Listing, offset: number, names: readonly string[]): string[] {
  return listing.from(offset, names).map(({ name }) => name);
}

describe('Listing', () => {
  test('begins with the dots, and ends', () => {
    const listing = new Listing();
    const all = listing.from(0, ['a', 'b']);
    assert.deepEqual(
      all.map(({ name }) => name),
      ['.', '..', 'a', 'b'],
    );
    assert.deepEqual(read(listing, all.at(-1)!.off, ['a', 'b']), []);
  });

  test('goes on where a reader was, though names come and go meanwhile', () => {
    const listing = new Listing();
    const offsetOfB = listing.from(0, ['a', 'b', 'c']).find(({ name }) => name === 'b')!.off;
    // What was removed before is not missed, what came is told at the end.
    assert.deepEqual(read(listing, offsetOfB, ['b', 'c', 'aa']), ['c', 'aa']);
    assert.deepEqual(read(listing, offsetOfB, ['c']), ['c']);
  });

  test('gives every name a place of its own', () => {
    const listing = new Listing();
    const offsets = listing.from(0, ['x', 'y', 'z']).map(({ off }) => off);
    assert.equal(new Set(offsets).size, offsets.length);
    assert.ok(offsets.every((off) => off > 0));
  });
});
