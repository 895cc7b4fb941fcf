// The command that creates superusers, on a node that cannot write: the first of all, through the
// proxy of the primary.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMessagesSuperuser } from '@skein/testkit';

import { AdminBrowser } from '../lib/admin-browser.ts';
import { startMessages } from '../lib/messages-cluster.ts';

const TIMEOUT_MS = 600_000;
const USER = { username: 'admin', password: 'goose-in-flight-7' };

test('a superuser is created on a replica, and may log in everywhere', async (t) => {
  const messages = await startMessages(t, { timeoutMs: TIMEOUT_MS });
  if (messages === undefined) return;
  await createMessagesSuperuser(messages.node('node2'), USER);
  const browser = new AdminBrowser();
  await browser.logIn(messages.door('node3'), USER);
  for (const { name } of messages.cluster.nodes) {
    assert.equal(await browser.maybeNodeName(messages.door(name)), name);
  }
});
