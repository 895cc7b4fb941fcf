// A site on a server of its own, and a browser without a screen: a client that keeps cookies, sends
// forms from pages that it has seen, and goes where it is sent.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { onTestEnd, tempDir, type TestScope } from '@skein/testkit';

import { hashPassword, type ScryptParameters } from '../src/auth/password.ts';
import { Connections } from '../src/database/handle.ts';
import type { AdminOptions } from '../src/options.ts';
import { adminSite } from '../src/site.ts';
import { createOwnTables } from '../src/store/own-tables.ts';
import { tryCreateUser } from '../src/store/users.ts';
import { createShopDatabase } from './shop-database.ts';

/** A password is checked in a few milliseconds. */
export const CHEAP_SCRYPT: ScryptParameters = { cost: 16, blockSize: 8, parallelization: 1 };

export const USERNAME = 'ada';
export const PASSWORD = 'correct horse battery';

export interface TestSite {
  /** Of the server, without a slash at its end. */
  readonly url: string;
  /** Of the database. */
  readonly path: string;
  readonly connections: Connections;
  /** What the site could not answer. */
  readonly errors: unknown[];
}

export type SiteSetup = Partial<AdminOptions> & {
  /** Default: the shop. */
  readonly path?: string;
  readonly hasUser?: boolean;
};

export async function startSite(t: TestScope, setup: SiteSetup = {}): Promise<TestSite> {
  const { path = createShopDatabase(tempDir(t)), hasUser = true, ...options } = setup;
  const connections = new Connections(path);
  if (hasUser) await createUser(connections, USERNAME, PASSWORD);
  const errors: unknown[] = [];
  const site = adminSite({
    database: path,
    scrypt: CHEAP_SCRYPT,
    onError: (error) => errors.push(error),
    ...options,
  });
  const server = createServer((request, response) => site.handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(t, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, path, connections, errors };
}

export async function createUser(
  connections: Connections,
  username: string,
  password: string,
): Promise<void> {
  const hash = await hashPassword(password, CHEAP_SCRYPT);
  connections.write((database) => {
    createOwnTables(database);
    tryCreateUser(database, { username, email: '', password: hash, nowMs: Date.now() });
  });
}

export interface Page {
  readonly status: number;
  /** Where it came from in the end: path and query. */
  readonly path: string;
  readonly text: string;
  readonly headers: Headers;
}

type Fields = Readonly<Record<string, string | readonly string[]>>;

export class Client {
  readonly #url: string;
  readonly cookies = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.#send(path, { headers }, true);
  }

  /** Exactly one request. */
  async raw(path: string, init: RequestInit = {}): Promise<Page> {
    return this.#send(path, init, false);
  }

  /** Sends a form that was on a page, with the token that was in it. */
  async send(path: string, page: Page, fields: Fields): Promise<Page> {
    return this.post(path, { token: tokenOf(page), ...fields });
  }

  post(
    path: string,
    fields: Fields,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      for (const one of [value].flat()) body.append(name, one);
    }
    return this.#send(path, { method: 'POST', body, headers }, true);
  }

  async logIn(username = USERNAME, password = PASSWORD): Promise<Page> {
    const page = await this.get('/admin/login');
    return this.send('/admin/login', page, { username, password, next: '' });
  }

  async #send(path: string, init: RequestInit, follows: boolean): Promise<Page> {
    const headers = new Headers(init.headers);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    if (cookie !== '') headers.set('cookie', cookie);
    const response = await fetch(`${this.#url}${path}`, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const location = response.headers.get('location');
    if (follows && location !== null) {
      await response.body?.cancel();
      return this.#send(location, {}, true);
    }
    const { status } = response;
    return { status, path, text: await response.text(), headers: response.headers };
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split('=');
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** A client that is logged in. */
export async function startClient(site: TestSite): Promise<Client> {
  const client = new Client(site.url);
  await client.logIn();
  return client;
}

export function tokenOf({ text }: Page): string {
  return /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '';
}

/** The digests that a form of a row carries. */
export function seenOf({ text }: Page): string {
  return /name="seen" value="([^"]*)"/.exec(text)?.[1] ?? '';
}

/** The keys of the rows of a list, in order. */
export function keysOf({ text }: Page): string[] {
  return [...text.matchAll(/name="key"\s+value="([^"]+)"/g)].map(([, key]) => key!);
}

/** Where a link of that text leads. */
export function linkOf({ text }: Page, label: string): string | undefined {
  const links = text.matchAll(/<a\b[^>]*href="([^"]+)"[^>]*>(.*?)<\/a\s*>/gs);
  for (const [, href, content] of links) {
    const words = content!
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
    if (words === label) return href!.replaceAll('&amp;', '&');
  }
  return undefined;
}
