// Takes the pictures of docs/admin.md anew, when the look of the site has changed:
//
//   node --conditions=@skein/source packages/admin/test/take-pictures.ts

import { join } from 'node:path';

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

import { FakeNode } from './test-node.ts';
import { PASSWORD, startSite, USERNAME } from './test-site.ts';

const FOLDER = join(import.meta.dirname, '../../../docs/images');

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly options: BrowserContextOptions;
  readonly prepare?: (page: Page) => Promise<void>;
}

const PICTURES: readonly Picture[] = [
  {
    name: 'admin-list',
    path: '/admin/t/messages?q=the&is.status=%3Dsent',
    options: { viewport: { width: 1240, height: 700 } },
    prepare: async (page) => {
      await page.locator('summary', { hasText: 'Filters' }).click();
      await page.getByLabel('Select row 116').check();
    },
  },
  {
    name: 'admin-row',
    path: '/admin/t/messages/row/1',
    options: { viewport: { width: 1140, height: 700 }, colorScheme: 'dark' },
  },
  {
    name: 'admin-phone',
    path: '/admin/t/messages',
    options: { viewport: { width: 390, height: 740 } },
  },
];

async function take(browser: Browser, url: string, picture: Picture): Promise<void> {
  const options = { ...picture.options, baseURL: url, reducedMotion: 'reduce' } as const;
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto('/admin/');
  await page.getByLabel('Username').fill(USERNAME);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.goto('/admin/t/messages/row/1');
  if ((await page.getByText('Last changes').count()) === 0) {
    await page.getByLabel('Priority').fill('2');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('status').waitFor();
  }
  await page.goto(picture.path);
  await picture.prepare?.(page);
  await page.screenshot({ path: join(FOLDER, `${picture.name}.png`) });
  await context.close();
}

const ends: (() => Promise<void>)[] = [];
const node = new FakeNode('node2', { role: 'primary' });
const site = await startSite({ after: (end) => void ends.push(end) }, { node, title: 'Messages' });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const picture of PICTURES) await take(browser, site.url, picture);
await browser.close();
for (const end of ends.toReversed()) await end();
