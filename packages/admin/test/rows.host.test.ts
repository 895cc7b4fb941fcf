// Rows: added, changed, deleted, with everything that a column can be.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { selectAll, selectOne } from '../src/database/handle.ts';
import { readLog } from '../src/store/history.ts';
import { keysOf, seenOf, startClient, startSite, type TestSite, tokenOf } from './test-site.ts';

function rowOf(site: TestSite, sql: string): Readonly<Record<string, unknown>> | undefined {
  return site.connections.read((database) => selectOne(database, sql));
}

describe('add', () => {
  test('writes a row, says so, and writes it into the history', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/t/messages/add');
    const list = await client.send('/admin/t/messages/add', form, {
      'v.content': 'Good\r\nmorning',
      'v.node_name': 'node1',
      'v.author_id': '2',
      'v.status': 'sent',
      'v.priority': '7',
      'v.created_at': '',
    });
    assert.equal(list.path, '/admin/t/messages');
    assert.match(list.text, /role="status"[^]*Messages 121 was added/);
    assert.doesNotMatch((await client.get('/admin/t/messages')).text, /was added/);
    const row = rowOf(site, 'SELECT * FROM messages WHERE id = 121')!;
    assert.equal(row['content'], 'Good\nmorning');
    assert.equal(row['author_id'], 2);
    assert.equal(row['priority'], 7);
    assert.match(String(row['created_at']), /^20\d\d-/, 'the default of the column');
    const [entry] = site.connections.read((database) => readLog(database, { max: 1 }));
    assert.equal(entry!.action, 'add');
    assert.equal(entry!.user, 'ada');
    assert.equal(entry!.key, '121');
    assert.deepEqual(
      entry!.changes.find(({ column }) => column === 'content'),
      { column: 'content', before: undefined, after: 'Good\nmorning' },
    );
  });

  test('tells each wrong field, keeps what was typed, and writes nothing', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/t/invoices/add');
    const again = await client.send('/admin/t/invoices/add', form, {
      'v.number': '2026/009',
      'v.author_id': '',
      'v.total': 'twelve',
      'v.paid_at': '1e3',
    });
    assert.equal(again.status, 422);
    assert.match(again.text, /value="2026\/009"/);
    assert.match(again.text, /value="twelve"[^>]*aria-invalid="true"/);
    for (const problem of [
      'This may not be empty',
      'This is no number',
      'This is no whole number',
    ]) {
      assert.ok(again.text.includes(problem), problem);
    }
    assert.equal(rowOf(site, 'SELECT count(*) AS n FROM invoices')!['n'], 2);
  });

  test('shows what the database refuses beside the field', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/t/authors/add');
    const again = await client.send('/admin/t/authors/add', form, {
      'v.name': 'Ada Lovelace',
      'v.is_active': '1',
    });
    assert.equal(again.status, 422);
    assert.match(again.text, /UNIQUE constraint failed: authors\.name/);
    assert.match(again.text, /There is a row with this value already/);
    const messages = await client.get('/admin/t/comments/add');
    const fields = { 'v.message_id': '9999', 'v.text': 'x' };
    const broken = await client.send('/admin/t/comments/add', messages, fields);
    assert.match(broken.text, /FOREIGN KEY constraint failed/);
    assert.equal(rowOf(site, 'SELECT count(*) AS n FROM comments')!['n'], 30);
  });

  test('takes an empty box for what the field says', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/t/authors/add');
    for (const [name, meaning] of [
      ['one', 'null'],
      ['two', 'text'],
    ]) {
      const fields = { 'v.name': name!, 'v.email': '', 'empty.email': meaning!, 'v.born': '' };
      await client.send('/admin/t/authors/add', form, fields);
    }
    const rows = site.connections.read((database) =>
      selectAll(
        database,
        "SELECT email, is_active, born FROM authors WHERE name IN ('one', 'two')",
      ),
    );
    // A switch that is off is not sent.
    assert.deepEqual(rows, [
      { email: null, is_active: 0, born: null },
      { email: '', is_active: 0, born: null },
    ]);
  });

  test('keeps all 64 bits of a number, and the type of a column without one', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const large = '9007199254740993';
    await client.send('/admin/t/files/add', await client.get('/admin/t/files/add'), {
      'v.id': large,
      'v.name': 'x',
      'v.anything': '9223372036854775807',
    });
    const row = rowOf(
      site,
      `SELECT CAST(anything AS TEXT) AS n, typeof(anything) AS t FROM files WHERE id = ${large}`,
    );
    assert.deepEqual(row, { n: '9223372036854775807', t: 'integer' });
    const page = await client.get(`/admin/t/files/row/${large}`);
    assert.ok(page.text.includes('9223372036854775807'));
    const wrong = await client.send('/admin/t/files/add', page, {
      'v.id': '9223372036854775808',
      'v.name': 'y',
    });
    assert.match(wrong.text, /The number is too large/);
  });
});

describe('change', () => {
  test('writes only what was changed, and shows before and after', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/t/messages/row/1');
    const done = await client.send('/admin/t/messages/row/1', form, {
      seen: seenOf(form),
      'v.content': 'Changed <b>',
      'v.author_id': '',
      afterwards: 'stay',
    });
    assert.equal(done.path, '/admin/t/messages/row/1');
    const row = rowOf(site, 'SELECT * FROM messages WHERE id = 1')!;
    assert.equal(row['content'], 'Changed <b>');
    assert.equal(row['author_id'], null);
    assert.equal(row['status'], 'draft');
    const history = await client.get('/admin/t/messages/row/1/history');
    assert.match(history.text, /class="before">The flock turns south tonight</);
    assert.match(history.text, /class="after">Changed &lt;b&gt;</);
    assert.match(history.text, /class="after"><span class="nothing">NULL</);
  });

  test('leaves values alone that a form cannot hold', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      database
        .prepare("INSERT INTO files (id, name, content, anything) VALUES (7, ?, x'00ff', ?)")
        .run('a\0b', 'line\n\nline ');
      database.prepare('INSERT INTO comments VALUES (700, 1, ?)').run('x'.repeat(70_000));
    });
    const before = rowOf(site, 'SELECT *, hex(name) AS h FROM files WHERE id = 7');
    const form = await client.get('/admin/t/files/row/7');
    await client.send('/admin/t/files/row/7', form, {
      seen: seenOf(form),
      'v.anything': 'line\r\n\r\nline ',
      'v.details': '',
      'empty.details': 'null',
    });
    assert.deepEqual(rowOf(site, 'SELECT *, hex(name) AS h FROM files WHERE id = 7'), before);
    const long = await client.get('/admin/t/comments/row/700');
    assert.match(long.text, /Too long to be edited here/);
    assert.doesNotMatch(long.text, /name="v\.text"/);
    const value = await client.get('/admin/t/comments/row/700/value/text');
    assert.equal(value.text.length, 70_000);
  });

  test('keeps a text that begins with an empty line', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      database.prepare('INSERT INTO comments VALUES (701, 1, ?)').run('\n\nthird line');
    });
    const { text } = await client.get('/admin/t/comments/row/701');
    const box = /<textarea[^>]*name="v\.text"[^>]*>([^]*?)<\/textarea/.exec(text)![1]!;
    // A browser takes off the first line break, and only that.
    assert.equal(box, '\n\n\nthird line');
  });

  test('is refused where somebody else was first, and shows both values', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/t/messages/row/1');
    const seen = seenOf(form);
    site.connections.write((database) => {
      database.exec("UPDATE messages SET content = 'Theirs', priority = 9 WHERE id = 1");
    });
    const fields = { 'v.content': 'Mine', 'v.priority': '0', 'v.node_name': 'node1' };
    const again = await client.send('/admin/t/messages/row/1', form, { seen, ...fields });
    assert.equal(again.status, 409);
    assert.match(again.text, /it has changed since you opened it/);
    assert.equal(rowOf(site, 'SELECT content FROM messages WHERE id = 1')!['content'], 'Theirs');
    const conflict = /class="card conflict"[^]*?<\/section>/.exec(again.text)![0];
    assert.match(conflict, /Theirs[^]*Mine/);
    assert.doesNotMatch(conflict, /Length/, 'what is computed follows');
    assert.match(conflict, />9<[^]*not changed/, 'nobody touched the priority in the form');
    // The form now has the values of the database where it was not touched.
    assert.match(again.text, /name="v\.priority"\s+value="9"/);
    const saved = await client.send('/admin/t/messages/row/1', again, {
      seen: seenOf(again),
      'v.content': 'Mine',
      'v.priority': '9',
    });
    assert.equal(saved.status, 200);
    const row = rowOf(site, 'SELECT content, priority FROM messages WHERE id = 1');
    assert.deepEqual(row, { content: 'Mine', priority: 9 });
  });

  test('refuses a form of a row that was not seen', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/t/messages/row/1');
    const fields = { 'v.content': 'Blind' };
    assert.equal((await client.send('/admin/t/messages/row/1', form, fields)).status, 409);
  });

  test('of a key moves the row', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const path = '/admin/t/translations/row/1,t-de';
    const form = await client.get(path);
    const moved = await client.send(path, form, {
      seen: seenOf(form),
      'v.language': 'de/AT',
      afterwards: 'stay',
    });
    assert.equal(moved.path, '/admin/t/translations/row/1,u-ZGUvQVQ');
    assert.equal((await client.get(path)).status, 404);
  });

  test('of a file takes it, shows its size, gives it back', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const form = await client.get('/admin/t/files/row/1');
    assert.match(form.text, /enctype="multipart\/form-data"/);
    const body = new FormData();
    body.set('token', tokenOf(form));
    body.set('seen', seenOf(form));
    body.set('v.content', new File([new Uint8Array([0, 1, 2, 255])], 'x.bin'));
    const answer = await client.raw('/admin/t/files/row/1', { method: 'POST', body });
    assert.equal(answer.status, 303);
    const blob = rowOf(site, 'SELECT hex(content) AS h FROM files WHERE id = 1')!;
    assert.equal(blob['h'], '000102FF');
    const file = await client.raw('/admin/t/files/row/1/value/content');
    assert.equal(file.headers.get('content-type'), 'application/octet-stream');
    assert.match(file.headers.get('content-disposition')!, /^attachment; /);
    const next = await client.get('/admin/t/files/row/1');
    await client.send('/admin/t/files/row/1', next, { seen: seenOf(next), 'clear.content': '1' });
    assert.equal(rowOf(site, 'SELECT content FROM files WHERE id = 1')!['content'], null);
  });
});

describe('delete', () => {
  test('shows what goes with a row before it goes', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const question = await client.get('/admin/t/messages/delete?key=1');
    assert.match(question.text, /<b>3 rows<\/b> of Comments[^]*?deleted too/);
    assert.match(question.text, /<b>1 row<\/b> of Translations[^]*?deleted too/);
    const done = await client.send('/admin/t/messages/delete', question, { key: '1' });
    assert.match(done.text, /1 row of Messages deleted/);
    const counts =
      'SELECT (SELECT count(*) FROM comments) AS c, (SELECT count(*) FROM translations) AS t';
    assert.deepEqual(rowOf(site, counts), { c: 27, t: 0 });
    const [entry] = site.connections.read((database) => readLog(database, { max: 1 }));
    assert.equal(entry!.action, 'delete');
    assert.equal(entry!.label, 'The flock turns south tonight');
    const further = entry!.changes.find(({ column }) => column === 'comments.message_id');
    assert.equal(further!.before, '3 rows');
  });

  test('is not offered where a reference forbids it, and refused where it is sent', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const question = await client.get('/admin/t/authors/delete?key=1');
    assert.match(question.text, /Rows of Invoices refer to them and have to go first/);
    assert.doesNotMatch(question.text, /<button type="submit" class="danger">/);
    const sent = await client.send('/admin/t/authors/delete', question, { key: '1' });
    assert.equal(sent.status, 409);
    assert.match(sent.text, /Nothing was deleted\. The database refused it/);
    assert.equal(rowOf(site, 'SELECT count(*) AS n FROM authors')!['n'], 5);
  });

  test('of many is all or nothing', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    const question = await client.get('/admin/t/authors/delete?key=3&key=1&key=4');
    const sent = await client.send('/admin/t/authors/delete', question, { key: ['3', '1', '4'] });
    assert.equal(sent.status, 409);
    assert.equal(rowOf(site, 'SELECT count(*) AS n FROM authors')!['n'], 5);
    const log = site.connections.read((database) => readLog(database, { max: 9 }));
    assert.deepEqual(log, [], 'nothing happened, so nothing is in the history');
    const two = await client.get('/admin/t/authors/delete?key=3&key=4');
    const done = await client.send('/admin/t/authors/delete', two, { key: ['3', '4'] });
    assert.match(done.text, /2 rows of Authors deleted/);
    assert.equal(keysOf(await client.get('/admin/t/authors')).length, 3);
    const orphans = rowOf(site, 'SELECT count(*) AS n FROM messages WHERE author_id IN (3, 4)');
    assert.equal(orphans!['n'], 0, 'ON DELETE SET NULL');
  });

  test('asks for nothing where nothing was chosen', async (t) => {
    const client = await startClient(await startSite(t));
    assert.equal((await client.get('/admin/t/authors/delete')).status, 400);
    assert.equal((await client.get('/admin/t/authors/delete?key=777')).status, 404);
  });
});
