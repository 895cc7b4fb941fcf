// The messages example as its compose file and its Dockerfile say: three nodes, load balancers in
// front of them, and what people do to them.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { requirePart, waitUntil } from '@skein/testkit';

import { type ComposeProject, openProject } from '../lib/compose/project.ts';
import { Visitor } from '../lib/visitor.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FILE = join(ROOT, 'examples', 'messages', 'docker-compose.yml');
const DOORS: readonly number[] = [8001, 8002, 8003];
const NGINX = 8080;
const HAPROXY = 8090;
const BALANCERS: readonly string[] = ['nginx', 'haproxy'];
/** Of checkOwnWrites() and those of the balancers. */
const WRITTEN_COUNT = 3 + 2 * 50 + 2 * 10;
const ARRIVAL_TIMEOUT_MS = 90_000;

interface Health {
  readonly status: string;
  readonly node_name: string;
  readonly role: string;
  readonly primary: string | null;
  readonly message_count: number;
}

interface Created {
  readonly message_id: number;
  readonly node_name: string;
}

async function open(
  t: TestContext,
  profiles: readonly string[],
): Promise<ComposeProject | undefined> {
  if (!requirePart(t, 'fuse', 'root', 'curl')) return undefined;
  return openProject(t, { file: FILE, profiles });
}

function healthAt(project: ComposeProject, port: number): Promise<Health> {
  return new Visitor().json<Health>(`${project.urlOf(port)}/api/health/`);
}

async function create(visitor: Visitor, url: string, content: string): Promise<Created> {
  return visitor.json<Created>(`${url}/api/messages/create/`, { json: { content } });
}

async function contents(visitor: Visitor, url: string): Promise<string[]> {
  const { messages } = await visitor.json<{ messages: { content: string }[] }>(
    `${url}/api/messages/`,
  );
  return messages.map(({ content }) => content);
}

async function waitForCount(
  project: ComposeProject,
  ports: readonly number[],
  count: number,
): Promise<void> {
  for (const port of ports) {
    const isThere = async (): Promise<boolean> => {
      return (await healthAt(project, port)).message_count === count;
    };
    await waitUntil(`${port} has ${count} messages`, isThere, ARRIVAL_TIMEOUT_MS);
  }
}

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

async function checkBalancers(project: ComposeProject): Promise<void> {
  for (const url of [project.urlOf(NGINX), project.urlOf(HAPROXY)]) {
    const isThere = async (): Promise<boolean> => (await fetch(`${url}/api/health/`)).ok;
    await waitUntil(`${url} answers`, isThere, ARRIVAL_TIMEOUT_MS);
    const answering = new Set<string>();
    const clients = Array.from({ length: 10 }, async (_, client) => {
      const visitor = new Visitor();
      for (let count = 0; count < 5; count += 1) {
        const content = `${client} ${count} by ${url}`;
        assert.equal((await create(visitor, url, content)).node_name, 'node1');
        assert((await contents(visitor, url)).includes(content));
        answering.add((await visitor.json<Health>(`${url}/api/health/`)).node_name);
      }
    });
    await Promise.all(clients);
    assert.deepEqual([...answering].sort(), ['node1', 'node2', 'node3']);
  }
}

/** What was not executed may be sent again; everything else is there once. */
async function checkBalancersWithoutNode(project: ComposeProject): Promise<void> {
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
  await waitForCount(project, DOORS, WRITTEN_COUNT);
}

async function checkFourthNode(project: ComposeProject): Promise<void> {
  const before = pids(project);
  project.edit(addNode4);
  await project.upAndHealthy();
  await waitForCount(project, [8004], WRITTEN_COUNT);
  for (const node of ['node1', 'node2', 'node3']) {
    assert.equal(pids(project).get(node), before.get(node), node);
  }
  const { node_name: name } = await create(new Visitor(), project.urlOf(8004), 'At node4');
  assert.equal(name, 'node1');
  await waitForCount(project, [...DOORS, 8004], WRITTEN_COUNT + 1);
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
  { title: 'nginx and HAProxy spread clients, who see their own writes', check: checkBalancers },
  { title: 'both go on with the nodes that are left', check: checkBalancersWithoutNode },
  { title: 'a fourth node joins, and no other is touched', check: checkFourthNode },
];

/** One project for all: each part goes on where the one before has left it. */
suite('The compose file of the messages example', () => {
  test('is three nodes, of which any takes a write', async (t) => {
    const project = await open(t, BALANCERS);
    if (project === undefined) return;
    await project.upAndHealthy({ profiles: BALANCERS });
    for (const part of PARTS) await t.test(part.title, () => part.check(project));
  });
});
