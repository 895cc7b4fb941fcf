// The styles and the pages belong together: no rule is for nothing, no class is without a rule.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { requirePart } from '@skein/testkit';
import { chromium } from 'playwright-core';

import { callInPage } from './audit-page.ts';
import { FakeNode } from './test-node.ts';
import { type Client, seenOf, startClient, startSite } from './test-site.ts';

const PAGES = [
  '/admin/',
  '/admin/t/messages?q=the&is.status=%3Dsent',
  '/admin/t/authors',
  '/admin/t/files/row/1',
  '/admin/t/translations/row/1,t-de',
  '/admin/t/messages/row/1',
  '/admin/t/messages/row/2',
  '/admin/t/authors/delete?key=1',
  '/admin/t/messages/delete?key=1',
  '/admin/t/messages/structure',
  '/admin/history',
  '/admin/users',
  '/admin/password',
];

test('every rule of the styles is for something, and every class has a rule', async (t) => {
  if (!requirePart(t, 'chromium')) return;
  const node = new FakeNode('node1', { role: 'primary' });
  const site = await startSite(t, { node, readOnlyTables: ['translations'] });
  const client = await startClient(site);
  const texts = [...(await work(client)), ...(await look(client, node))];

  const args = ['--no-sandbox', '--disable-gpu'];
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${site.url}/admin/login`);
  const inspected = await callInPage(page, `inspectStyles(${JSON.stringify(texts)})`);
  assert.deepEqual(inspected, { idle: [], unstyled: [] });
});

/** Pages that answer to what was done, and leave something to see in the history. */
async function work(client: Client): Promise<string[]> {
  const row = '/admin/t/messages/row/1';
  const form = await client.get(row);
  const send = (content: string): ReturnType<Client['send']> =>
    client.send(row, form, { seen: seenOf(form), 'v.content': content, 'v.priority': '1' });
  const saved = await send('Mine');
  const conflict = await send('Theirs');
  const add = await client.get('/admin/t/messages/add');
  const refused = await client.send('/admin/t/messages/add', add, { 'v.priority': 'many' });
  await client.send('/admin/t/comments/add', add, { 'v.message_id': '1', 'v.text': 'New' });
  await client.send('/admin/t/comments/delete', add, { key: '1' });
  const password = 'correct horse battery';
  const user = { username: 'grace', email: '', password, repeat: password };
  await client.send('/admin/users/add', add, user);
  return [saved, conflict, refused].map(({ text }) => text);
}

async function look(client: Client, node: FakeNode): Promise<string[]> {
  const texts: string[] = [];
  for (const path of PAGES) texts.push((await client.get(path)).text);
  for (const role of ['replica', 'no-primary', 'fenced'] as const) {
    node.told = { role };
    texts.push((await client.get('/admin/')).text);
  }
  client.cookies.clear();
  texts.push((await client.get('/admin/')).text);
  return texts;
}
