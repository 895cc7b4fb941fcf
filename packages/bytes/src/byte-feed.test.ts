import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { ByteFeed } from './byte-feed.ts';

/** The bytes that the last call handed out. */
function handedOut(feed: ByteFeed, length: number): number[] {
  return [...feed.bytes.subarray(feed.start, feed.start + length)];
}

describe('ByteFeed', () => {
  test('hands out the input in the lengths asked for, however it was cut', () => {
    const requests = fc.array(fc.record({ length: fc.nat(600), isPeek: fc.boolean() }));
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), requests, (pieces, wishes) => {
        const all = new Uint8Array(Buffer.concat(pieces));
        const feed = new ByteFeed();
        const waiting = [...pieces];
        let taken = 0;
        for (const { length, isPeek } of wishes) {
          const get = (): boolean => (isPeek ? feed.peek(length) : feed.take(length));
          let isThere = get();
          while (!isThere && waiting.length > 0) {
            feed.give(waiting.shift()!);
            isThere = get();
          }
          if (!isThere) {
            assert.ok(all.length - taken < length, 'refuses only what there is not');
            return;
          }
          assert.deepEqual(handedOut(feed, length), [...all.subarray(taken, taken + length)]);
          if (!isPeek) taken += length;
          assert.equal(feed.taken, taken);
        }
      }),
    );
  });

  test('hands out bytes where they lie if they are in one piece', () => {
    const piece = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const feed = new ByteFeed();
    feed.give(piece, 1, 5);
    assert.ok(feed.take(3));
    assert.equal(feed.bytes, piece);
    assert.equal(feed.start, 1);
    assert.equal(feed.unused, 1);
  });

  test('leaves alone what was not asked for', () => {
    const feed = new ByteFeed();
    feed.give(Uint8Array.of(1, 2));
    assert.equal(feed.take(3), false);
    feed.give(Uint8Array.of(3, 4, 5));
    assert.ok(feed.take(3));
    assert.deepEqual(handedOut(feed, 3), [1, 2, 3]);
    assert.equal(feed.unused, 2);
  });

  test('takeSome() hands out what can be had at once', () => {
    const feed = new ByteFeed();
    feed.give(Uint8Array.of(1, 2));
    assert.equal(feed.peek(3), false);
    feed.give(Uint8Array.of(3, 4, 5));
    assert.equal(feed.takeSome(9), 2, 'what was set aside');
    assert.equal(feed.takeSome(2), 2);
    assert.deepEqual(handedOut(feed, 2), [3, 4]);
    assert.equal(feed.takeSome(9), 1);
    assert.equal(feed.takeSome(9), 0);
    assert.equal(feed.taken, 5);
  });

  test('refuses a piece before the last one is used up', () => {
    const feed = new ByteFeed();
    feed.give(Uint8Array.of(1));
    assert.throws(() => feed.give(Uint8Array.of(2)), { code: 'ASSERTION_FAILED' });
  });
});
