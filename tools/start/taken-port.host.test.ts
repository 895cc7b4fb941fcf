import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { freePorts, onTestEnd } from '@skein/testkit';

import { findTakenPort } from './taken-port.ts';

test('findTakenPort() finds the port that somebody listens on', async (t) => {
  const [free, taken] = await freePorts(2);
  const server = createServer().listen(taken, '127.0.0.1');
  onTestEnd(t, () => void server.close());
  await once(server, 'listening');
  assert.equal(await findTakenPort([free!, taken!]), taken);
  assert.equal(await findTakenPort([free!]), undefined);
});
