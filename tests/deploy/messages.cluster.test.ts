// The messages example behind load balancers, for longer than the gate takes: many clients, a node
// that goes, a node that comes.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { waitUntil } from '@skein/testkit';

import type { ComposeProject } from '../lib/compose/project.ts';
import { seeOwnWrites } from '../lib/own-writes.ts';
import { replayHint, scaled, SEED } from '../lib/scale.ts';
import { Visitor } from '../lib/visitor.ts';
import {
  ARRIVAL_TIMEOUT_MS,
  contents,
  create,
  DOORS,
  healthAt,
  openMessages,
  waitForCount,
} from './messages-project.ts';

const NGINX = 8080;
const HAPROXY = 8090;
const BALANCERS: readonly string[] = ['nginx', 'haproxy'];
const CLIENT_COUNT = 100;
const DURATION_MS = scaled(15_000, 60_000);

/** The first process of each running container of a node. */
function pids(project: ComposeProject): Map<string, number | undefined> {
  return new Map(project.ps().map(({ service, pid }) => [service, pid]));
}

const NODE4 = `
  node4:
    <<: *node
    hostname: node4
    environment:
      PRIMARY_HOSTNAME: node1
      PROXY_ADDR: ":8081"
      SKEIN_SECRET_FILE: /run/secrets/skein/secret
    ports: ["127.0.0.1:8004:8000"]
    volumes: ["node4-data:/data", "secret:/run/secrets/skein:ro"]
`;

function addNode4(text: string): string {
  return text.replace('\n  nginx:\n', `${NODE4}\n  nginx:\n`).replace(/$/, '  node4-data:\n');
}

/** What was not executed may be sent again; everything else is there once. */
async function checkWithoutNode(project: ComposeProject): Promise<void> {
  await project.stop('node3');
  for (const url of [project.urlOf(NGINX), project.urlOf(HAPROXY)]) {
    const visitor = new Visitor();
    for (let count = 0; count < 10; count += 1) {
      const content = `Without node3 ${count} by ${url}`;
      const isWritten = async (): Promise<boolean> => {
        const request = { json: { content } };
        const page = await visitor.visit(`${url}/api/messages/create/`, request);
        if (page.status !== 503) assert.equal(page.status, 201, page.body);
        return page.status === 201;
      };
      await waitUntil(content, isWritten, ARRIVAL_TIMEOUT_MS);
      const found = (await contents(visitor, url)).filter((each) => each === content);
      assert.deepEqual(found, [content]);
    }
  }
  await project.upAndHealthy();
  const { message_count: count } = await healthAt(project, DOORS[0]!);
  await waitForCount(project, DOORS, count);
}

async function checkFourthNode(project: ComposeProject): Promise<void> {
  const before = pids(project);
  const { message_count: count } = await healthAt(project, DOORS[0]!);
  project.edit(addNode4);
  await project.upAndHealthy();
  await waitForCount(project, [8004], count);
  for (const node of ['node1', 'node2', 'node3']) {
    assert.equal(pids(project).get(node), before.get(node), node);
  }
  const { node_name: name } = await create(new Visitor(), project.urlOf(8004), 'At node4');
  assert.equal(name, 'node1');
  await waitForCount(project, [...DOORS, 8004], count + 1);
}

suite(`Behind load balancers: ${replayHint(SEED, 'messages')}`, () => {
  test('the nodes of the compose file serve many clients, come and go', async (t) => {
    const project = await openMessages(t, BALANCERS);
    if (project === undefined) return;
    await project.upAndHealthy({ profiles: BALANCERS });

    await t.test('100 clients see their own writes, at any door', async () => {
      const endMs = performance.now() + DURATION_MS;
      const count = await seeOwnWrites({
        doors: [...DOORS, NGINX, HAPROXY].map((port) => project.urlOf(port)),
        clientCount: CLIENT_COUNT,
        seed: SEED,
        goesOn: (round) => round === 0 || performance.now() < endMs,
      });
      t.diagnostic(`${count} messages`);
      const { message_count: found } = await healthAt(project, DOORS[0]!);
      assert.equal(found, count);
    });
    await t.test('both go on with the nodes that are left', () => checkWithoutNode(project));
    await t.test('a fourth node joins, and no other is touched', () => checkFourthNode(project));
  });
});
