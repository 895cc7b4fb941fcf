import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { toChecksum, toTxid } from '@skein/ltx';
import * as fc from 'fast-check';

import { ClusterError } from './errors.ts';
import { formatHello, parseHello, type PeerHello } from './peer.ts';

const HELLO: PeerHello = {
  name: 'node1',
  nodeId: '00000000000000A1',
  url: 'http://node1:20202/',
  proxyUrl: 'http://node1:8080/',
  sqlUrl: 'http://node1:8090/',
  primary: 'node2',
  role: 'replica',
  epoch: 0x1_0007,
  isEnding: true,
  clusterId: 'LFSC0123456789ABCDEF',
  peers: [{ name: 'node2', url: 'https://node2:20202/' }],
  positions: new Map([
    ['app.db', { txid: toTxid(5n), checksum: toChecksum(0x8000_0000_0000_0001n) }],
  ]),
};

function withFields(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...(JSON.parse(formatHello(HELLO)) as object), ...fields });
}

describe('parseHello()', () => {
  test('reads what formatHello() writes, with and without what may be missing', () => {
    assert.deepEqual(parseHello(formatHello(HELLO)), HELLO);
    const least = {
      ...HELLO,
      proxyUrl: undefined,
      sqlUrl: undefined,
      clusterId: undefined,
      positions: undefined,
    };
    assert.deepEqual(parseHello(formatHello({ ...least, peers: [] })), { ...least, peers: [] });
  });

  const malformed: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
    ['no name', { name: undefined }, /name is no name/],
    ['a name that would change a header', { name: 'a\r\nb' }, /name is no name/],
    ['an endless name', { name: 'a'.repeat(256) }, /name is no name/],
    ['a node id in lower case', { nodeId: '00000000000000a1' }, /nodeId is none/],
    ['a URL of another kind', { url: 'file:///etc/passwd' }, /url is no URL/],
    ['a URL that is none', { proxyUrl: 'node1' }, /proxyUrl is no URL/],
    ['a URL of SQL that is none', { sqlUrl: 'node1' }, /sqlUrl is no URL/],
    ['a role that nobody has', { role: 'king' }, /role is unknown/],
    ['half an epoch', { epoch: 0.5 }, /epoch is no whole number/],
    ['an epoch that lost digits', { epoch: 2 ** 60 }, /epoch is no whole number/],
    ['a cluster id of another form', { clusterId: 'mine' }, /clusterId is none/],
    ['peers that are no list', { peers: {} }, /peers are no list/],
    ['too many peers', { peers: Array.from({ length: 65 }, () => HELLO.peers[0]) }, /too many/],
    ['a position that is none', { positions: { 'app.db': '5' } }, /positions is none/],
    ['positions in a list', { positions: [] }, /positions has no keys/],
  ];
  for (const [what, fields, message] of malformed) {
    test(`refuses ${what}`, () => {
      assert.throws(() => parseHello(withFields(fields)), message);
    });
  }

  test('refuses whatever else there is with the same error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        assert.throws(
          () => parseHello(text),
          (error) => error instanceof ClusterError && error.code === 'PEER_MALFORMED',
        );
      }),
    );
  });
});
