// The messages example on three nodes: whoever asks where, one node executes, every node shows it,
// and nothing happens twice.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createMessagesSuperuser, SeededRandom, waitUntil } from '@skein/testkit';

import { AdminBrowser } from '../lib/admin-browser.ts';
import {
  type CreateOutcome,
  DATABASE,
  MessagesClient,
  type MessagesCluster,
  startMessages,
} from '../lib/messages-cluster.ts';
import { seeOwnWrites } from '../lib/own-writes.ts';
import { replayHint, SEED } from '../lib/scale.ts';
import { connect } from '../lib/test-cluster.ts';

const TIMEOUT_MS = 900_000;
const ARRIVAL_TIMEOUT_MS = 180_000;
const CLIENT_COUNT = 20;
const ROUND_COUNT = 10;
const KILL_COUNT = 3;
const WRITER_COUNT = 6;
const USER = { username: 'admin', password: 'goose-in-flight-7' };

/** How often each text stands in the table, as the primary has it. */
async function countContents(
  t: TestContext,
  { cluster }: MessagesCluster,
): Promise<Map<string, number>> {
  const client = await connect(t, cluster.primary.path(DATABASE));
  const rows = await client.exec('SELECT content, count(*) FROM messages GROUP BY content');
  await client.kill();
  return new Map(rows.map(([content, count]) => [String(content), Number(count)]));
}

/** What clients were told is true of the table. */
function assertOutcomes(
  outcomes: ReadonlyMap<string, CreateOutcome>,
  counts: ReadonlyMap<string, number>,
): void {
  for (const [content, { kind }] of outcomes) {
    const count = counts.get(content) ?? 0;
    const allowed = { created: [1], 'not-executed': [0], unknown: [0, 1] }[kind];
    assert(allowed.includes(count), `"${content}" was ${kind} and stands there ${count} times`);
  }
}

suite(`Messages: ${replayHint(SEED, 'messages')}`, () => {
  test('a write at any door is executed by the primary, and every node has it', async (t) => {
    const messages = await startMessages(t, { timeoutMs: TIMEOUT_MS });
    if (messages === undefined) return;
    for (const [index, door] of messages.doors.entries()) {
      const created = await new MessagesClient().create(door, `Number ${index}`);
      assert.deepEqual(created, { kind: 'created', id: index + 1, nodeName: 'node1' });
    }
    for (const { name } of messages.cluster.nodes) {
      const isThere = async (): Promise<boolean> => {
        const response = await fetch(`${messages.door(name)}/api/health/`);
        const health = (await response.json()) as { node_name: string; message_count: number };
        return health.node_name === name && health.message_count === messages.doors.length;
      };
      await waitUntil(`${name} has all messages`, isThere, ARRIVAL_TIMEOUT_MS);
    }
    const past = await fetch(`${messages.app('node2').url}/api/messages/create/`, {
      method: 'POST',
      body: '{"content": "past the proxy"}',
    });
    assert.equal(past.status, 503);
    assert.partialDeepStrictEqual(await past.json(), {
      error: 'Write operation attempted on replica node',
      code: 'NOT_PRIMARY',
      primary: { name: 'node1', url: `${messages.door('node1')}/` },
    });

    await t.test('clients see their own writes at any door', async () => {
      const { doors } = messages;
      const goesOn = (round: number): boolean => round < ROUND_COUNT;
      const options = { doors, clientCount: CLIENT_COUNT, seed: SEED, goesOn };
      assert.equal(await seeOwnWrites(options), CLIENT_COUNT * ROUND_COUNT);
    });

    await t.test('a login at the door of a replica is one at all doors', async (t) => {
      await createMessagesSuperuser(messages.node('node1'), USER);
      const browser = new AdminBrowser();
      await browser.logIn(messages.door('node2'), USER);
      const names = browser.cookieNames;
      assert(names.length > 2, `Of several cookies none is lost: ${names.join(', ')}`);
      await browser.addMessage(messages.door('node3'), 'From the admin of node3');
      for (const { name } of messages.cluster.nodes) {
        assert.equal(await browser.maybeNodeName(messages.door(name)), name);
      }
      assert.equal((await countContents(t, messages)).get('From the admin of node3'), 1);
    });

    await t.test('a write whose answer is lost is unknown, and not sent again', async () => {
      const frozen = messages.app('node1');
      process.kill(frozen.pid, 'SIGSTOP');
      const client = new MessagesClient();
      // The proxy has it sent as soon as there is a connection, which the kernel makes by itself.
      const asked = client.create(messages.door('node2'), 'Received and not answered');
      await waitUntil('the application has it', () => hasUnread(frozen.url), ARRIVAL_TIMEOUT_MS);
      await frozen.kill();
      assert.deepEqual(await asked, { kind: 'unknown' });
      await messages.startApp('node1');
      const counts = await countContents(t, messages);
      assert.equal(counts.get('Received and not answered'), undefined);
    });

    await t.test('no write happens twice while its application is killed', async (t) => {
      const outcomes = await writeWhileKilled(messages);
      const kinds = [...outcomes.values()].map(({ kind }) => kind);
      const unknownCount = kinds.filter((kind) => kind === 'unknown').length;
      t.diagnostic(`${kinds.length} writes, ${unknownCount} of them with an unknown outcome`);
      assert(kinds.includes('created'), 'Some were acknowledged');
      assertOutcomes(outcomes, await countContents(t, messages));
    });
  });
});

/** Whether a client's bytes wait to be read at a port of this machine. */
async function hasUnread(url: string): Promise<boolean> {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0');
  const table = await readFile('/proc/net/tcp', 'latin1');
  // Local address, remote address, state, and what waits to be sent and to be read (proc(5)).
  return table.split('\n').some((line) => {
    const [, local = '', , state, queues = ''] = line.trim().split(/\s+/);
    return local.endsWith(`:${port}`) && state === '01' && !queues.endsWith(':00000000');
  });
}

/** Writers at all doors, while the application of the primary is killed and started again. */
async function writeWhileKilled(messages: MessagesCluster): Promise<Map<string, CreateOutcome>> {
  const random = new SeededRandom(SEED);
  const outcomes = new Map<string, CreateOutcome>();
  const end = new AbortController();
  const write = async (name: string): Promise<void> => {
    const client = new MessagesClient();
    for (let round = 0; !end.signal.aborted; round += 1) {
      const content = `${name}, round ${round}`;
      outcomes.set(content, await client.create(random.pick(messages.doors), content));
    }
  };
  const writers = Array.from({ length: WRITER_COUNT }, (_, index) => write(`writer ${index}`));
  for (let kill = 0; kill < KILL_COUNT; kill += 1) {
    const before = outcomes.size;
    const isUnderWay = (): boolean => outcomes.size > before + WRITER_COUNT;
    await waitUntil('writers write', isUnderWay, ARRIVAL_TIMEOUT_MS);
    await sleep(random.int(0, 50));
    await messages.app('node1').kill();
    await messages.startApp('node1');
  }
  end.abort();
  await Promise.all(writers);
  return outcomes;
}
