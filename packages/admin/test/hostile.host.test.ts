// What strangers try: code in names and values, SQL in every parameter, forms from elsewhere, paths
// that lead out, bodies without an end.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { tempDir } from '@skein/testkit';
import Database from 'better-sqlite3';

import { selectOne } from '../src/database/handle.ts';
import { encodeName } from '../src/http/addresses.ts';
import { Client, seenOf, startClient, startSite, tokenOf } from './test-site.ts';

/** Ends an attribute, a tag, a script, a comment, a text. */
const MARKUP = `"'><script>alert(1)</script><img src=x onerror=alert(1)>--><!--</textarea>`;

describe('code in names and values', () => {
  test('is text on every page', async (t) => {
    const path = join(tempDir(t), `a.db`);
    const database = new Database(path);
    const name = MARKUP.replaceAll('"', '""');
    database.exec(`
      CREATE TABLE "${name}" (id INTEGER PRIMARY KEY, "${name}" TEXT, name TEXT DEFAULT '<i>');
      CREATE TABLE other (id INTEGER PRIMARY KEY, ref INTEGER REFERENCES "${name}", kind TEXT
        CHECK (kind IN ('<b>x</b>', 'y')));`);
    database.prepare(`INSERT INTO "${name}" VALUES (1, ?, ?)`).run(MARKUP, MARKUP);
    database.prepare("INSERT INTO other VALUES (1, 1, '<b>x</b>'), (2, 1, 'y')").run();
    database.close();
    const site = await startSite(t, { path, title: MARKUP });
    const client = await startClient(site);
    const at = `/admin/t/${encodeName(MARKUP)}`;
    const form = await client.get(`${at}/row/1`);
    assert.equal(form.status, 200);
    await client.send(`${at}/row/1`, form, { seen: seenOf(form), 'v.name': `${MARKUP}2` });
    const pages = [
      '/admin/',
      at,
      `${at}?q=${encodeURIComponent(MARKUP)}&is.name=${encodeURIComponent(MARKUP)}`,
      `${at}?order=${encodeURIComponent(MARKUP)}&after=1`,
      `${at}/add`,
      `${at}/row/1`,
      `${at}/row/1/history`,
      `${at}/delete?key=1`,
      `${at}/structure`,
      '/admin/t/other',
      '/admin/t/other/row/1',
      '/admin/history',
      '/admin/users',
      `/admin/${encodeURIComponent(MARKUP)}`,
    ];
    for (const page of pages) {
      const { text, headers } = await client.get(page);
      assert.doesNotMatch(text, /<script>|<img|<i>|<b>x/, page);
      assert.match(text, /&lt;script&gt;|<h1>Not found/, page);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
    }
    assert.deepEqual(site.errors, []);
  });

  test('could not run if it got through: no page allows it', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    for (const path of ['/admin/', '/admin/login', '/admin/t/messages', '/admin/nothing']) {
      const { headers, text } = await client.get(path);
      const policy = headers.get('content-security-policy')!;
      assert.match(policy, /default-src 'none'/);
      assert.doesNotMatch(policy, /unsafe|\*/);
      assert.equal(headers.get('x-frame-options'), 'DENY');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(
        text,
        /\sstyle="|\son\w+="|<style|<script(?! src="\/admin\/static)/,
        path,
      );
    }
  });

  test('in a file is given as bytes to keep, never shown', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      database.prepare('UPDATE files SET content = ? WHERE id = 1').run(MARKUP);
    });
    const { headers } = await client.raw('/admin/t/files/row/1/value/content');
    assert.equal(headers.get('content-type'), 'application/octet-stream');
    assert.match(
      headers.get('content-disposition')!,
      /^attachment; filename="files-1-content\.bin"$/,
    );
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });
});

describe('SQL', () => {
  test('in any parameter changes nothing and shows nothing', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const sql = `1"' OR 1=1; DROP TABLE messages; -- UNION SELECT password FROM skein_admin_user`;
    const text = encodeURIComponent(sql);
    const paths = [
      `/admin/t/${text}`,
      `/admin/t/messages?q=${text}`,
      `/admin/t/messages?order=${text}&dir=${text}`,
      `/admin/t/messages?col=${text}`,
      `/admin/t/messages?is.content=${text}&is.${text}=1`,
      `/admin/t/messages?from.created_at=${text}&in.created_at=${text}`,
      `/admin/t/messages?after=${text}&page=${text}`,
      `/admin/t/messages?before=1),1)--`,
      `/admin/t/messages/row/${text}`,
      `/admin/t/messages/row/1/value/${text}`,
      `/admin/t/messages/delete?key=${text}`,
      `/admin/t/messages/lookup?column=${text}&q=${text}`,
      `/admin/t/messages/lookup?column=content&q=${text}`,
      `/admin/history?before=${text}`,
      `/admin/t/messages/row/1/history?before=1;`,
    ];
    for (const path of paths) {
      const page = await client.get(path);
      assert.ok(page.status < 500, `${path} ${page.status}`);
      assert.doesNotMatch(page.text, /scrypt\$/, path);
    }
    const form = await client.get('/admin/t/messages/add');
    const added = await client.send('/admin/t/messages/add', form, {
      'v.content': sql,
      'v.node_name': sql,
      [`v.${sql}`]: sql,
      'v.status': 'sent',
      'v.author_id': sql,
      'empty.author_id': sql,
    });
    assert.equal(added.status, 422, 'a number was wanted');
    const count = site.connections.read((database) =>
      selectOne(database, 'SELECT count(*) AS n FROM messages'),
    );
    assert.equal(count!['n'], 120);
    assert.deepEqual(site.errors, []);
  });

  test('in the name of a table is only a name', async (t) => {
    const path = join(tempDir(t), 'names.db');
    const database = new Database(path);
    const names = ['select', 'a;b', 'a"; DROP TABLE x; --', 'ünïcode', ' ', '', '%00', '../..'];
    for (const name of [...names, 'x']) {
      const quoted = name.replaceAll('"', '""');
      database.exec(`CREATE TABLE "${quoted}" ("${quoted}" TEXT, "order" INTEGER)`);
      database.exec(`INSERT INTO "${quoted}" VALUES ('v', 1)`);
    }
    database.close();
    const site = await startSite(t, { path });
    const client = await startClient(site);
    for (const name of names) {
      const at = `/admin/t/${encodeName(name)}`;
      const list = await client.get(`${at}?order=order&q=v&is.order=1`);
      assert.equal(list.status, 200, name);
      assert.match(list.text, /value="@1"/, name);
      const form = await client.get(`${at}/row/@1`);
      const fields = { seen: seenOf(form), [`v.${name}`]: 'w', 'v.order': '2', afterwards: 'stay' };
      const saved = await client.send(`${at}/row/@1`, form, fields);
      assert.match(saved.text, /was changed/, name);
    }
    assert.deepEqual(site.errors, []);
  });
});

describe('a form', () => {
  test('without the token of its session, or with that of another, does nothing', async (t) => {
    const site = await startSite(t);
    const [mine, other] = [await startClient(site), await startClient(site)];
    const foreign = tokenOf(await other.get('/admin/'));
    for (const token of ['', 'x', foreign, `${foreign}x`]) {
      const answer = await mine.post('/admin/t/comments/delete', { token, key: '1' });
      assert.equal(answer.status, 403, token);
    }
    assert.equal((await mine.post('/admin/t/comments/delete', { key: '1' })).status, 403);
    assert.equal((await mine.post('/admin/logout', { token: foreign })).status, 403);
    assert.equal((await mine.get('/admin/t/comments/row/1')).status, 200);
  });

  test('from another origin does nothing, whatever it knows', async (t) => {
    const site = await startSite(t, { origins: ['https://admin.example.com'] });
    const client = await startClient(site);
    const { host } = new URL(site.url);
    const send = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const token = tokenOf(await client.get('/admin/t/comments/add'));
      const fields = { token, 'v.message_id': '1', 'v.text': 'x' };
      return (await client.post('/admin/t/comments/add', fields, headers)).status;
    };
    for (const origin of [
      'https://evil.example',
      'null',
      `http://${host}.evil.example`,
      `ftp://${host}`,
      'http://127.0.0.1',
      'https://admin.example.com:444',
    ]) {
      assert.equal(await send({ origin }), 403, origin);
    }
    assert.equal(await send({ 'sec-fetch-site': 'cross-site' }), 403);
    assert.equal(await send({ 'sec-fetch-site': 'same-site' }), 403);
    for (const headers of [
      { origin: `http://${host}` },
      { origin: 'https://admin.example.com' },
      { origin: 'https://behind.example', 'x-forwarded-host': 'behind.example' },
    ]) {
      assert.equal(await send(headers), 200, headers.origin);
    }
  });

  test('is nothing else: no JSON, no plain text, no broken parts', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const send = async (type: string, body: string): Promise<number> => {
      const headers = { 'content-type': type };
      return (await client.raw('/admin/t/comments/add', { method: 'POST', body, headers })).status;
    };
    assert.equal(await send('application/json', '{}'), 400);
    assert.equal(await send('text/plain', 'token=x'), 400);
    assert.equal(await send('multipart/form-data; boundary=x', 'no parts'), 400);
    assert.equal(await send('multipart/form-data', ''), 400);
  });

  test('larger than the site takes is not read to its end', async (t) => {
    const site = await startSite(t, { maxBodyBytes: 10_000 });
    const client = await startClient(site);
    const large = { 'v.text': 'x'.repeat(20_000) };
    assert.equal((await client.post('/admin/t/comments/add', large)).status, 413);
    const many = Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [String(i), '']));
    const other = await startSite(t);
    assert.equal((await (await startClient(other)).post('/admin/logout', many)).status, 413);
    // A length that nobody announced.
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('a=b&'.repeat(1000))),
    });
    const answer = await client
      .raw('/admin/t/comments/add', {
        method: 'POST',
        body: stream,
        duplex: 'half',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      .then(({ status }) => status)
      .catch(() => 'closed');
    assert.ok(answer === 413 || answer === 'closed', String(answer));
    assert.deepEqual(site.errors, []);
  });
});

describe('addresses', () => {
  test('beside the site, and those that lead out of it, are nothing', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    for (const path of [
      '/',
      '/adminx',
      '/admin/static/../package.json',
      '/admin/static/%2e%2e%2fpackage.json',
      '/admin/static/..%5cpackage.json',
      '/admin/static/toString',
      '/admin/static/__proto__',
      '/admin/t/%2e%2e/row/1',
      '/admin/t/__proto__',
      '/admin/t/constructor/row/1',
      '/admin/t/messages/row/1%00',
      '/admin/t/messages/row/1e3',
      '/admin/t/messages/row/01',
      '/admin/t/messages/row/@1',
      '/admin/t/messages/row/99999999999999999999',
      '/admin/t/messages/row/1,2',
      `/admin/t/messages/row/${'1'.repeat(5000)}`,
      '/admin/t/%ff',
      '/admin/t/~%ff',
    ]) {
      assert.equal((await client.raw(path)).status, 404, path.slice(0, 60));
    }
    assert.deepEqual(site.errors, []);
  });

  test('as they come from a socket do no harm either', async (t) => {
    const site = await startSite(t);
    const { port } = new URL(site.url);
    for (const line of [
      'GET /admin/static/../../package.json HTTP/1.1',
      'GET //evil.example/admin/ HTTP/1.1',
      'GET http://evil.example/admin/ HTTP/1.1',
      'GET /admin/%zz HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'TRACE /admin/ HTTP/1.1',
    ]) {
      const answer = await exchange(
        Number(port),
        `${line}\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 (?:303|40\d) /, line);
      assert.doesNotMatch(answer, /Location: (?!\/admin)/i, line);
    }
  });

  test('want a login, all but those of styles and of the login itself', async (t) => {
    const site = await startSite(t);
    const client = new Client(site.url);
    for (const path of [
      '/admin/',
      '/admin/history',
      '/admin/users',
      '/admin/users/add',
      '/admin/password',
      '/admin/node.json',
      '/admin/t/messages',
      '/admin/t/messages/add',
      '/admin/t/messages/structure',
      '/admin/t/messages/lookup?column=content&q=a',
      '/admin/t/messages/delete?key=1',
      '/admin/t/messages/row/1',
      '/admin/t/messages/row/1/history',
      '/admin/t/files/row/1/value/content',
      '/admin/t/nothing',
    ]) {
      const { status, headers } = await client.raw(path);
      assert.equal(status, 303, path);
      assert.match(headers.get('location')!, /^\/admin\/login\?next=/, path);
    }
    for (const path of ['/t/messages/add', '/t/messages/row/1', '/t/messages/delete', '/logout']) {
      const body = new URLSearchParams({ token: 'x', key: '1' });
      const { status, headers } = await client.raw(`/admin${path}`, { method: 'POST', body });
      assert.equal(status, 303, path);
      assert.equal(headers.get('location'), '/admin/login', path);
    }
  });
});

describe('values', () => {
  test('that are huge are neither listed nor put into forms as a whole', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      const sql = 'INSERT INTO files (id, name, content, details) VALUES (50, ?, zeroblob(?), ?)';
      database.prepare(sql).run('n'.repeat(3_000_000), 50_000_000n, 'd'.repeat(3_000_000));
    });
    for (const path of ['', '/row/50', '/delete?key=50', '?order=name', '?q=nnnn']) {
      const { status, text } = await client.get(`/admin/t/files${path}`);
      assert.equal(status, 200, path);
      assert.ok(text.length < 200_000, `${path}: ${text.length}`);
    }
    const form = await client.get('/admin/t/files/row/50');
    const fields = { seen: seenOf(form), 'v.anything': '1' };
    assert.match((await client.send('/admin/t/files/row/50', form, fields)).text, /was changed/);
    const sizes = site.connections.read((database) =>
      selectOne(
        database,
        'SELECT length(name) AS n, length(content) AS c FROM files WHERE id = 50',
      ),
    );
    assert.deepEqual(sizes, { n: 3_000_000, c: 50_000_000 });
  });
});

function exchange(port: number, sent: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    socket.write(sent);
  });
}
