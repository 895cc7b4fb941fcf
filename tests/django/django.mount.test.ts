// A stock Django on the mounts of a cluster, behind the proxies; then the same project with
// skein_django. Django is in no way told that there is more than a file.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { type Cluster, proxyUrl, tempDir, waitUntil } from '@skein/testkit';

import { startCluster } from '../lib/test-cluster.ts';
import { type Page, Visitor } from '../lib/visitor.ts';
import { DjangoSite } from './django-site.ts';
import { installDjango } from './install-django.ts';

const DATABASE = 'db.sqlite3';
const STOCK = 'website.settings';
const SKEIN = 'website.skein_settings';
const USER = 'admin';
const PASSWORD = 'correct horse battery staple';
const TIMEOUT_MS = 300_000;
/** Of all nodes' servers, commands and daemons together. */
const TEST_TIMEOUT_MS = 1_200_000;

interface Sites {
  readonly cluster: Cluster;
  readonly site: (nodeName: string) => DjangoSite;
  /** The door of a node. */
  readonly url: (nodeName: string) => string;
}

interface Listed {
  readonly answered_by: string;
  readonly messages: readonly string[];
}

/** Migrated on the primary, and served on all nodes. */
async function startSites(t: TestContext, settings: string): Promise<Sites | undefined> {
  const django = installDjango(t);
  if (django === undefined) return undefined;
  const cluster = await startCluster(t, { proxyDatabase: DATABASE, timeoutMs: TEST_TIMEOUT_MS });
  if (cluster === undefined) return undefined;
  const sites = new Map(
    cluster.nodes.map((node) => {
      const databasePath = node.path(DATABASE);
      const { name: nodeName, dataFolder: dataPath } = node;
      return [nodeName, new DjangoSite({ django, nodeName, databasePath, dataPath, settings })];
    }),
  );
  const site = (name: string): DjangoSite => sites.get(name)!;
  const migrated = await site('node1').manage(['migrate', '--verbosity', '0']);
  assert.equal(migrated.exitCode, 0, migrated.output);
  const create = ['createsuperuser', '--noinput', '--username', USER, '--email', 'a@example.org'];
  const created = await site('node1').manage(create, { DJANGO_SUPERUSER_PASSWORD: PASSWORD });
  assert.equal(created.exitCode, 0, created.output);
  const logs = tempDir(t);
  const url = (name: string): string => proxyUrl(cluster.place(name));
  const log = new Map(
    cluster.places.map(({ name, appPort }) => {
      return [name, site(name).serve(t, appPort, join(logs, name))] as const;
    }),
  );
  const served = { cluster, site, url };
  await waitForDoors(served).catch((cause: unknown) => {
    const words = [...log].map(([name, read]) => `${name}:\n${read()}`).join('\n');
    throw new Error(`Django does not answer everywhere:\n${words}`, { cause });
  });
  return served;
}

/** Each node's proxy listens, and its Django answers. */
async function waitForDoors({ cluster, url }: Sites): Promise<void> {
  for (const { name } of cluster.places) {
    const isThere = async (): Promise<boolean> => {
      return (await new Visitor().visit(`${url(name)}/messages/`)).status < 503;
    };
    await waitUntil(`Django of ${name} answers`, isThere, TIMEOUT_MS);
  }
}

function list(visitor: Visitor, url: string): Promise<Listed> {
  return visitor.json<Listed>(`${url}/messages/`);
}

async function post(visitor: Visitor, url: string, content: string): Promise<string> {
  const made = await visitor.json<{ node_name: string }>(`${url}/messages/`, { json: { content } });
  return made.node_name;
}

/** A form of the admin, sent as a browser does: with its token and its origin. */
async function submit(
  visitor: Visitor,
  url: string,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<Page> {
  const { body, status } = await visitor.visit(`${url}${path}`);
  assert.equal(status, 200, `GET ${path}`);
  const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(body)?.[1];
  assert(token !== undefined, `There is no form at ${path}`);
  const form = { ...fields, csrfmiddlewaretoken: token };
  return visitor.visit(`${url}${path}`, { form, headers: { origin: url } });
}

async function login(visitor: Visitor, url: string): Promise<Page> {
  const fields = { username: USER, password: PASSWORD, next: '/admin/' };
  return submit(visitor, url, '/admin/login/', fields);
}

async function changePrimary(sites: Sites, name: string): Promise<void> {
  const { cluster } = sites;
  await cluster.stop();
  cluster.nameNextPrimary(name);
  await cluster.start();
  await waitForDoors(sites);
}

suite('Django', () => {
  test('as it comes: its admin and its sessions on all nodes', async (t) => {
    const sites = await startSites(t, STOCK);
    if (sites === undefined) return;
    const { site, url } = sites;
    const visitor = new Visitor();

    await t.test(
      'writes are executed by the primary, reads by the node that is asked',
      async () => {
        for (const name of ['node1', 'node2', 'node3']) {
          assert.equal(await post(visitor, url(name), `Through ${name}`), 'node1');
          const listed = await list(visitor, url(name));
          assert.equal(listed.answered_by, name);
          assert.equal(listed.messages[0], `Through ${name}`);
        }
      },
    );

    await t.test("one logs in at a replica's door, and is logged in at all", async () => {
      const answer = await login(visitor, url('node2'));
      assert.equal(answer.status, 302, answer.body);
      const cookies = answer.headers.getSetCookie().map((line) => line.split('=')[0]);
      assert(cookies.includes('sessionid') && cookies.includes('csrftoken'), cookies.join(', '));
      for (const name of ['node1', 'node2', 'node3']) {
        const page = await visitor.visit(`${url(name)}/admin/`);
        assert.equal(page.status, 200);
        assert.match(page.body, /Log out/);
      }
    });

    await t.test('a forged form is refused, wherever it goes', async () => {
      const form = { content: 'forged', csrfmiddlewaretoken: 'x'.repeat(64) };
      for (const name of ['node1', 'node2']) {
        const forged = await visitor.visit(`${url(name)}/admin/board/message/add/`, { form });
        assert.equal(forged.status, 403);
      }
    });

    await t.test('the admin adds and deletes through a replica', async () => {
      const door = url('node3');
      const added = await submit(visitor, door, '/admin/board/message/add/', { content: 'Added' });
      assert.equal(added.status, 302, added.body);
      const page = await visitor.visit(`${door}/admin/board/message/?q=Added`);
      assert.match(page.body, /Added/);
      assert.match(page.body, /field-node_name">node1</);
      const path = /\/admin\/board\/message\/\d+\/change\//.exec(page.body)![0];
      const deleted = await submit(visitor, door, path.replace('change', 'delete'), {
        post: 'yes',
      });
      assert.equal(deleted.status, 302, deleted.body);
      assert(!(await list(visitor, door)).messages.includes('Added'));
    });

    await t.test('its test runner does on a replica what it does anywhere', async () => {
      const { exitCode, output } = await site('node2').manage(['test']);
      assert.equal(exitCode, 0, output);
      assert.match(output, /^Ran 4 tests/m);
    });

    await t.test('a write past the proxy of a replica changes nothing', async () => {
      const { appPort } = sites.cluster.place('node2');
      const json = { content: 'Past the proxy' };
      const page = await visitor.visit(`http://127.0.0.1:${appPort}/messages/`, { json });
      assert.equal(page.status, 500);
      assert(!(await list(visitor, url('node1'))).messages.includes('Past the proxy'));
    });

    await t.test('sessions survive a change of the primary', async () => {
      await changePrimary(sites, 'node2');
      assert.equal(await post(visitor, url('node1'), 'After the change'), 'node2');
      const page = await visitor.visit(`${url('node3')}/admin/board/message/`);
      assert.equal(page.status, 200);
      assert.match(page.body, /After the change/);
      const again = new Visitor();
      assert.equal((await login(again, url('node1'))).status, 302);
      assert.equal((await again.visit(`${url('node2')}/admin/`)).status, 200);
    });
  });

  test('with skein_django: roles, errors and health as they are', async (t) => {
    const sites = await startSites(t, SKEIN);
    if (sites === undefined) return;
    const { cluster, site, url } = sites;
    const visitor = new Visitor();

    await t.test('the checks find nothing', async () => {
      const { exitCode, output } = await site('node2').manage(['check', '--database', 'default']);
      assert.equal(exitCode, 0, output);
      assert.match(output, /no issues/);
    });

    await t.test('the state is what the node says', async () => {
      const ask =
        'import skein_django; print(skein_django.is_primary(), skein_django.node_state())';
      const primary = await site('node1').manage(['shell', '--no-imports', '-c', ask]);
      assert.match(primary.output, /^True NodeState\(name='node1', role='primary'/m);
      const replica = await site('node2').manage(['shell', '--no-imports', '-c', ask]);
      assert.match(replica.output, /^False .*role='replica'.*primary=Primary\(name='node1'/m);
    });

    await t.test('a write on a replica says where the primary is', async () => {
      const { appPort } = cluster.place('node2');
      const past = `http://127.0.0.1:${appPort}/messages/`;
      const page = await visitor.visit(past, { json: { content: 'Past the proxy' } });
      assert.equal(page.status, 503);
      assert.deepEqual(JSON.parse(page.body), {
        error: 'Write operation attempted on replica node',
        code: 'NOT_PRIMARY',
        primary: { name: 'node1', url: `${url('node1')}/` },
      });
      const migrate = await site('node3').manage(['migrate', 'board', 'zero']);
      assert.notEqual(migrate.exitCode, 0);
      assert.match(migrate.output, /NotPrimaryError: Write operation attempted on replica node/);
    });

    await t.test('health is that of the role', async () => {
      const at = async (name: string, path: string): Promise<Page> =>
        new Visitor().visit(`${url(name)}/health/${path}`);
      assert.equal((await at('node1', 'primary/')).status, 200);
      assert.equal((await at('node2', 'primary/')).status, 503);
      assert.equal((await at('node2', 'ready/')).status, 200);
      assert.equal((await at('node3', 'live/')).status, 200);
      assert.partialDeepStrictEqual(JSON.parse((await at('node3', '')).body), {
        node: 'node3',
        role: 'replica',
        primary: 'node1',
        database: DATABASE,
        is_ready: true,
        can_accept_writes: false,
      });
    });

    await t.test('connections that are kept follow a change of the primary', async () => {
      assert.equal(await post(visitor, url('node3'), 'Before'), 'node1');
      await changePrimary(sites, 'node3');
      // What was opened before is of no use, and is noticed by being used once.
      const isThrough = async (): Promise<boolean> => {
        const json = { content: 'After' };
        return (await visitor.visit(`${url('node1')}/messages/`, { json })).status === 201;
      };
      await waitUntil('A write is executed by node3', isThrough, TIMEOUT_MS);
      for (const name of ['node1', 'node2', 'node3']) {
        const isSeen = async (): Promise<boolean> => {
          const { messages } = await list(visitor, url(name));
          return messages[0] === 'After' && messages[1] === 'Before';
        };
        await waitUntil(`${name} shows it`, isSeen, TIMEOUT_MS);
      }
    });

    await t.test('without its daemon nothing is opened, and nobody is primary', async () => {
      await cluster.node('node2').stop();
      const ask = 'import skein_django; print(skein_django.node_state().role)';
      const state = await site('node2').manage(['shell', '--no-imports', '-c', ask]);
      assert.match(state.output, /^no-primary$/m);
      const migrate = await site('node2').manage(['migrate']);
      assert.notEqual(migrate.exitCode, 0);
      assert.match(migrate.output, /skein\.E003/);
      const read = 'from board.models import Message; Message.objects.count()';
      const opened = await site('node2').manage(['shell', '--no-imports', '-c', read]);
      assert.match(opened.output, /NodeUnreachableError: Nothing is mounted at /);
    });
  });
});
