// What a page must be for people who cannot see it, or not well, or have no mouse: looked at in the
// browser itself, as it computes names, colours and widths (WCAG 2.2, level AA, the parts of it
// that a program can decide).

import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';

/** What is wrong, each in a few words; empty for a good page. */
export async function auditPage(page: Page): Promise<string[]> {
  return [
    ...(await auditNames(page)),
    ...(await callInPage<string[]>(page, 'auditDocument()')),
    ...(await callInPage<string[]>(page, 'auditContrast()')),
  ];
}

const NAMED_ROLES: ReadonlySet<string> = new Set([
  'button',
  'checkbox',
  'combobox',
  'link',
  'searchbox',
  'switch',
  'textbox',
  'Date',
  'navigation',
  'image',
]);

interface AccessibleNode {
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
  readonly properties?: readonly { readonly name: string }[];
}

/** Whatever can be used has a name. */
async function auditNames(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const tree = (await session.send('Accessibility.getFullAXTree')) as unknown as {
    readonly nodes: readonly AccessibleNode[];
  };
  await session.detach();
  return tree.nodes
    .filter(({ ignored, role }) => !ignored && role !== undefined && NAMED_ROLES.has(role.value))
    .filter(({ name }) => (name?.value ?? '').trim() === '')
    .map(({ role }) => `a ${role!.value} without a name`);
}

const IN_PAGE = readFileSync(new URL('in-page.js', import.meta.url), 'utf8');

/** Evaluates a call of a function of in-page.js. */
export function callInPage<T>(page: Page, call: string): Promise<T> {
  return page.evaluate<T>(`(() => { ${IN_PAGE}; return inPage.${call}; })()`);
}
