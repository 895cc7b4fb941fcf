import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SeededRandom, SimClock } from '@skein/testkit';

import { AddressList } from './address-list.ts';
import { Authenticator, SIGNATURE_VALID_MS } from './authenticator.ts';
import { NonceCache } from './nonce-cache.ts';
import { computeMac, deriveKey } from './signature.ts';

const SECRET = 'a secret of a cluster';
const PARTS = ['POST', '/stream', '0011'];

function makePair(options: { readonly otherSecret?: string } = {}): {
  readonly clock: SimClock;
  readonly client: Authenticator;
  readonly server: Authenticator;
} {
  const clock = new SimClock();
  const random = new SeededRandom(1);
  return {
    clock,
    client: new Authenticator({ secret: SECRET, clock, random }),
    server: new Authenticator({ secret: options.otherSecret ?? SECRET, clock, random }),
  };
}

describe('Authenticator', () => {
  test('verifies what was signed with the same secret', () => {
    const { client, server } = makePair();
    server.verify(client.sign(PARTS), PARTS);
  });

  test('refuses a signature of another secret, and says nothing about either', () => {
    const { client, server } = makePair({ otherSecret: 'another' });
    const error = catchError(() => server.verify(client.sign(PARTS), PARTS));
    assert.equal(error.code, 'PEER_AUTHENTICATION');
    assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /a secret of|another/);
  });

  test('refuses any part that differs, and parts that are cut elsewhere', () => {
    const { client, server } = makePair();
    const others = [
      ['GET', '/stream', '0011'],
      ['POST', '/other', '0011'],
      ['POST', '/stream', '0012'],
      ['POST', '/stream0', '011'],
      ['POST', '/stream'],
      ['POST', '/stream', '0011', ''],
    ];
    for (const other of others) {
      const error = catchError(() => server.verify(client.sign(PARTS), other));
      assert.equal(error.code, 'PEER_AUTHENTICATION', JSON.stringify(other));
    }
  });

  test('refuses a signature that is used again', () => {
    const { client, server } = makePair();
    const signature = client.sign(PARTS);
    server.verify(signature, PARTS);
    assert.match(catchError(() => server.verify(signature, PARTS)).message, /used already/);
  });

  test('refuses a signature that is too old, or from the future, and names the clock', () => {
    for (const ms of [SIGNATURE_VALID_MS, -SIGNATURE_VALID_MS]) {
      const { clock, client, server } = makePair();
      const signature = client.sign(PARTS);
      clock.jumpWall(ms);
      assert.equal(catchError(() => server.verify(signature, PARTS)).code, 'PEER_CLOCK');
    }
  });

  test('never takes a signature twice, whenever it comes', () => {
    const { clock, client, server } = makePair();
    const signature = client.sign(PARTS);
    server.verify(signature, PARTS);
    for (let step = 0; step < 130; step += 1) {
      clock.advance(1000);
      server.verify(client.sign(PARTS), PARTS);
      assert.throws(() => server.verify(signature, PARTS));
    }
  });

  test('refuses what is no signature', () => {
    const { server } = makePair();
    const hex = 'a'.repeat(32) + ' ' + 'b'.repeat(64);
    for (const text of [
      undefined,
      '',
      '1',
      `2 1 ${hex}`,
      `1 x ${hex}`,
      `1 1 ${hex}0`,
      ` 1 1 ${hex}`,
    ]) {
      assert.equal(catchError(() => server.verify(text, PARTS)).code, 'PEER_AUTHENTICATION');
    }
  });

  test('proves itself in the answer, to this request only', () => {
    const { client, server } = makePair();
    const request = client.sign(PARTS);
    const answer = server.signAnswer(request, ['200', 'a']);
    client.verifyAnswer(answer, request, ['200', 'a']);
    assert.throws(() => client.verifyAnswer(answer, client.sign(PARTS), ['200', 'a']));
    assert.throws(() => client.verifyAnswer(answer, request, ['200', 'b']));
    assert.throws(() => client.verifyAnswer(undefined, request, ['200', 'a']));
  });

  test('has a key of its own for each purpose', () => {
    assert.notDeepEqual(deriveKey(SECRET, 'request'), deriveKey(SECRET, 'answer'));
    const mac = computeMac(deriveKey(SECRET, 'request'), PARTS);
    assert.equal(mac, computeMac(deriveKey(SECRET, 'request'), PARTS));
    assert.match(mac, /^[0-9a-f]{64}$/);
  });
});

describe('NonceCache', () => {
  test('takes no more than there is room for, and again when some have expired', () => {
    const cache = new NonceCache(2);
    assert.ok(cache.tryUse('a', 0, 10));
    assert.ok(cache.tryUse('b', 0, 20));
    assert.ok(!cache.tryUse('c', 9, 30));
    assert.ok(cache.tryUse('c', 10, 30));
    assert.ok(!cache.tryUse('b', 10, 30));
  });
});

describe('AddressList', () => {
  test('has the addresses of its networks, in every spelling', () => {
    const list = new AddressList(['10.1.0.0/16', '192.168.7.9', 'fd00::/8']);
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '::FFFF:192.168.7.9', 'fd12::1%eth0']) {
      assert.ok(list.has(address), address);
    }
    for (const address of ['10.2.0.1', '192.168.7.8', 'fe80::1', 'localhost', '']) {
      assert.ok(!list.has(address), address);
    }
  });

  test('refuses what is neither address nor network', () => {
    for (const entry of ['', 'host', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129']) {
      assert.throws(() => new AddressList([entry]), RangeError, entry);
    }
  });
});

interface CaughtError extends Error {
  readonly code: string;
  readonly hint: string;
}

function catchError(run: () => void): CaughtError {
  try {
    run();
  } catch (error) {
    return error as CaughtError;
  }
  return assert.fail('Nothing was thrown');
}
