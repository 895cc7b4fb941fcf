// Which errors say that nothing was sent.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';

import { isConnectError } from '../src/upstream.ts';

test('A name of which no address is connected to has been sent nothing', async () => {
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  const socket = connect({
    host: 'node1.test',
    port: 1,
    lookup: (_host, _options, told) => told(null, addresses),
  });
  const [error] = (await once(socket, 'error')) as [Error];
  assert.ok(error instanceof AggregateError);
  assert.equal(isConnectError(error), true);
  assert.equal(isConnectError(new AggregateError([new Error('reset')])), false);
});
