// The web page in a real Chromium, on a real server.

import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

import { buildConsole, hasPart, requirePart } from '@skein/testkit';

import { createRealEngine } from './real-engine.ts';
import { startTestServer } from './test-server.ts';

const WAIT_MS = 60_000;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

describe('The web page', () => {
  const ends: (() => Promise<void>)[] = [];
  const suite = { after: (end: () => Promise<void>) => void ends.push(end) };
  let browser: Browser;
  let pageFolder = '';
  /** Of all tests but one. */
  let url = '';

  before(async () => {
    if (!hasPart('chromium')) return;
    pageFolder = await buildConsole();
    const server = await startTestServer(suite, await createRealEngine(suite), { pageFolder });
    const { status } = await server.query(
      'CREATE TABLE weather AS SELECT i AS hour, 20 - i % 9 AS temp FROM range(100000) r(i)',
    );
    assert.equal(status, 200);
    url = server.url;
    const args = ['--no-sandbox', '--disable-gpu'];
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  });

  after(async () => {
    await browser?.close();
    for (const end of ends.toReversed()) await end();
  });

  /** What the page complains of in the browser's console is an error of the test. */
  async function open(
    t: TestContext,
    address: string,
    options: Parameters<Browser['newPage']>[0] = { viewport: DESKTOP },
  ): Promise<Page> {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(WAIT_MS);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // Refusals are what some tests are about.
      if (message.type() === 'error' && !message.text().includes('status of 4')) {
        complaints.push(message.text());
      }
    });
    t.after(async () => {
      await page.close();
      assert.deepEqual(complaints, []);
    });
    await page.goto(address);
    return page;
  }

  async function write(page: Page, sql: string): Promise<void> {
    await page.click('.cm-content');
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(sql);
  }

  async function status(page: Page, pattern: RegExp): Promise<string> {
    await page.locator('#status', { hasText: pattern }).waitFor();
    return (await page.textContent('#status'))!;
  }

  async function run(page: Page, sql: string): Promise<string> {
    await write(page, sql);
    await page.keyboard.press('Control+Enter');
    return status(page, /row|Failed/);
  }

  async function cells(page: Page): Promise<string[]> {
    return page.locator('.rows .row:first-child .cell').allTextContents();
  }

  test('runs what is in the editor and shows rows, time, bytes and the cache', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const page = await open(t, url);
    const query = "SELECT max(temp) AS top, NULL AS nothing, '<b>x</b>' AS html FROM weather";
    const first = await run(page, query);
    assert.match(first, /^1 row · .* ms · .* in the server · \d+ B read · not from the cache$/);
    assert.deepEqual(await cells(page), ['20', '∅', '<b>x</b>']);
    await page.click('#run');
    await status(page, /· from the cache/);
    assert.match(
      (await page.textContent('#tally'))!,
      /^1 of 2 results from the cache · \d+ B read/,
    );
  });

  test('scrolls through many rows with few in the document, and is bounded', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const page = await open(t, url);
    assert.match(await run(page, 'SELECT * FROM weather ORDER BY hour'), /^the first 50,000 rows/);
    const rows = page.locator('.rows .row');
    assert((await rows.count()) < 100);
    await page.locator('#table').evaluate((table) => table.scrollTo(0, table.scrollHeight));
    await page.locator('.rows', { hasText: '49999' }).waitFor();
    assert((await rows.count()) < 100);
    await page.locator('.head .cell').nth(1).click();
    await page.locator('#table').evaluate((table) => table.scrollTo(0, 0));
    await page.locator('.rows .row:first-child .cell:nth-child(2)', { hasText: '12' }).waitFor();
  });

  test('cancels a query, and the server ends it', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const page = await open(t, url);
    const endless = 'SELECT sum(sqrt(a.i * b.i)) FROM range(10000000) a(i), range(100000) b(i)';
    await write(page, endless);
    await page.click('#run');
    await status(page, /Running/);
    await page.click('#cancel');
    await status(page, /^Cancelled$/);
    await page.locator('#run:enabled').waitFor();
    // The node is free for the next one.
    assert.match(await run(page, 'SELECT 1 AS one'), /^1 row/);
  });

  test('says what is wrong with a query', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const page = await open(t, url);
    await run(page, 'SELECT nope FROM weather');
    assert.match((await page.textContent('#error'))!, /nope/);
    await run(page, 'SELECT 1 AS one');
    assert(await page.locator('#error').isHidden());
  });

  test('lists tables and their columns, and completes their names', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const page = await open(t, url);
    await page.click('.item summary');
    assert.match((await page.textContent('.columns'))!, /hour.*temp/);
    await page.click('.item button:has-text("Show")');
    await status(page, /^100 rows/);
    await write(page, '');
    await page.keyboard.type('SELECT * FROM wea');
    await page.waitForSelector('.cm-tooltip-autocomplete :text("weather")');
    // It takes a moment until Enter belongs to the list.
    await page.waitForTimeout(200);
    await page.keyboard.press('Enter');
    assert.match((await page.textContent('.cm-content'))!, /FROM weather$/);
  });

  test('draws a chart of numbers over an axis', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const page = await open(t, url);
    await run(page, 'SELECT hour, temp FROM weather WHERE hour < 100 ORDER BY hour');
    await page.click('#chart-tab');
    await page.waitForSelector('#chart canvas');
    assert.match((await page.textContent('.u-legend'))!, /hour.*temp/s);
    await page.waitForFunction(`(() => {
      const canvas = document.querySelector('#chart canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    })()`);
    await run(page, "SELECT 'only text' AS t");
    await page.locator('#chart', { hasText: 'needs rows' }).waitFor();
  });

  test('remembers what was run, in this browser', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const page = await open(t, url);
    await run(page, 'SELECT 1 AS first');
    await run(page, 'SELECT 2 AS second');
    await page.reload();
    assert.match((await page.textContent('.cm-content'))!, /second/);
    await page.click('#history-tab');
    assert.match((await page.locator('.past').first().textContent())!, /second.*1 row/);
    await page.locator('.past').nth(1).click();
    assert.match((await page.textContent('.cm-content'))!, /first/);
    await page.click('text=Forget all');
    assert.equal(await page.locator('.past').count(), 0);
  });

  test('asks for the password when one is needed', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    // Of "password".
    const sha256 = '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8';
    const engine = await createRealEngine(t);
    const access = { read: { sha256 }, write: { sha256 } };
    const server = await startTestServer(t, engine, { pageFolder, access });
    const page = await open(t, server.url);
    await page.fill('#password', 'wrong');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#password-dialog[open]');
    await page.fill('#password', 'password');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#password-dialog', { state: 'hidden' });
    assert.match(await run(page, 'SELECT 1 AS one'), /^1 row/);
  });

  test('fits a phone, with its lists in a drawer', async (t) => {
    if (!requirePart(t, 'chromium')) return;
    const options = { viewport: PHONE, isMobile: true, hasTouch: true };
    const page = await open(t, url, options);
    assert.match(await run(page, 'SELECT * FROM weather LIMIT 5'), /^5 rows/);
    const scrollWidth = await page.evaluate<number>('document.documentElement.scrollWidth');
    const { height: runHeight } = (await page.locator('#run').boundingBox())!;
    assert.equal(scrollWidth, PHONE.width);
    assert(runHeight >= 40, 'A button is large enough for a finger');
    assert(await page.locator('#drawer').isHidden());
    await page.tap('#drawer-toggle');
    await page.tap('.item summary');
    await page.tap('.item button:has-text("Show")');
    await status(page, /^100 rows/);
    assert(await page.locator('#drawer').isHidden());
  });
});
