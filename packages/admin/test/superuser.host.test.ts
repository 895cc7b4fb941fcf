// The command that makes superusers: asked, told, on the primary and on a replica.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

import { tempDir, type TestScope, waitUntil } from '@skein/testkit';

import { createSuperuser } from '../src/cli/create-superuser.ts';
import { hashPassword } from '../src/auth/password.ts';
import { Connections } from '../src/database/handle.ts';
import { AdminError } from '../src/errors.ts';
import { signRequest } from '../src/routes/superuser-routes.ts';
import { readKey } from '../src/store/own-tables.ts';
import { listUsers } from '../src/store/users.ts';
import { createShopDatabase } from './shop-database.ts';
import { FakeNode, startPair } from './test-node.ts';
import { CHEAP_SCRYPT, Client, PASSWORD, startSite, USERNAME } from './test-site.ts';

const GRACE = {
  SKEIN_SUPERUSER_USERNAME: 'grace',
  SKEIN_SUPERUSER_EMAIL: 'grace@example.com',
  SKEIN_SUPERUSER_PASSWORD: 'nanoseconds of wire',
};

/** What a terminal is for a program: it echoes nothing itself. */
function terminal(): { input: NodeJS.ReadStream; output: PassThrough; shown: () => string } {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const output = new PassThrough();
  let text = '';
  output.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  // Without what moves the cursor.
  const shown = (): string => stripVTControlCharacters(text);
  return { input: input as unknown as NodeJS.ReadStream, output, shown };
}

function users(path: string): string[] {
  return new Connections(path).read(listUsers).map(({ username }) => username);
}

describe('createSuperuser()', () => {
  test('takes what the environment says', async (t) => {
    const database = createShopDatabase(tempDir(t));
    const { output, shown } = terminal();
    const input = new PassThrough() as unknown as NodeJS.ReadStream;
    const options = { database, input, output, scrypt: CHEAP_SCRYPT };
    await createSuperuser({ ...options, environment: GRACE });
    assert.equal(shown(), 'Superuser grace was created.\n');
    const site = await startSite(t, { path: database, hasUser: false });
    const client = new Client(site.url);
    const home = await client.logIn('grace', GRACE.SKEIN_SUPERUSER_PASSWORD);
    assert.equal(home.path, '/admin/');
    assert.match((await client.get('/admin/history')).text, /grace was added[^]*command line/);
    await rejects(createSuperuser({ ...options, environment: GRACE }), /There is a user grace/);
    const { SKEIN_SUPERUSER_PASSWORD: _, ...rest } = GRACE;
    const other = { ...rest, SKEIN_SUPERUSER_USERNAME: 'other' };
    await rejects(createSuperuser({ ...options, environment: other }), /this is no terminal/);
    for (const [password, why] of [
      ['short', /too short/],
      ['123456789', /only digits/],
      ['aaaaaaaaaa', /too simple/],
    ] as const) {
      const environment = { ...other, SKEIN_SUPERUSER_PASSWORD: password };
      await rejects(createSuperuser({ ...options, environment }), why);
    }
  });

  test('asks in a terminal, and shows no password', async (t) => {
    const database = createShopDatabase(tempDir(t));
    const { input, output, shown } = terminal();
    const created = createSuperuser({
      database,
      input,
      output,
      environment: {},
      scrypt: CHEAP_SCRYPT,
    });
    const answers: readonly (readonly [RegExp, string])[] = [
      [/Username: $/, 'bad name'],
      [/digits and @[^]*Username: $/, 'grace'],
      [/Email[^]*: $/, ''],
      [/Password: $/, 'short'],
      [/too short[^]*Password: $/, 'nanoseconds of wire'],
      [/Password again: $/, 'something else'],
      [/not the same[^]*Password: $/, 'nanoseconds of wire'],
      [/Password again: $/, 'nanoseconds of wire'],
    ];
    let from = 0;
    for (const [question, answer] of answers) {
      await waitUntil(`asked ${question.source}`, () => question.test(shown().slice(from)), 30_000);
      from = shown().length;
      (input as unknown as PassThrough).write(`${answer}\r`);
    }
    await created;
    assert.deepEqual(users(database), ['grace']);
    assert.match(shown(), /bad name/, 'other answers are echoed');
    assert.doesNotMatch(shown(), /nanoseconds|something else|short\r/);
  });

  test('asks nothing where there is no database', async (t) => {
    const { input, output, shown } = terminal();
    const database = `${tempDir(t)}/none.db`;
    const created = createSuperuser({ database, input, output, environment: GRACE });
    await rejects(created, /Cannot open the database/);
    assert.equal(shown(), '');
  });

  test('ends when the input does', async (t) => {
    const database = createShopDatabase(tempDir(t));
    const { input, output, shown } = terminal();
    const created = createSuperuser({ database, input, output, environment: {} });
    const failed = rejects(created, /the input has ended/);
    await waitUntil('asked', () => shown().includes('Username: '), 30_000);
    (input as unknown as PassThrough).end();
    await failed;
  });
});

describe('on a replica', () => {
  const forward = async (
    t: TestScope,
    environment: Readonly<Record<string, string>>,
    hasUser: boolean,
  ): Promise<{ path: string; error: unknown; output: string; passwords: readonly string[] }> => {
    const [node1, node2] = await startPair(t, { hasUser });
    const { output, shown } = terminal();
    let error: unknown;
    try {
      await createSuperuser({
        database: node1.site.path,
        node: node2.node,
        environment,
        input: new PassThrough() as unknown as NodeJS.ReadStream,
        output,
        scrypt: CHEAP_SCRYPT,
      });
    } catch (caught) {
      error = caught;
    }
    const stored = node1.site.connections.read(listUsers);
    const passwords = stored.map(({ password }) => password);
    return { path: node1.site.path, error, output: shown(), passwords };
  };

  test('the first superuser is created by the primary', async (t) => {
    const { path, error, output } = await forward(t, GRACE, false);
    assert.equal(error, undefined);
    assert.equal(output, 'Superuser grace was created on the primary.\n');
    assert.deepEqual(users(path), ['grace']);
  });

  test('another one wants the password of one that is there', async (t) => {
    const none = await forward(t, GRACE, true);
    assert.match(String(none.error), /this is no terminal/);
    const by = { ...GRACE, SKEIN_SUPERUSER_BY: USERNAME };
    const wrong = await forward(t, { ...by, SKEIN_SUPERUSER_BY_PASSWORD: 'wrong' }, true);
    assert.match(String(wrong.error), /Only a superuser creates another one/);
    assert.deepEqual(users(wrong.path), [USERNAME]);
    const right = await forward(t, { ...by, SKEIN_SUPERUSER_BY_PASSWORD: PASSWORD }, true);
    assert.equal(right.error, undefined);
    assert.deepEqual(users(right.path), [USERNAME, 'grace']);
  });

  test('says that nobody is there to do it', async (t) => {
    const database = createShopDatabase(tempDir(t));
    const { input, output } = terminal();
    const options = { database, input, output, environment: GRACE, scrypt: CHEAP_SCRYPT };
    const lost = new FakeNode('node2', { role: 'no-primary' });
    await rejects(createSuperuser({ ...options, node: lost }), /none is known/);
    const node = new FakeNode('node2', {
      role: 'replica',
      primary: { name: 'node1', proxyUrl: 'http://127.0.0.1:1' },
    });
    await rejects(createSuperuser({ ...options, node }), /Cannot reach the site/);
  });
});

describe('the address for it', () => {
  test('takes the signature of the first one, once, fresh, and of these values', async (t) => {
    const site = await startSite(t, { hasUser: false });
    const client = new Client(site.url);
    await client.get('/admin/login');
    const key = site.connections.read(readKey);
    const password = await hashPassword('nanoseconds of wire', CHEAP_SCRYPT);
    const at = String(Date.now());
    const signed = { username: 'grace', email: '', password, at };
    const signature = signRequest(key, signed);
    const send = async (fields: Readonly<Record<string, string>>): Promise<number> =>
      (await client.post('/admin/superuser', { ...signed, signature, ...fields })).status;
    assert.equal(await send({ username: 'mallory' }), 403);
    assert.equal(await send({ signature: 'A'.repeat(43) }), 403);
    const old = { ...signed, at: String(Date.now() - 10 * 60_000) };
    assert.equal(await send({ ...old, signature: signRequest(key, old) }), 403);
    assert.equal(await send({ password: 'plain' }), 400);
    assert.equal(await send({ username: '' }), 400);
    const foreign = { origin: 'https://evil.example' };
    const fields = { ...signed, signature };
    assert.equal((await client.post('/admin/superuser', fields, foreign)).status, 403);
    assert.equal(await send({}), 201);
    // Whoever reads the database has its key, and is no superuser for that.
    const second = { ...signed, username: 'mallory' };
    assert.equal(await send({ ...second, signature: signRequest(key, second) }), 403);
    assert.deepEqual(users(site.path), ['grace']);
  });
});

async function rejects(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof AdminError);
    assert.equal(error.code, 'ADMIN_SUPERUSER');
    assert.match(error.message, message);
    return true;
  });
}
