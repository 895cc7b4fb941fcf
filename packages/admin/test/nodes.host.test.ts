// The site on several nodes: read anywhere, written on the primary, logged in everywhere.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { tempDir } from '@skein/testkit';
import Database from 'better-sqlite3';

import { selectOne } from '../src/database/handle.ts';
import { hasOwnTables } from '../src/store/own-tables.ts';
import { readLog } from '../src/store/history.ts';
import { createShopDatabase } from './shop-database.ts';
import { FakeNode, lead, startPair } from './test-node.ts';
import {
  Client,
  CHEAP_SCRYPT,
  PASSWORD,
  seenOf,
  startSite,
  tokenOf,
  USERNAME,
} from './test-site.ts';
import { adminSite } from '../src/site.ts';

describe('through the proxies', () => {
  test('a login on the port of a replica is one on all nodes', async (t) => {
    const [node1, node2] = await startPair(t);
    const client = new Client(node2.url);
    const page = await client.get('/admin/login');
    const body = new URLSearchParams({
      token: tokenOf(page),
      username: USERNAME,
      password: PASSWORD,
    });
    const answer = await client.raw('/admin/login', { method: 'POST', body });
    assert.equal(answer.status, 303);
    const names = answer.headers.getSetCookie().map((cookie) => cookie.split('=')[0]);
    assert.ok(names.includes('skein_admin_session'), 'none of several cookies is lost');
    assert.ok(names.includes('skein_admin_login'));
    const home = await client.get('/admin/');
    assert.match(home.text, /data-node-name>node2<[^]*replica of node1/);
    assert.match(home.text, /txid 1a2b · lag 12 ms/);
    const elsewhere = new Client(node1.url);
    for (const [name, value] of client.cookies) elsewhere.cookies.set(name, value);
    assert.match((await elsewhere.get('/admin/')).text, /data-node-name>node1</);
  });

  test('a form sent to a replica is written by the primary, as the history says', async (t) => {
    const [node1, node2] = await startPair(t);
    const client = new Client(node2.url);
    await client.logIn();
    const form = await client.get('/admin/t/comments/row/1');
    const fields = { seen: seenOf(form), 'v.text': 'Through node2' };
    const done = await client.send('/admin/t/comments/row/1', form, fields);
    assert.match(done.text, /Comments 1 was changed/);
    assert.match(done.text, /data-node-name>node2</);
    const [entry] = node1.site.connections.read((database) => readLog(database, { max: 1 }));
    assert.equal(entry!.node, 'node1');
  });

  test('a session survives a change of the primary', async (t) => {
    const [node1, node2] = await startPair(t);
    const client = new Client(node2.url);
    await client.logIn();
    lead(node2, node1, 'node2');
    for (const { url } of [node1, node2]) {
      const other = new Client(url);
      for (const [name, value] of client.cookies) other.cookies.set(name, value);
      const form = await other.get('/admin/t/comments/add');
      const fields = { 'v.message_id': '1', 'v.text': 'after' };
      const done = await other.send('/admin/t/comments/add', form, fields);
      assert.match(done.text, /was added/);
    }
    const log = node1.site.connections.read((database) => readLog(database, { max: 2 }));
    assert.deepEqual(
      log.map(({ node }) => node),
      ['node2', 'node2'],
    );
  });
});

describe('without a proxy', () => {
  test('a replica names the primary, and writes nothing', async (t) => {
    const node = new FakeNode('node2', { role: 'primary' });
    const site = await startSite(t, { node });
    const client = new Client(site.url);
    await client.logIn();
    const form = await client.get('/admin/t/comments/row/1');
    node.told = { role: 'replica', primary: { name: 'node1', proxyUrl: 'http://node1:8000' } };
    assert.equal((await client.get('/admin/t/comments')).status, 200, 'reading goes on');
    const fields = { seen: seenOf(form), 'v.text': 'x' };
    const refused = await client.send('/admin/t/comments/row/1', form, fields);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.match(refused.text, /Write operation attempted on replica node\. The primary is node1/);
    assert.match(refused.text, /href="http:\/\/node1:8000\/admin\/"/);
    assert.equal((await new Client(site.url).logIn()).status, 503);
  });

  test('nodes that nobody may write on say so on each page', async (t) => {
    const node = new FakeNode('node2', { role: 'primary' });
    const site = await startSite(t, { node });
    const client = new Client(site.url);
    await client.logIn();
    for (const [role, words] of [
      ['no-primary', /Nobody is known to be primary/],
      ['fenced', /It is not clear who may write/],
    ] as const) {
      node.told = { role };
      const page = await client.get('/admin/t/comments');
      assert.match(page.text, words);
      assert.equal((await client.send('/admin/logout', page, {})).status, 503);
    }
  });

  test('a database that is read only is noticed as it is', async (t) => {
    const site = await startSite(t);
    const database = new Database(site.path, { readonly: true });
    t.after(() => database.close());
    const readOnly = await startSite(t, { path: site.path, hasUser: false, database });
    const client = new Client(readOnly.url);
    assert.match((await client.get('/admin/login')).text, /Log in/);
    const refused = await client.logIn();
    assert.equal(refused.status, 503);
    assert.match(refused.text, /Write operation attempted on replica node/);
    assert.deepEqual(readOnly.errors, []);
  });
});

describe('the tables of the site', () => {
  test('are made by the primary when it is asked, and waited for on a replica', async (t) => {
    const path = createShopDatabase(tempDir(t));
    const node = new FakeNode('node2', { role: 'replica', primary: { name: 'node1' } });
    const site = await startSite(t, { path, node, hasUser: false });
    const client = new Client(site.url);
    const waiting = await client.get('/admin/');
    assert.equal(waiting.status, 503);
    assert.match(waiting.text, /Not ready yet/);
    assert.equal(site.connections.read(hasOwnTables), false);
    node.told = { role: 'primary' };
    const login = await client.get('/admin/');
    assert.match(login.text, /There are no users yet[^]*createsuperuser/);
    assert.equal(site.connections.read(hasOwnTables), true);
  });

  test('are not asked of a database that is not there', async (t) => {
    const site = await startSite(t, { path: `${tempDir(t)}/none.db`, hasUser: false });
    const page = await new Client(site.url).get('/admin/');
    assert.equal(page.status, 503);
    assert.match(page.text, /The database cannot be opened on this node/);
    assert.deepEqual(site.errors, []);
  });

  test('wait for whoever holds the database, and say so', async (t) => {
    const site = await startSite(t);
    const client = new Client(site.url);
    await client.logIn();
    const form = await client.get('/admin/t/comments/add');
    const other = new Database(site.path);
    t.after(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    const fields = { 'v.message_id': '1', 'v.text': 'x' };
    const busy = await client.send('/admin/t/comments/add', form, fields);
    other.exec('ROLLBACK');
    assert.equal(busy.status, 503);
    assert.match(busy.text, /Another transaction holds the database/);
    assert.match((await client.send('/admin/t/comments/add', form, fields)).text, /was added/);
  });

  test('are the same for requests without a server', async (t) => {
    const site = await startSite(t);
    const bare = adminSite({ database: site.path, scrypt: CHEAP_SCRYPT, basePath: '/x/y' });
    const answer = await bare.fetch(new Request('http://localhost/x/y/'));
    assert.equal(answer.headers.get('location'), '/x/y/login?next=%2Fx%2Fy%2F');
    assert.equal((await bare.fetch(new Request('http://localhost/admin/'))).status, 404);
    const count = site.connections.read((database) =>
      selectOne(database, 'SELECT count(*) AS n FROM skein_admin_user'),
    );
    assert.equal(count!['n'], 1);
  });
});
