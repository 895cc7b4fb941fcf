import assert from 'node:assert/strict';
import { test } from 'node:test';

import { clientAddress } from './client-address.ts';

test('clientAddress() believes proxies, and nobody behind them', () => {
  const of = (address: string, forwarded: string | null): string | undefined =>
    clientAddress(address, forwarded, 'private');
  assert.equal(of('203.0.113.7', null), '203.0.113.7');
  assert.equal(of('203.0.113.7', '198.51.100.1'), '203.0.113.7', 'a stranger says it');
  assert.equal(of('127.0.0.1', '203.0.113.7'), '203.0.113.7');
  assert.equal(of('::ffff:127.0.0.1', '203.0.113.7, 10.0.0.2'), '203.0.113.7');
  assert.equal(
    of('::1', '198.51.100.1, 203.0.113.7'),
    '203.0.113.7',
    'the client made the first up',
  );
  assert.equal(of('127.0.0.1', 'nonsense'), '127.0.0.1');
  assert.equal(of('127.0.0.1', ', ,'), '127.0.0.1');
  assert.equal(clientAddress('203.0.113.7', '198.51.100.1', 'all'), '198.51.100.1');
  assert.equal(clientAddress('127.0.0.1', '198.51.100.1', 'none'), '127.0.0.1');
  assert.equal(clientAddress(undefined, '198.51.100.1', 'private'), undefined);
});
