// The site in a real Chromium: with a mouse, with a keyboard alone, on a phone, without scripts,
// and as readers of a screen find it.

import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';

import { hasPart, onTestEnd, requirePart } from '@skein/testkit';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';

import { auditPage, callInPage } from './audit-page.ts';
import { FakeNode } from './test-node.ts';
import { PASSWORD, type SiteSetup, startSite, type TestSite, USERNAME } from './test-site.ts';

const WAIT_MS = 60_000;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** Every kind of page. */
const PAGES = [
  '/admin/',
  '/admin/t/messages',
  '/admin/t/messages?q=the&is.status=%3Dsent&order=created_at',
  '/admin/t/files',
  '/admin/t/busy_authors',
  '/admin/t/messages/add',
  '/admin/t/messages/row/1',
  '/admin/t/files/row/1',
  '/admin/t/translations/row/1,t-de',
  '/admin/t/messages/row/1/history',
  '/admin/t/authors/delete?key=1',
  '/admin/t/messages/delete?key=1&key=2',
  '/admin/t/messages/structure',
  '/admin/history',
  '/admin/users',
  '/admin/users/add',
  '/admin/password',
  '/admin/nothing',
];

describe('in Chromium', () => {
  let browser: Browser;

  before(async () => {
    if (!hasPart('chromium')) return;
    const args = ['--no-sandbox', '--disable-gpu'];
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  });

  after(async () => {
    await browser?.close();
  });

  /** What the page complains of, a broken policy among it, is an error of the test. */
  async function open(
    t: TestContext,
    site: TestSite,
    options: BrowserContextOptions = {},
  ): Promise<Page> {
    const context = await browser.newContext({ viewport: DESKTOP, baseURL: site.url, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // Refusals are what some tests are about.
      if (message.type() === 'error' && !message.text().includes('status of 4')) {
        complaints.push(message.text());
      }
    });
    // Before the site ends, of which an open page would complain.
    onTestEnd(t, async () => {
      await context.close();
      assert.deepEqual(complaints, []);
    });
    return page;
  }

  async function logIn(page: Page): Promise<void> {
    await page.goto('/admin/');
    await page.getByLabel('Username').fill(USERNAME);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { level: 1, name: 'db.sqlite3' }).waitFor();
    // Its scripts have run.
    await page.waitForLoadState('load');
  }

  async function start(
    t: TestContext,
    options: BrowserContextOptions = {},
    setup: SiteSetup = {},
  ): Promise<{ readonly site: TestSite; readonly page: Page }> {
    const site = await startSite(t, setup);
    const page = await open(t, site, options);
    await logIn(page);
    return { site, page };
  }

  for (const javaScriptEnabled of [true, false]) {
    test(`everything works ${javaScriptEnabled ? 'with' : 'without'} scripts`, async (t) => {
      if (!requirePart(t, 'chromium')) return;
      const { page } = await start(t, { javaScriptEnabled });
      await page.getByRole('navigation', { name: 'Tables' }).getByText('Messages').click();
      await page.getByRole('searchbox', { name: 'Search' }).fill('boat house');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByText('17 rows').waitFor();
      await page.waitForLoadState('load');
      await page.locator('summary', { hasText: 'Filters' }).click();
      await page.getByRole('combobox', { name: 'Status' }).selectOption('draft');
      if (!javaScriptEnabled) await page.getByRole('button', { name: 'Apply' }).first().click();
      await page.getByText('5 rows').waitFor();
      await page.getByRole('link', { name: 'Search: boat house remove' }).click();
      await page.getByText('40 rows').waitFor();
      await page.getByRole('columnheader', { name: 'Priority' }).getByRole('link').click();
      await page.locator('th[aria-sort="ascending"]', { hasText: 'Priority' }).waitFor();

      await page.getByRole('link', { name: 'Add', exact: true }).click();
      await page.getByLabel('Content').fill('From the browser');
      await page.getByLabel('Node name', { exact: true }).fill('node1');
      await page.getByLabel('Author id').selectOption('Grace Hopper (2)');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('status').getByText('Messages 121 was added').waitFor();

      await page.getByRole('link', { name: '121', exact: true }).click();
      await page.getByLabel('Priority').fill('many');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('alert').getByText('This is no whole number').waitFor();
      await page.getByLabel('Priority').fill('3');
      await page.getByRole('button', { name: 'Save and continue' }).click();
      await page.getByRole('status').getByText('was changed').waitFor();

      await page.getByRole('link', { name: 'History' }).last().click();
      await page.getByText('priority', { exact: true }).first().click();
      const changes = page.getByRole('table').first();
      await changes.getByRole('cell', { name: '3', exact: true }).waitFor();

      await page.goto('/admin/t/messages');
      await page.getByLabel('Select row 121').check();
      await page.getByLabel('Select row 120').check();
      await page.getByRole('button', { name: /Delete selected/ }).click();
      await page.getByRole('heading', { name: 'Delete 2 rows' }).waitFor();
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('status').getByText('2 rows of Messages deleted').waitFor();

      await page.locator('summary', { hasText: USERNAME }).click();
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Password').waitFor();
    });
  }

  test('a keyboard is enough', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const site = await startSite(t);
    const page = await open(t, site);
    const press = async (...keys: readonly string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = async (): Promise<string> =>
      ((await page.locator(':focus').textContent()) ?? '').trim();
    // Keys go where the focus is: a page that is half there has it nowhere, and no scripts yet.
    const arrive = async (found: Locator): Promise<void> => {
      await found.waitFor();
      await page.waitForLoadState('load');
    };
    await page.goto('/admin/');
    // The first box has the focus, as soon as the page is drawn.
    await page.locator('input[name="username"]:focus').waitFor();
    await page.keyboard.type(USERNAME);
    await press('Tab');
    await page.keyboard.type(PASSWORD);
    await press('Enter');
    await arrive(page.getByRole('heading', { level: 1, name: 'db.sqlite3' }));
    await press('Tab');
    assert.equal(await focused(), 'Skip to content');
    assert.ok(await page.getByText('Skip to content').isVisible());
    await press('Enter');
    await page.locator('main:target').waitFor();
    await press('Tab');
    assert.equal(await focused(), 'Authors', 'the first link of the content');
    await press('Enter');
    await arrive(page.getByRole('heading', { level: 1, name: 'Authors' }));
    await page.getByRole('link', { name: 'Add', exact: true }).focus();
    await press('Enter');
    await arrive(page.getByRole('heading', { level: 1, name: 'Add' }));
    await page.getByLabel('Name').focus();
    await page.keyboard.type('Margaret Hamilton');
    await press('Enter');
    await arrive(page.getByRole('status').getByText('was added'));
    // A menu opens, is walked through, and closes.
    const menu = page.locator('details', { hasText: USERNAME });
    await menu.locator('summary').focus();
    await press('Enter', 'Tab');
    assert.equal(await focused(), 'Change password');
    await press('Escape');
    assert.equal(await menu.getAttribute('open'), null);
    assert.equal(await focused(), USERNAME);
    // What has the focus can be seen to have it.
    assert.ok(await callInPage<boolean>(page, 'hasFocusRing()'));
  });

  // Colours do not depend on the width, nor widths on the colours.
  for (const [colorScheme, viewport] of [
    ['light', DESKTOP],
    ['dark', PHONE],
  ] as const) {
    test(`pages are good for everybody: ${colorScheme}, ${viewport.width} wide`, async (t) => {
      if (!requirePart(t, 'chromium')) return;
      const node = new FakeNode('node1', { role: 'primary' });
      const { page } = await start(t, { colorScheme, viewport }, { node });
      for (const path of PAGES) {
        await page.goto(path);
        for (const fold of await page.locator('details:not(.menu) > summary').all()) {
          if (await fold.isVisible()) await fold.click();
        }
        assert.deepEqual(await auditPage(page), [], path);
      }
      await page.goto('/admin/t/invoices/add');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('alert').waitFor();
      assert.deepEqual(await auditPage(page), [], 'a form with problems');
      node.told = { role: 'fenced' };
      await page.goto('/admin/');
      assert.deepEqual(await auditPage(page), [], 'a node that nobody may write on');
      await page.context().clearCookies();
      await page.goto('/admin/');
      assert.deepEqual(await auditPage(page), [], 'the login');
    });
  }

  test('the audit finds what is wrong', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const { page } = await start(t);
    await callInPage(page, 'spoilPage()');
    const found = (await auditPage(page)).join('\n');
    for (const problem of [
      /no label: bare/,
      /contrast 1\.\d+ of "faint"/,
      /a link without a name/,
      /ids that come twice: side/,
      /pixels wider/,
    ]) {
      assert.match(found, problem);
    }
  });

  for (const [system, chosen] of [
    ['light', 'dark'],
    ['dark', 'light'],
  ] as const) {
    test(`the theme is ${system} as the system's, until ${chosen} is chosen`, async (t) => {
      if (!requirePart(t, 'chromium')) return;
      const { page } = await start(t, { colorScheme: system });
      const theme = async (): Promise<string> => {
        const [red] = await callInPage<number[]>(page, 'backgroundOf(document.body)');
        return red! > 127 ? 'light' : 'dark';
      };
      assert.equal(await theme(), system);
      await page.getByRole('button', { name: 'Switch between light and dark' }).click();
      assert.equal(await theme(), chosen);
      await page.goto('/admin/history');
      assert.equal(await theme(), chosen);
    });
  }

  test('a page that stays open follows its node', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const node = new FakeNode('node1', { role: 'primary' });
    const { page } = await start(t, {}, { node });
    await page.locator('[data-node-role]', { hasText: 'primary' }).waitFor();
    node.told = { role: 'replica', primary: { name: 'node7' } };
    await page.locator('[data-node-role]', { hasText: 'replica of node7' }).waitFor();
    await page.locator('.dot.replica').waitFor();
  });

  test('a row among many is found by what it is called', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const { page, site } = await start(t);
    site.connections.write((database) => {
      database.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
        INSERT INTO authors (name) SELECT 'Author ' || i FROM n`);
    });
    await page.goto('/admin/t/messages/row/1');
    await page.getByText('Now: Ada Lovelace').waitFor();
    const box = page.getByLabel('Author id', { exact: true });
    await box.fill('Author 19');
    const value = await page.locator('datalist option[label^="Author 199"]').getAttribute('value');
    await box.fill(value!);
    await page.getByRole('button', { name: 'Save and continue' }).click();
    await page.getByText('Now: Author 199').waitFor();
  });

  test('a form that was changed is not left without a word', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const { page } = await start(t);
    await page.goto('/admin/t/comments/row/1');
    await page.getByLabel('Text', { exact: true }).fill('half written');
    const asked = page.waitForEvent('dialog');
    const left = page.getByRole('link', { name: 'Overview' }).first().click();
    const dialog = await asked;
    assert.equal(dialog.type(), 'beforeunload');
    await dialog.accept();
    await left;
    await page.getByRole('heading', { level: 1, name: 'db.sqlite3' }).waitFor();
  });
});
