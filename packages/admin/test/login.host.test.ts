// Logging in: who gets in, who does not, and what a session is worth.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { selectOne } from '../src/database/handle.ts';
import { createSession } from '../src/auth/sessions.ts';
import { hashPassword } from '../src/auth/password.ts';
import { readKey } from '../src/store/own-tables.ts';
import { maybeUser, setPassword } from '../src/store/users.ts';
import {
  CHEAP_SCRYPT,
  Client,
  PASSWORD,
  startClient,
  startSite,
  tokenOf,
  USERNAME,
} from './test-site.ts';

describe('login', () => {
  test('leads to the page that was asked for, and notes when it was', async (t) => {
    const site = await startSite(t);
    const client = new Client(site.url);
    const asked = await client.get('/admin/t/messages?q=flock');
    assert.match(asked.path, /^\/admin\/login\?next=/);
    const next = /name="next" value="([^"]+)"/.exec(asked.text)![1]!.replaceAll('&amp;', '&');
    const fields = { username: USERNAME, password: PASSWORD, next };
    const page = await client.send('/admin/login', asked, fields);
    assert.equal(page.path, '/admin/t/messages?q=flock');
    assert.match(page.text, /<h1>Messages<\/h1>/);
    const user = site.connections.read((database) => maybeUser(database, USERNAME));
    assert.ok(user!.lastLoginMs! > 0);
  });

  test('answers a wrong password and an unknown user in the same words', async (t) => {
    const site = await startSite(t);
    const client = new Client(site.url);
    const wrong = await client.logIn(USERNAME, 'something else');
    const unknown = await client.logIn('nobody', 'something else');
    assert.equal(wrong.status, 401);
    assert.equal(unknown.status, 401);
    const words = /role="alert"[^>]*>([^<]+)</;
    assert.equal(words.exec(wrong.text)![1], words.exec(unknown.text)![1]);
    assert.equal(client.cookies.has('skein_admin_session'), false);
  });

  test('counts for nothing when the password is changed while it is checked', async (t) => {
    let change = (): void => undefined;
    const site = await startSite(t, {
      now: () => {
        // The user was read; what comes next is the check, which takes turns of the event loop.
        setImmediate(change);
        return Date.now();
      },
    });
    // Of other parameters than today's, so that a login replaces it.
    const old = await hashPassword(PASSWORD, { ...CHEAP_SCRYPT, cost: 32 });
    const recent = await hashPassword('another battery', CHEAP_SCRYPT);
    const store = (hash: string): void =>
      site.connections.write((database) => {
        setPassword(database, maybeUser(database, USERNAME)!.id, hash);
      });
    store(old);
    const client = new Client(site.url);
    const page = await client.get('/admin/login');
    change = () => store(recent);
    const fields = { username: USERNAME, password: PASSWORD, next: '' };
    const answer = await client.send('/admin/login', page, fields);
    assert.equal(answer.status, 401);
    assert.equal(client.cookies.has('skein_admin_session'), false);
    const { password } = site.connections.read((database) => maybeUser(database, USERNAME))!;
    assert.equal(password, recent);
  });

  test('begins another session each time, and ends the one before', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const first = client.cookies.get('skein_admin_session')!;
    // Another tab that was left open.
    const old = new Client(site.url);
    old.cookies.set('skein_admin_session', first);
    const nonce = new Client(site.url);
    const page = await nonce.get('/admin/login');
    client.cookies.set('skein_admin_login', nonce.cookies.get('skein_admin_login')!);
    await client.send('/admin/login', page, { username: USERNAME, password: PASSWORD });
    assert.notEqual(client.cookies.get('skein_admin_session'), first);
    assert.match((await old.get('/admin/')).path, /login/);
    assert.equal((await client.get('/admin/')).path, '/admin/');
  });

  test('leads nowhere but into the site', async (t) => {
    const site = await startSite(t);
    for (const next of [
      'https://evil.example/admin/',
      '//evil.example/admin/',
      '/\\evil.example',
      'javascript:alert(1)',
      '/other',
      '/admin/../other',
      '/adminx',
    ]) {
      const client = new Client(site.url);
      const page = await client.get(`/admin/login?next=${encodeURIComponent(next)}`);
      const fields = { token: tokenOf(page), username: USERNAME, password: PASSWORD, next };
      const body = new URLSearchParams(fields);
      const answer = await client.raw('/admin/login', { method: 'POST', body });
      assert.equal(answer.headers.get('location'), '/admin/', next);
    }
  });

  test('wants the form of the browser that sends it', async (t) => {
    const site = await startSite(t);
    const [mallory, victim] = [new Client(site.url), new Client(site.url)];
    const page = await mallory.get('/admin/login');
    await victim.get('/admin/login');
    const fields = { username: USERNAME, password: PASSWORD, next: '' };
    assert.equal((await victim.send('/admin/login', page, fields)).status, 403);
    assert.equal(victim.cookies.has('skein_admin_session'), false);
  });

  test('waits longer after each failure, and says how long', async (t) => {
    let nowMs = Date.UTC(2026, 0, 1);
    const site = await startSite(t, { now: () => nowMs });
    const client = new Client(site.url);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await client.logIn(USERNAME, 'wrong')).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
    const refused = await client.logIn();
    assert.equal(refused.status, 429, 'the right password does not help');
    assert.equal(refused.headers.get('retry-after'), '1');
    nowMs += 1001;
    assert.equal((await client.logIn()).status, 200);
  });

  test('hashes a password anew that was hashed with other parameters', async (t) => {
    const site = await startSite(t);
    const old = await hashPassword(PASSWORD, { ...CHEAP_SCRYPT, cost: 32 });
    site.connections.write((database) => {
      setPassword(database, maybeUser(database, USERNAME)!.id, old);
    });
    const client = new Client(site.url);
    assert.equal((await client.logIn()).status, 200);
    const user = site.connections.read((database) => maybeUser(database, USERNAME))!;
    assert.match(user.password, /^scrypt\$16\$8\$1\$/);
    assert.equal((await new Client(site.url).logIn()).status, 200);
  });
});

describe('a session', () => {
  test('is over with the log out, on every node', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const cookie = client.cookies.get('skein_admin_session')!;
    const page = await client.get('/admin/');
    const out = await client.send('/admin/logout', page, {});
    assert.equal(out.path, '/admin/login');
    assert.equal(client.cookies.has('skein_admin_session'), false);
    client.cookies.set('skein_admin_session', cookie);
    assert.match((await client.get('/admin/')).path, /login/);
  });

  test('is worth nothing once its user may not log in', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      database.exec('UPDATE skein_admin_user SET is_active = 0');
    });
    assert.match((await client.get('/admin/')).path, /login/);
  });

  test('is not ended by a GET', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    assert.equal((await client.raw('/admin/logout')).status, 404);
    assert.equal((await client.get('/admin/')).path, '/admin/');
  });

  test('ends when its time is over', async (t) => {
    let nowMs = Date.UTC(2026, 0, 1);
    const site = await startSite(t, { now: () => nowMs });
    const client = await startClient(site);
    nowMs += 14 * 86_400_000 - 1;
    assert.equal((await client.get('/admin/')).path, '/admin/');
    nowMs += 2;
    assert.match((await client.get('/admin/')).path, /login/);
  });

  test('cannot be forged, not even by a reader of the database', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const cookie = client.cookies.get('skein_admin_session')!;
    const [id, expires, signature] = cookie.split('.') as [string, string, string];
    const stored = site.connections.read(
      (database) => selectOne(database, 'SELECT digest FROM skein_admin_session')!['digest'],
    ) as string;
    const forged = [
      '',
      'x',
      `${id}.${expires}`,
      `${id}.${expires}.${'A'.repeat(43)}`,
      `${id}.${Number(expires) + 1}.${signature}`,
      `${stored}.${expires}.${signature}`,
      `${id}.${expires}.${signature}.`,
    ];
    for (const value of forged) {
      client.cookies.set('skein_admin_session', value);
      assert.match((await client.get('/admin/')).path, /login/, value);
    }
    // With the key, which is in the database, but not the secret, of which only a digest is.
    const other = await startSite(t);
    const made = other.connections.write((database) =>
      createSession(database, {
        key: site.connections.read(readKey),
        userId: 1n,
        nowMs: Date.now(),
      }),
    );
    client.cookies.set('skein_admin_session', made);
    assert.match((await client.get('/admin/')).path, /login/);
  });

  test('has cookies that scripts cannot read, secure behind TLS', async (t) => {
    const site = await startSite(t);
    const client = new Client(site.url);
    const page = await client.get('/admin/login');
    const body = new URLSearchParams({
      token: tokenOf(page),
      username: USERNAME,
      password: PASSWORD,
    });
    const headers = { 'x-forwarded-proto': 'https' };
    const answer = await client.raw('/admin/login', { method: 'POST', body, headers });
    const cookies = answer.headers.getSetCookie();
    assert.equal(cookies.length, 2, 'the session, and the end of the form to log in');
    for (const cookie of cookies) {
      assert.match(cookie, /; Path=\/admin; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/);
    }
  });
});
