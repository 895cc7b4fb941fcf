import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PeerBook } from './peer-book.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 100 * DAY_MS;

describe('PeerBook', () => {
  test('remembers whom it met, and asks also those of whom it was told', () => {
    const book = new PeerBook(['http://node1/'], [], NOW_MS);
    assert.equal(book.note({ name: 'node2', url: 'http://node2/' }, NOW_MS), true);
    assert.equal(book.hear({ name: 'node3', url: 'http://node3/' }), true);
    assert.equal(book.hear({ name: 'node3', url: 'http://node3/' }), false);
    assert.deepEqual(book.urls, ['http://node1/', 'http://node2/', 'http://node3/']);
    assert.deepEqual(
      book.met.map(({ name }) => name),
      ['node2'],
    );
  });

  test('a word of the same node is news only after a while', () => {
    const book = new PeerBook([], [], NOW_MS);
    const peer = { name: 'node2', url: 'http://node2/' };
    book.note(peer, NOW_MS);
    assert.equal(book.note(peer, NOW_MS + 60_000), false);
    assert.equal(book.note(peer, NOW_MS + DAY_MS), true);
  });

  test('a node that has moved is asked at its new address only', () => {
    const book = new PeerBook([], [], NOW_MS);
    book.note({ name: 'node2', url: 'http://old/' }, NOW_MS);
    book.note({ name: 'node2', url: 'http://new/' }, NOW_MS);
    assert.equal(book.hear({ name: 'node2', url: 'http://old/' }), false);
    assert.deepEqual(book.urls, ['http://new/']);
  });

  test('forgets nodes that were taken away a week ago', () => {
    const old = { name: 'node2', url: 'http://node2/', seenMs: NOW_MS - 8 * DAY_MS };
    const recent = { name: 'node3', url: 'http://node3/', seenMs: NOW_MS - 6 * DAY_MS };
    assert.deepEqual(new PeerBook([], [old, recent], NOW_MS).urls, ['http://node3/']);
  });

  test('has room for so many, and makes it for those that speak', () => {
    const book = new PeerBook([], [], NOW_MS);
    for (let index = 0; index < 64; index += 1) {
      book.note({ name: `node${index}`, url: `http://node${index}/` }, NOW_MS + index);
    }
    assert.equal(book.hear({ name: 'more', url: 'http://more/' }), false);
    book.note({ name: 'more', url: 'http://more/' }, NOW_MS + DAY_MS);
    assert.equal(book.urls.length, 64);
    assert.equal(book.urls.includes('http://node0/'), false);
  });
});
