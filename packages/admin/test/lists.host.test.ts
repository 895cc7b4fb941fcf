// Lists: what they find, in which order, page by page, in tables of any kind and size.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { tempDir } from '@skein/testkit';
import Database from 'better-sqlite3';

import { type Client, keysOf, linkOf, startClient, startSite } from './test-site.ts';

describe('a list', () => {
  test('shows tables and views, and not those of the site', async (t) => {
    const client = await startClient(await startSite(t));
    const { text } = await client.get('/admin/');
    for (const name of ['Authors', 'Messages', 'Invoices', 'Busy authors']) {
      assert.ok(text.includes(name), name);
    }
    assert.doesNotMatch(text, /skein_admin_(?:user|session|log|meta)/);
    assert.equal((await client.get('/admin/t/skein_admin_user')).status, 404);
    assert.equal((await client.get('/admin/t/sqlite_schema')).status, 404);
  });

  test('finds rows that contain all words, and the one of a number', async (t) => {
    const client = await startClient(await startSite(t));
    const flock = await client.get('/admin/t/messages?q=south+FLOCK');
    assert.equal(keysOf(flock).length, 18);
    assert.deepEqual(keysOf(await client.get('/admin/t/messages?q=117')), ['117']);
    assert.deepEqual(keysOf(await client.get('/admin/t/messages?q=nothing+like+it')), []);
  });

  test('takes the signs of LIKE as they are', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      database.exec(`INSERT INTO comments VALUES (900, 1, '100% sure'), (901, 1, 'a_b'),
        (902, 1, 'back\\slash')`);
    });
    const find = async (q: string): Promise<string[]> =>
      keysOf(await client.get(`/admin/t/comments?q=${encodeURIComponent(q)}`));
    assert.deepEqual(await find('0% s'), ['900']);
    assert.deepEqual(await find('%'), ['900']);
    assert.deepEqual(await find('_'), ['901']);
    assert.deepEqual(await find('\\'), ['902']);
  });

  test('is filtered by value, by NULL, by moments', async (t) => {
    const nowMs = Date.UTC(2026, 9, 20, 12);
    const client = await startClient(await startSite(t, { now: () => nowMs }));
    const count = async (query: string): Promise<number> => {
      const { text } = await client.get(`/admin/t/messages?${query}`);
      return Number(/· (\d+) rows?</.exec(text)![1]);
    };
    assert.equal(await count('is.status=%3Dsent'), 40);
    assert.equal(await count('is.author_id=1'), 20);
    assert.equal(await count('is.author_id=~null'), 20);
    assert.equal(await count('is.author_id=~set'), 100);
    assert.equal(await count('in.created_at=today'), 4);
    assert.equal(await count('in.created_at=week'), 28);
    assert.equal(await count('in.created_at=year'), 120);
    assert.equal(await count('from.created_at=2026-10-27'), 8);
    assert.equal(await count('to.created_at=2026-10-01'), 5);
    assert.equal(await count('is.status=%3Dsent&is.author_id=1&in.created_at=month'), 8);
    // Empty fields of the form say nothing.
    assert.equal(await count('q=&is.status=&from.created_at='), 120);
  });

  test('offers filters for references, flags, moments and few values', async (t) => {
    const client = await startClient(await startSite(t));
    const { text } = await client.get('/admin/t/messages');
    assert.match(text, /<select[^>]*name="is\.author_id"[^]*?Ada Lovelace/);
    assert.match(text, /name="is\.status"[^]*?<option value="=draft"/);
    assert.match(text, /name="in\.created_at"/);
    const authors = (await client.get('/admin/t/authors')).text;
    assert.match(authors, /name="is\.is_active"/);
    assert.doesNotMatch(authors, /name="is\.name"/, 'every row has its own');
  });

  test('is ordered by any column, and back', async (t) => {
    const client = await startClient(await startSite(t));
    const up = await client.get('/admin/t/authors?order=name');
    assert.deepEqual(keysOf(up), ['1', '4', '3', '2', '5']);
    assert.match(up.text, /aria-sort="ascending"/);
    const down = await client.get(linkOf(up, 'Name')!);
    assert.deepEqual(keysOf(down), ['5', '2', '3', '4', '1']);
    assert.match(down.text, /aria-sort="descending"/);
  });

  test('shows the columns that are chosen', async (t) => {
    const client = await startClient(await startSite(t));
    const { text } = await client.get('/admin/t/messages?col=status&col=length&col=nonsense');
    const heads = [...text.matchAll(/title="(\w+)"\s*>/g)].map(([, name]) => name);
    assert.deepEqual(
      heads.filter((name) => name !== undefined && /status|length|content|id/.test(name)),
      ['status', 'length'],
    );
  });

  test('calls referenced rows by their names', async (t) => {
    const client = await startClient(await startSite(t));
    const page = await client.get('/admin/t/invoices');
    assert.deepEqual(keysOf(page), ['u-MjAyNi8wMDE', 'u-MjAyNi8wMDI']);
    const href = linkOf(page, 'Ada Lovelace')!;
    assert.deepEqual(keysOf(await client.get(href)), ['1']);
  });

  test('tells NULL from the empty text', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      database.exec(
        "INSERT INTO authors (id, name, email) VALUES (8, 'Nil', NULL), (9, 'Emp', '')",
      );
    });
    const cellOf = (text: string): string =>
      /data-label="Email"[^>]*>\s*<div>([^]*?)<\/div>/.exec(text)![1]!;
    assert.match(cellOf((await client.get('/admin/t/authors?q=Nil')).text), />NULL</);
    assert.match(cellOf((await client.get('/admin/t/authors?q=Emp')).text), />empty</);
  });

  test('of a view is read only', async (t) => {
    const client = await startClient(await startSite(t));
    const { text } = await client.get('/admin/t/busy_authors?order=messages&dir=desc');
    assert.match(text, /read only/);
    assert.doesNotMatch(text, /name="key"/);
    assert.equal((await client.get('/admin/t/busy_authors/add')).status, 400);
  });
});

/** Follows the links of the pager; returns the keys that were seen. */
async function pageThrough(client: Client, path: string, label: string): Promise<string[]> {
  const seen: string[] = [];
  for (let at: string | undefined = path; at !== undefined;) {
    const page = await client.get(at);
    const keys = keysOf(page);
    if (label === 'Next') seen.push(...keys);
    else seen.unshift(...keys);
    at = linkOf(page, label);
  }
  return seen;
}

describe('pages', () => {
  test('have every row once, forward and back, also where values repeat or are NULL', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    for (const query of ['', 'order=author_id', 'order=author_id&dir=desc', 'order=status']) {
      const path = `/admin/t/messages?${query}`;
      const forward = await pageThrough(client, path, 'Next');
      assert.equal(new Set(forward).size, 120, query);
      assert.equal(forward.length, 120, query);
      const end = forward.at(-1)!;
      const back = await pageThrough(client, `${path}&before=${end}`, 'Previous');
      assert.deepEqual(back, forward.slice(0, -1), query);
    }
  });

  test('go on after a row that was deleted from the beginning', async (t) => {
    const client = await startClient(await startSite(t));
    const page = await client.get('/admin/t/messages?after=99999');
    assert.equal(keysOf(page)[0], '120');
  });

  test('of a table with a key of two columns', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      database.exec(`INSERT INTO translations SELECT id, l, 'x' FROM messages,
        (SELECT 'fr' AS l UNION SELECT 'sv-SE') WHERE id <= 60`);
    });
    const seen = await pageThrough(client, '/admin/t/translations', 'Next');
    assert.equal(seen.length, 121);
    assert.equal(new Set(seen).size, 121);
    assert.equal(seen[0], '1,t-de');
    assert.equal(seen[1], '1,t-fr');
    assert.equal(seen[2], '1,t-sv-SE');
  });

  test('of a view are numbered', async (t) => {
    const site = await startSite(t);
    const client = await startClient(site);
    site.connections.write((database) => {
      database.exec('CREATE VIEW all_messages AS SELECT id FROM messages');
    });
    let page = await client.get('/admin/t/all_messages?order=id');
    const seen: string[] = [];
    for (let i = 0; i < 3; i++) {
      seen.push(...[...page.text.matchAll(/<span class="number">(\d+)</g)].map(([, id]) => id!));
      const next = linkOf(page, 'Next');
      if (next !== undefined) page = await client.get(next);
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 120 }, (_, i) => String(i + 1)),
    );
  });

  test('of a million rows read no more than a page of them', async (t) => {
    const path = join(tempDir(t), 'large.db');
    const database = new Database(path);
    database.exec(`
      CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL);
      CREATE INDEX events_at ON events (at);
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
      INSERT INTO events SELECT i, 'k' || (i % 5), 1700000000 + (i * 7919) % 1000000 FROM n`);
    const client = await startClient(await startSite(t, { path }));
    assert.equal(keysOf(await client.get('/admin/t/events'))[0], '1000000');
    assert.match((await client.get('/admin/t/events')).text, /more than 100,000 rows/);
    const last = await client.get('/admin/t/events?order=id&after=999940');
    assert.deepEqual(keysOf(last).length, 50);
    assert.equal(keysOf(last)[0], '999941');
    // In an order that an index has, from the middle: SQLite searches, and sorts nothing.
    const plan = database
      .prepare(
        `EXPLAIN QUERY PLAN SELECT * FROM events
         WHERE (at <= (SELECT at FROM events WHERE id = 5)) AND
           (at < (SELECT at FROM events WHERE id = 5) OR (id) < (5))
         ORDER BY at DESC, id DESC LIMIT 51`,
      )
      .all() as { readonly detail: string }[];
    database.close();
    assert.match(plan.map(({ detail }) => detail).join(), /SEARCH events USING INDEX events_at/);
    assert.doesNotMatch(plan.map(({ detail }) => detail).join(), /TEMP B-TREE/);
    const middle = await client.get('/admin/t/events?order=at&dir=desc&after=500000');
    assert.equal(keysOf(middle).length, 50);
    const back = await client.get(`/admin/t/events?order=at&dir=desc&before=${keysOf(middle)[0]}`);
    assert.equal(keysOf(back).at(-1), '500000');
  });
});
