import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import {
  answerHeaders,
  maybeParseResume,
  type NodeHello,
  parseHello,
  requestHeaders,
  signedParts,
} from './hello.ts';

const HELLO: NodeHello = {
  nodeId: 0x0011_2233_aabb_ccddn,
  name: 'node/1%',
  url: 'http://[fd00::1]:20202/',
  primary: 'node1',
  epoch: 7,
  clusterId: 'LFSC0000000000000001',
};

describe('parseHello()', () => {
  test('gives what a node said of itself, in either direction', () => {
    const expected = { ...HELLO, dialect: 'skein' };
    assert.deepEqual(parseHello(requestHeaders(HELLO)), expected);
    assert.deepEqual(parseHello(answerHeaders(HELLO, 'skein')), expected);
    const stranger = { ...HELLO, clusterId: undefined };
    assert.deepEqual(parseHello(requestHeaders(stranger)), { ...stranger, dialect: 'skein' });
  });

  test('gives any names that nodes may have', () => {
    const printable = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    const text = fc.string({ unit: printable, maxLength: 30 });
    const urls = fc.webUrl().map((each) => new URL(each).href);
    fc.assert(
      fc.property(text, urls, text, (name, url, primary) => {
        const hello = { ...HELLO, name, url, primary };
        const headers = requestHeaders(hello);
        for (const value of Object.values(headers)) assert.match(value, /^[\x20-\x7e]*$/);
        assert.deepEqual(parseHello(headers), { ...hello, dialect: 'skein' });
      }),
    );
  });

  test('refuses names and URLs that no node has: they are shown, kept, and told to others', () => {
    const bad: readonly Partial<NodeHello>[] = [
      { name: 'two words' },
      { name: '\u001b[2J' },
      { name: 'line\nbreak' },
      { name: 'Knoten-\u00e4' },
      { name: 'x'.repeat(256) },
      { primary: 'a\u0000' },
      { url: 'no url' },
      { url: 'file:///etc/passwd' },
      { url: 'javascript:alert(1)' },
      { clusterId: 'another' },
    ];
    for (const fields of bad) {
      const headers = requestHeaders({ ...HELLO, ...fields });
      assert.throws(
        () => parseHello(headers),
        { code: 'STREAM_MALFORMED' },
        JSON.stringify(fields),
      );
    }
  });

  test('takes who says nothing of Skein for a LiteFS, whose headers are those of LiteFS', () => {
    const headers = answerHeaders(HELLO, 'litefs');
    assert.deepEqual(headers, {
      'litefs-id': '00112233AABBCCDD',
      'litefs-cluster-id': 'LFSC0000000000000001',
    });
    const { nodeId, clusterId } = HELLO;
    assert.deepEqual(parseHello(headers), { dialect: 'litefs', nodeId, clusterId });
  });
});

describe('maybeParseResume()', () => {
  test('gives the file and how much of it there is', () => {
    const resume = { id: 'snapshot-7', offset: 2 ** 40 };
    assert.deepEqual(maybeParseResume(requestHeaders(HELLO, resume)), resume);
    assert.equal(maybeParseResume(requestHeaders(HELLO)), undefined);
  });
});

describe('signedParts()', () => {
  test('covers every header that means something, in any order, and no other', () => {
    const headers = requestHeaders(HELLO, { id: 'a', offset: 1 });
    const parts = signedParts(['POST'], headers);
    const reversed = Object.fromEntries(Object.entries(headers).toReversed());
    const others = { ...reversed, date: 'today', 'skein-auth': 'x' };
    assert.deepEqual(signedParts(['POST'], others), parts);
    for (const name of Object.keys(headers)) {
      assert.notDeepEqual(signedParts(['POST'], { ...headers, [name]: 'other' }), parts, name);
    }
  });
});
