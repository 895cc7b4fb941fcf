// The messages example as its compose file and its Dockerfile say: three nodes, and what each may
// do and knows.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import type { ComposeProject } from '../lib/compose/project.ts';
import { Visitor } from '../lib/visitor.ts';
import {
  contents,
  create,
  DOORS,
  type Health,
  healthAt,
  openMessages,
  waitForCount,
} from './messages-project.ts';

async function checkHealth(project: ComposeProject): Promise<void> {
  for (const [index, port] of DOORS.entries()) {
    assert.partialDeepStrictEqual(await healthAt(project, port), {
      status: 'healthy',
      node_name: `node${index + 1}`,
      role: index === 0 ? 'primary' : 'replica',
      primary: 'node1',
      message_count: 0,
    });
  }
}

async function checkOwnWrites(project: ComposeProject): Promise<void> {
  const visitor = new Visitor();
  for (const [index, port] of DOORS.entries()) {
    const created = await create(visitor, project.urlOf(port), `Through ${port}`);
    assert.equal(created.node_name, 'node1');
    const next = DOORS[(index + 1) % DOORS.length]!;
    assert.equal((await contents(visitor, project.urlOf(next)))[0], `Through ${port}`);
  }
  const stats = await visitor.json<object>(`${project.urlOf(8003)}/api/stats/`);
  assert.partialDeepStrictEqual(stats, { total_messages: 3, by_node: { node1: 3 } });
  await waitForCount(project, DOORS, 3);
}

async function checkPastTheProxy(project: ComposeProject): Promise<void> {
  const url = 'http://127.0.0.1:3000/api/messages/create/';
  const curl = ['curl', '--silent', '--data', '{"content":"x"}', url];
  const { stdout } = await project.exec('node2', curl);
  const refused = JSON.parse(stdout) as { error: string };
  assert.match(refused.error, /^Write operation attempted on replica node/);
  assert.partialDeepStrictEqual(refused, { code: 'NOT_PRIMARY', primary: { name: 'node1' } });
}

async function checkLooking(project: ComposeProject): Promise<void> {
  const listed = await project.exec('node1', ['ls', '-la', '/litefs/']);
  assert.match(listed.stdout, / db\.sqlite3$/m);
  for (const replica of ['node2', 'node3']) {
    assert.match(project.logs('node1'), new RegExp(`Replica connected.* replica=${replica}`));
  }
  const { stdout } = await project.exec('node2', ['skein', 'status', '--data', '/data']);
  assert.match(stdout, /^node2 \* +replica/m);
  // Where PROXY_ADDR says, the proxy listens as well.
  const curl = ['curl', '--silent', 'http://node2:8081/api/health/'];
  const health = JSON.parse((await project.exec('node1', curl)).stdout) as Health;
  assert.equal(health.node_name, 'node2');
}

async function checkRights(project: ComposeProject): Promise<void> {
  const find = ['pgrep', '--uid', 'app', '--full', 'src/main.ts'];
  const pid = (await project.exec('node1', find)).stdout.trim();
  assert.match(pid, /^\d+$/);
  const { stdout } = await project.exec('node1', ['cat', `/proc/${pid}/status`]);
  assert.match(stdout, /^CapEff:\t0+$/m);
  assert.match(stdout, /^NoNewPrivs:\t1$/m);
  const read = ['setpriv', '--reuid=app', '--regid=app', '--clear-groups', 'cat'];
  const secret = '/run/secrets/skein/secret';
  assert.match((await project.exec('node1', [...read, secret])).stderr, /Permission denied/);
  const known = (await project.exec('node1', ['cat', secret])).stdout;
  assert(known.length >= 32, 'The secret is long enough to be one');
  const environment = (await project.exec('node1', ['cat', `/proc/${pid}/environ`])).stdout;
  assert(!environment.includes(known));
}

interface Part {
  readonly title: string;
  readonly check: (project: ComposeProject) => Promise<void>;
}

const PARTS: readonly Part[] = [
  { title: 'each is healthy, and knows its name and the primary', check: checkHealth },
  { title: 'a client sees what it wrote, at any door', check: checkOwnWrites },
  { title: 'a write that comes past the proxy of a replica is refused', check: checkPastTheProxy },
  { title: 'one can look at the mount, the log and the status', check: checkLooking },
  { title: 'the application is not root, and does not know the secret', check: checkRights },
];

/** One project for all: each part goes on where the one before has left it. */
suite('The compose file of the messages example', () => {
  test('is three nodes, of which any takes a write', async (t) => {
    const project = await openMessages(t);
    if (project === undefined) return;
    await project.upAndHealthy();
    for (const part of PARTS) await t.test(part.title, () => part.check(project));
  });
});
