import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  formatHop,
  formatVia,
  isGoingRound,
  maybeParseHop,
  NO_POSITIONS,
  parsePositions,
} from '@skein/client/peers';

import { carriedPositions, positionCookie } from './cookies.ts';
import { forwardedHeaders, isTrustedAddress } from './forwarded.ts';
import { keptResponseHeaders, readRequestHeaders } from './request-headers.ts';

const CLIENT = { address: '203.0.113.9', httpVersion: '1.1', isTrusted: false };

function sent(raw: readonly string[], client = CLIENT): string[] {
  const headers = forwardedHeaders(readRequestHeaders(raw), client);
  const lines: string[] = [];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return lines;
}

describe('readRequestHeaders()', () => {
  test('keeps order, case and repetition', () => {
    const raw = ['Host', 'x', 'X-A', '1', 'x-a', '2', 'Cookie', 'a=b', 'Cookie', 'c=d'];
    assert.deepEqual(readRequestHeaders(raw).kept, raw);
  });

  test('drops what is about the connection, and what the connection names', () => {
    const raw = ['Connection', 'close, X-Gone', 'X-Gone', '1', 'Keep-Alive', '5', 'TE', 'gzip'];
    raw.push('Upgrade', 'h2c', 'Proxy-Authorization', 'x', 'X-Here', '1', 'Connection', 'X-Too');
    raw.push('X-Too', '1', 'Proxy-Connection', 'keep-alive');
    assert.deepEqual(readRequestHeaders(raw).kept, ['X-Here', '1']);
  });

  test('does not let a client name away what frames or addresses its request', () => {
    const raw = ['Connection', 'Host, Content-Length', 'Host', 'x', 'Content-Length', '3'];
    assert.deepEqual(readRequestHeaders(raw).kept, ['Host', 'x', 'Content-Length', '3']);
  });

  test('lets nobody speak for a proxy', () => {
    const raw = ['Skein-Hop', '1;node1', 'Skein-Outcome', 'unknown', 'skein-other', '1'];
    assert.deepEqual(readRequestHeaders(raw).kept, []);
  });
});

describe('keptResponseHeaders()', () => {
  test('keeps each Set-Cookie and drops what is about the connection', () => {
    const raw = ['Set-Cookie', 'a=1', 'Connection', 'x-gone', 'X-Gone', '1', 'Set-Cookie', 'b=2'];
    raw.push('Transfer-Encoding', 'chunked', 'Keep-Alive', 'timeout=5');
    assert.deepEqual(keptResponseHeaders(raw, false), ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
  });

  test('takes the outcome from proxies only', () => {
    const raw = ['Skein-Outcome', 'unknown'];
    assert.deepEqual(keptResponseHeaders(raw, false), []);
    assert.deepEqual(keptResponseHeaders(raw, true), raw);
  });
});

describe('forwardedHeaders()', () => {
  const claimed = ['Host', 'a.org', 'X-Forwarded-For', '1.2.3.4', 'X-Forwarded-Proto', 'https'];
  claimed.push('X-Forwarded-Host', 'b.org', 'Via', '1.0 other');

  test('replaces what a stranger says of itself', () => {
    assert.deepEqual(sent(claimed), [
      'Host: a.org',
      'X-Forwarded-For: 203.0.113.9',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: a.org',
      'Via: 1.0 other, 1.1 skein',
    ]);
  });

  test('adds to what a trusted proxy says', () => {
    assert.deepEqual(sent(claimed, { ...CLIENT, address: '::ffff:10.0.0.2', isTrusted: true }), [
      'Host: a.org',
      'X-Forwarded-For: 1.2.3.4, 10.0.0.2',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: b.org',
      'Via: 1.0 other, 1.1 skein',
    ]);
  });

  test('passes on that trailers are taken', () => {
    assert.ok(sent(['TE', 'deflate, trailers']).includes('TE: trailers'));
  });
});

test('isTrustedAddress() knows private networks', () => {
  const own = ['127.0.0.1', '::1', '::ffff:192.168.1.2', '10.1.2.3', '172.31.0.1', 'fd00::1'];
  const foreign = ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:db8::1', '::ffff:1.2.3.4', ''];
  for (const address of own) assert.equal(isTrustedAddress(address, 'private'), true, address);
  for (const address of foreign) assert.equal(isTrustedAddress(address, 'private'), false, address);
  assert.equal(isTrustedAddress('8.8.8.8', 'all'), true);
  assert.equal(isTrustedAddress('127.0.0.1', 'none'), false);
});

describe('Skein-Hop', () => {
  const request = { method: 'POST', target: '/x', host: 'a.org' };

  test('is believed with the right code only, where there is a secret', () => {
    const text = formatHop('node 1', request, 'secret');
    const parsed = maybeParseHop(text, request, 'secret');
    assert.deepEqual(parsed, { nodeName: 'node 1', isProved: true });
    assert.equal(maybeParseHop(text, request, 'other'), undefined);
    assert.equal(maybeParseHop(text, { ...request, target: '/y' }, 'secret'), undefined);
    assert.equal(maybeParseHop(text.replace('node', 'n0de'), request, 'secret'), undefined);
    assert.equal(maybeParseHop('1;node1', request, 'secret'), undefined);
  });

  test('proves nothing without a secret', () => {
    const text = formatHop('node1', request, undefined);
    const parsed = maybeParseHop(text, request, undefined);
    assert.deepEqual(parsed, { nodeName: 'node1', isProved: false });
  });

  test('is nothing when malformed', () => {
    for (const text of ['', '1', '2;a', '1;%zz', `1;${'a'.repeat(2000)}`, '1;a;b;c']) {
      assert.equal(maybeParseHop(text, request, undefined), undefined, text);
    }
  });
});

test('isGoingRound() counts our proxies in Via', () => {
  const via = (count: number): string[] => [Array(count).fill(formatVia('1.1')).join(', ')];
  assert.equal(isGoingRound([]), false);
  assert.equal(isGoingRound(via(2)), false);
  assert.equal(isGoingRound(['1.1 nginx, 1.1 other', ...via(7)]), false);
  assert.equal(isGoingRound([...via(4), ...via(4)]), true);
});

describe('carriedPositions()', () => {
  const read = (cookie: string, database?: string): string =>
    positionCookie(carriedPositions({ cookies: [cookie], header: undefined }, database), false);

  test('finds the cookie among others', () => {
    assert.match(read('a=b; __skein_pos=1&1:5:a; c=d'), /^__skein_pos=1&1:5:a;/);
  });

  test('merges cookie and header', () => {
    const cookies = ['__skein_pos=1&1:5:a'];
    const both = carriedPositions({ cookies, header: '1&1:7:a&1:1:b' }, undefined);
    assert.deepEqual(both.byDatabase.get('a'), { epoch: 1, txid: 7n });
    assert.equal(both.byDatabase.size, 2);
  });

  test("takes LiteFS's cookie for the one database that is configured", () => {
    assert.match(read('__txid=00000000000000ff', 'a'), /=1&0:ff:a;/);
    assert.match(read('__txid=00000000000000ff'), /Max-Age=0/);
  });

  test('is nothing for other cookies that look alike', () => {
    assert.match(read('x__skein_pos=1&1:5:a; __skein_position=1&1:5:a'), /Max-Age=0/);
  });
});

test('positionCookie() is kept from scripts, other sites, and plain HTTP where it can', () => {
  const positions = parsePositions('1&1:5:a');
  const expected = '__skein_pos=1&1:5:a; Path=/; Max-Age=300; HttpOnly; SameSite=Lax';
  assert.equal(positionCookie(positions, false), expected);
  assert.equal(positionCookie(positions, true), `${expected}; Secure`);
  assert.match(positionCookie(NO_POSITIONS, false), /^__skein_pos=; .*Max-Age=0;/);
});
