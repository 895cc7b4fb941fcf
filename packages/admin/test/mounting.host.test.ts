// The site within applications of others, and on handles of others.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';

import { type HttpBindings, serve } from '@hono/node-server';
import { connectNode, loadSettings, openDatabase } from '@skein/client';
import { onTestEnd, tempDir, type TestScope } from '@skein/testkit';
import Database from 'better-sqlite3';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';

import { Connections, type SqliteHandle } from '../src/database/handle.ts';
import { AdminError } from '../src/errors.ts';
import type { AdminOptions } from '../src/options.ts';
import { type AdminSite, adminSite } from '../src/site.ts';
import { readLog } from '../src/store/history.ts';
import { createShopDatabase } from './shop-database.ts';
import { CHEAP_SCRYPT, Client, createUser, PASSWORD, seenOf, USERNAME } from './test-site.ts';

async function shopSite(t: TestScope, options: Partial<AdminOptions> = {}): Promise<AdminSite> {
  const database = createShopDatabase(tempDir(t));
  await createUser(new Connections(database), USERNAME, PASSWORD);
  return adminSite({ database, scrypt: CHEAP_SCRYPT, ...options });
}

function urlOf(t: TestScope, server: Server): string {
  onTestEnd(t, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Logs in, changes a row, and looks at an address that is not the site's. */
async function useSite(url: string): Promise<void> {
  const client = new Client(url);
  assert.equal((await client.logIn()).path, '/admin/');
  const form = await client.get('/admin/t/comments/row/1');
  const fields = { seen: seenOf(form), 'v.text': 'mounted' };
  const done = await client.send('/admin/t/comments/row/1', form, fields);
  assert.match(done.text, /Comments 1 was changed/);
  assert.equal((await client.get('/elsewhere')).text, 'the application');
}

describe('the site within', () => {
  test('node:http', async (t) => {
    const site = await shopSite(t);
    const server = createServer((request, response) => {
      if (request.url!.startsWith(site.basePath)) site.handler(request, response);
      else response.end('the application');
    });
    await useSite(urlOf(t, await listening(server)));
  });

  test('Express, before its parsers of bodies', async (t) => {
    const site = await shopSite(t);
    const app = express();
    app.use(site.basePath, (request, response) => site.handler(request, response));
    app.use(express.json(), express.urlencoded({ extended: true }));
    app.get('/elsewhere', (_request, response) => void response.send('the application'));
    await useSite(urlOf(t, await listening(createServer(app))));
  });

  test('Fastify, in a scope of its own', async (t) => {
    const site = await shopSite(t);
    const app = fastify();
    app.get('/elsewhere', () => 'the application');
    app.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
      for (const url of [site.basePath, `${site.basePath}/*`]) {
        scope.all(url, (request, reply) => {
          reply.hijack();
          site.handler(request.raw, reply.raw);
        });
      }
      done();
    });
    onTestEnd(t, () => app.close());
    await useSite(await app.listen({ host: '127.0.0.1', port: 0 }));
  });

  test('Hono', async (t) => {
    const site = await shopSite(t);
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.get('/elsewhere', (c) => c.text('the application'));
    app.all(`${site.basePath}/*`, (c) =>
      site.fetch(c.req.raw, { address: c.env.incoming.socket.remoteAddress }),
    );
    const server = await new Promise<Server>((resolve) => {
      const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
        resolve(started as Server),
      );
    });
    await useSite(urlOf(t, server));
  });
});

describe('the site on a handle of', () => {
  async function changeRow(t: TestScope, path: string, database: SqliteHandle): Promise<void> {
    await createUser(new Connections(path), USERNAME, PASSWORD);
    const site = adminSite({ database, scrypt: CHEAP_SCRYPT });
    const server = createServer((request, response) => {
      if (request.url!.startsWith(site.basePath)) site.handler(request, response);
      else response.end('the application');
    });
    await useSite(urlOf(t, await listening(server)));
    const [entry] = new Connections(path).read((one) => readLog(one, { max: 1 }));
    assert.equal(entry!.key, '1');
  }

  test('better-sqlite3', async (t) => {
    const path = createShopDatabase(tempDir(t));
    const database = new Database(path);
    t.after(() => database.close());
    await changeRow(t, path, database);
  });

  test('one that does not keep references, which are kept all the same', async (t) => {
    const path = createShopDatabase(tempDir(t));
    await createUser(new Connections(path), USERNAME, PASSWORD);
    const database = new Database(path);
    t.after(() => database.close());
    database.pragma('foreign_keys = OFF');
    const site = adminSite({ database, scrypt: CHEAP_SCRYPT });
    const server = createServer((request, response) => site.handler(request, response));
    const client = new Client(urlOf(t, await listening(server)));
    await client.logIn();
    const question = await client.get('/admin/t/authors/delete?key=1');
    const sent = await client.send('/admin/t/authors/delete', question, { key: '1' });
    assert.equal(sent.status, 409);
    assert.equal(database.pragma('foreign_keys', { simple: true }), 0, 'as it was');
  });

  test('node:sqlite', async (t) => {
    const path = createShopDatabase(tempDir(t));
    const database = new DatabaseSync(path);
    t.after(() => database.close());
    await changeRow(t, path, database);
  });

  test('@skein/client', async (t) => {
    const mountPath = tempDir(t);
    const path = createShopDatabase(mountPath);
    const node = await connectNode(
      loadSettings({ mountPath, databaseName: 'db.sqlite3', enabled: false }, {}),
    );
    onTestEnd(t, () => node.close());
    const database = openDatabase(node);
    onTestEnd(t, () => void database.close());
    await changeRow(t, path, database);
  });
});

describe('a commit', () => {
  test('that the database does not answer is neither done nor refused', async (t) => {
    const path = createShopDatabase(tempDir(t));
    await createUser(new Connections(path), USERNAME, PASSWORD);
    const real = new Database(path);
    t.after(() => real.close());
    let isLost = false;
    const database: SqliteHandle = {
      prepare: (sql) => real.prepare(sql),
      exec: (sql) => {
        if (!isLost || sql !== 'COMMIT') return real.exec(sql);
        throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' });
      },
    };
    const site = adminSite({ database, scrypt: CHEAP_SCRYPT });
    const server = createServer((request, response) => site.handler(request, response));
    const client = new Client(urlOf(t, await listening(server)));
    await client.logIn();
    const form = await client.get('/admin/t/comments/row/1');
    isLost = true;
    const fields = { seen: seenOf(form), 'v.text': 'x' };
    const answer = await client.send('/admin/t/comments/row/1', form, fields);
    assert.equal(answer.status, 502);
    assert.match(answer.text, /Outcome unknown/);
  });
});

test('fetch() never rejects, also where the node cannot be asked', async () => {
  const errors: unknown[] = [];
  const node = {
    isPrimary: true,
    get state(): never {
      throw new Error('gone');
    },
  };
  const site = adminSite({ database: 'x.db', node, onError: (error) => errors.push(error) });
  const answer = await site.fetch(new Request('http://localhost/admin/'));
  assert.equal(answer.status, 500);
  assert.match(String(errors[0]), /gone/);
});

test('adminSite() names an option that cannot be', () => {
  const wrong: readonly Partial<AdminOptions>[] = [
    { basePath: 'admin' },
    { basePath: '/a b' },
    { basePath: '/../x' },
    { basePath: '/a//b' },
    { origins: ['admin.example.com'] },
    { origins: ['https://admin.example.com/'] },
  ];
  for (const options of wrong) {
    assert.throws(
      () => adminSite({ database: 'x.db', ...options }),
      (error) => error instanceof AdminError && error.code === 'ADMIN_OPTIONS',
      JSON.stringify(options),
    );
  }
  assert.equal(adminSite({ database: 'x.db', basePath: '/a/' }).basePath, '/a');
  assert.equal(adminSite({ database: 'x.db', basePath: '/' }).basePath, '');
});
