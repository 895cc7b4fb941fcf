// The messages example for longer: a hundred clients for a minute, and nodes that are configured
// for different primaries.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { connectNode } from '@skein/client';
import { assertConverged, createMessagesSuperuser, onTestEnd, waitUntil } from '@skein/testkit';

import { AdminBrowser } from '../lib/admin-browser.ts';
import { MessagesClient, startMessages } from '../lib/messages-cluster.ts';
import { seeOwnWrites } from '../lib/own-writes.ts';
import { replayHint, SEED } from '../lib/scale.ts';

const TIMEOUT_MS = 300_000;
const ARRIVAL_TIMEOUT_MS = 60_000;
const CLIENT_COUNT = 100;
const DURATION_MS = 60_000;
const USER = { username: 'admin', password: 'goose-in-flight-7' };

suite(`Messages: ${replayHint(SEED, 'messages')}`, () => {
  test('a hundred clients see their own writes at any door for a minute', async (t) => {
    const messages = await startMessages(t, { timeoutMs: TIMEOUT_MS });
    if (messages === undefined) return;
    const startMs = performance.now();
    const goesOn = (): boolean => performance.now() - startMs < DURATION_MS;
    const { doors } = messages;
    const options = { doors, clientCount: CLIENT_COUNT, seed: SEED, goesOn };
    const count = await seeOwnWrites(options);
    t.diagnostic(`${count} messages were created, and seen by who created them`);
    assert(count > CLIENT_COUNT, `Only ${count} messages`);
    await assertConverged(messages.cluster.nodes);
  });

  test('nobody is told that two nodes lead, whatever the nodes are configured for', async (t) => {
    const messages = await startMessages(t, { timeoutMs: TIMEOUT_MS });
    if (messages === undefined) return;
    const { cluster } = messages;
    const views = await Promise.all(
      cluster.nodes.map(({ name }) => {
        const { mountPath, dataPath } = messages.node(name);
        return connectNode({ mountPath, dataPath: dataPath!, enabled: true });
      }),
    );
    onTestEnd(t, async () => {
      await Promise.all(views.map((view) => view.close()));
    });
    let mostPrimaries = 0;
    const look = (): void => {
      const count = views.filter((view) => view.isPrimary).length;
      mostPrimaries = Math.max(mostPrimaries, count);
    };
    for (const view of views) view.on('role', look);
    look();
    assert.equal(mostPrimaries, 1);

    await createMessagesSuperuser(messages.node('node1'), USER);
    const browser = new AdminBrowser();
    await browser.logIn(messages.door('node3'), USER);

    // node1 and node3 are for node1, node2 is for itself.
    await messages.stopApps();
    await cluster.stop();
    const believed = new Map([['node2', 'node2']]);
    await Promise.all(
      cluster.nodes.map((node) =>
        node.start(cluster.configOf(node.name, believed.get(node.name) ?? 'node1')),
      ),
    );
    const differ = (): boolean => views.every(({ state }) => state.role === 'no-primary');
    await waitUntil('all nodes say that nobody leads', differ, ARRIVAL_TIMEOUT_MS);
    await messages.startApps();
    for (const door of messages.doors) {
      const outcome = await new MessagesClient().create(door, 'Nobody takes it');
      assert.deepEqual(outcome, { kind: 'not-executed' });
    }

    await messages.stopApps();
    await cluster.stop();
    cluster.nameNextPrimary('node2');
    await cluster.start();
    const isAgreed = (): boolean => {
      return views.map(({ state }) => state.role).join() === 'replica,primary,replica';
    };
    await waitUntil('all nodes say that node2 leads', isAgreed, ARRIVAL_TIMEOUT_MS);
    await messages.startApps();
    await messages.healthy();
    const created = await new MessagesClient().create(messages.door('node1'), 'After the change');
    assert.partialDeepStrictEqual(created, { kind: 'created', nodeName: 'node2' });
    for (const { name } of cluster.nodes) {
      const shown = await browser.maybeNodeName(messages.door(name));
      assert.equal(shown, name, 'The session has survived the change of the primary');
    }
    await browser.addMessage(messages.door('node1'), 'From the admin, after the change');
    assert.equal(mostPrimaries, 1);
  });
});
