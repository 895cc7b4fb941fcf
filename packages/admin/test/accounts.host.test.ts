// The users of the site, and what an application decides about what they see.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { maybeUser } from '../src/store/users.ts';
import { Client, PASSWORD, startClient, startSite, USERNAME } from './test-site.ts';

const NEW_PASSWORD = 'battery staple';

describe('users', () => {
  test('are added by users, and may then do the same', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/users/add');
    const grace = { username: 'grace', email: 'grace@example.com' };
    const passwords = { password: NEW_PASSWORD, repeat: NEW_PASSWORD };
    for (const [fields, why] of [
      [{ ...grace, ...passwords, username: 'a b' }, /letters, digits and @/],
      [{ ...grace, ...passwords, email: 'nowhere' }, /no address of an email/],
      [{ ...grace, password: 'short', repeat: 'short' }, /too short/],
      [{ ...grace, ...passwords, repeat: 'another one' }, /not the same/],
      [{ ...grace, ...passwords, username: USERNAME }, /a user of that name already/],
    ] as const) {
      const again = await client.send('/admin/users/add', form, fields);
      assert.equal(again.status, 422);
      assert.match(again.text, why);
    }
    const list = await client.send('/admin/users/add', form, { ...grace, ...passwords });
    assert.match(list.text, /grace may log in now/);
    const other = new Client(site.url);
    assert.equal((await other.logIn('grace', NEW_PASSWORD)).path, '/admin/');
    assert.match((await client.get('/admin/history')).text, /grace was added/);
  });

  test('that are locked are logged out, and stay out until they are unlocked', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/users/add');
    const passwords = { password: NEW_PASSWORD, repeat: NEW_PASSWORD };
    await client.send('/admin/users/add', form, { username: 'grace', email: '', ...passwords });
    const other = new Client(site.url);
    await other.logIn('grace', NEW_PASSWORD);
    await client.send('/admin/users/2', form, { active: '0' });
    assert.match((await other.get('/admin/')).path, /login/);
    assert.equal((await other.logIn('grace', NEW_PASSWORD)).status, 401);
    await client.send('/admin/users/2', form, { active: '1' });
    assert.equal((await other.logIn('grace', NEW_PASSWORD)).path, '/admin/');
    const self = await client.send('/admin/users/1', form, { active: '0' });
    assert.equal(self.status, 400, 'nobody locks himself out');
    assert.equal((await client.send('/admin/users/99', form, { active: '0' })).status, 404);
    assert.equal((await client.send('/admin/users/x', form, { active: '0' })).status, 404);
  });

  test('change their passwords with the old one, and are logged out elsewhere', async (t) => {
    const site = await startSite(t);
    const [client, elsewhere] = [await startClient(site), await startClient(site)];
    const form = await client.get('/admin/password');
    const change = (old: string, password: string, repeat = password): ReturnType<Client['get']> =>
      client.send('/admin/password', form, { old, password, repeat });
    assert.match((await change('wrong', NEW_PASSWORD)).text, /The old password is wrong/);
    assert.match((await change(PASSWORD, NEW_PASSWORD, 'x')).text, /not the same/);
    assert.match((await change(PASSWORD, '12345678')).text, /only digits/);
    const before = site.connections.read((database) => maybeUser(database, USERNAME)!.password);
    const done = await change(PASSWORD, NEW_PASSWORD);
    assert.match(done.text, /The password was changed/);
    assert.equal((await client.get('/admin/')).path, '/admin/', 'here with a new session');
    assert.match((await elsewhere.get('/admin/')).path, /login/);
    const after = site.connections.read((database) => maybeUser(database, USERNAME)!.password);
    assert.notEqual(after, before);
    assert.equal((await new Client(site.url).logIn()).status, 401);
    assert.equal((await new Client(site.url).logIn(USERNAME, NEW_PASSWORD)).path, '/admin/');
  });

  test('cannot be added by a stranger, who costs no hash either', async (t) => {
    const site = await startSite(t);
    const stranger = new Client(site.url);
    const passwords = { password: NEW_PASSWORD, repeat: NEW_PASSWORD };
    const fields = { token: 'x', username: 'mallory', email: '', ...passwords };
    assert.equal((await stranger.post('/admin/users/add', fields)).path, '/admin/login');
    const client = await startClient(site);
    assert.equal((await client.post('/admin/users/add', fields)).status, 403);
    const user = site.connections.read((database) => maybeUser(database, 'mallory'));
    assert.equal(user, undefined);
  });
});

describe('an application', () => {
  test('hides tables and forbids changes', async (t) => {
    const options = { hiddenTables: ['invoices'], readOnlyTables: ['comments'] };
    const client = await startClient(await startSite(t, options));
    assert.doesNotMatch((await client.get('/admin/')).text, /Invoices/);
    assert.equal((await client.get('/admin/t/invoices')).status, 404);
    assert.doesNotMatch((await client.get('/admin/t/authors/row/1')).text, /Invoices/);
    const row = await client.get('/admin/t/comments/row/1');
    assert.match(row.text, /Comment 0/);
    assert.doesNotMatch(row.text, /<textarea|name="v\./);
    for (const path of ['add', 'row/1', 'delete']) {
      const sent = await client.send(`/admin/t/comments/${path}`, row, { key: '1', 'v.text': 'x' });
      assert.equal(sent.status, 400, path);
    }
    assert.equal((await client.get('/admin/t/comments/add')).status, 400);
    // What is hidden still does not let go what it refers to.
    const question = await client.get('/admin/t/authors/delete?key=1');
    assert.match(question.text, /have to go first/);
  });

  test('has a title, a link back, and files that browsers keep', async (t) => {
    const options = { title: 'The shop', siteUrl: '/shop/' };
    const client = await startClient(await startSite(t, options));
    const { text } = await client.get('/admin/');
    assert.match(text, /<h1>The shop<\/h1>/);
    assert.match(text, /href="\/shop\/"/);
    for (const [, path] of text.matchAll(/(?:href|src)="(\/admin\/static\/[^"]+)"/g)) {
      const { status, headers } = await client.raw(path!);
      assert.equal(status, 200, path);
      assert.match(headers.get('cache-control')!, /immutable/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
    }
    assert.equal((await client.raw('/admin/', { method: 'HEAD' })).text, '');
  });

  test('suggests rows by what they are called', async (t) => {
    const client = await startClient(await startSite(t));
    const { text, headers } = await client.get('/admin/t/authors/lookup?column=id&q=lace');
    assert.equal(headers.get('content-type'), 'application/json');
    assert.deepEqual(JSON.parse(text), [{ value: '1', label: 'Ada Lovelace' }]);
    const byNumber = await client.get('/admin/t/authors/lookup?column=id&q=3');
    assert.deepEqual(JSON.parse(byNumber.text), [{ value: '3', label: 'Edgar Codd' }]);
  });
});
