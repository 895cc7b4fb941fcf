// A browser that uses the admin of examples/messages through any door, with one set of cookies: to
// a browser all doors of localhost are one host.

import assert from 'node:assert/strict';

import type { Superuser } from '@skein/testkit';

interface Page {
  readonly status: number;
  readonly text: string;
}

const TOKEN = /name="token" value="([^"]+)"/;

export class AdminBrowser {
  readonly #cookies = new Map<string, string>();

  /** Of the session, as they were set. */
  get cookieNames(): string[] {
    return [...this.#cookies.keys()];
  }

  /** Throws when the door does not let it in. */
  async logIn(door: string, user: Superuser): Promise<void> {
    const page = await this.#get(`${door}/admin/login`);
    const { status } = await this.#send(`${door}/admin/login`, page, { ...user, next: '' });
    assert.equal(status, 303, `The login at ${door} leads to the site`);
  }

  /** The name of the node that answers a page of the site; undefined: it wants a login. */
  async maybeNodeName(door: string): Promise<string | undefined> {
    const { status, text } = await this.#get(`${door}/admin/`);
    return status === 200 ? /data-node-name>([^<]+)</.exec(text)?.[1] : undefined;
  }

  async addMessage(door: string, content: string): Promise<void> {
    const url = `${door}/admin/t/messages/add`;
    const page = await this.#get(url);
    const now = new Date().toISOString();
    const fields = { 'v.content': content, 'v.node_name': 'admin', 'v.created_at': now };
    const { status, text } = await this.#send(url, page, fields);
    assert.equal(status, 303, `A message is added at ${door}: ${text}`);
  }

  #get(url: string): Promise<Page> {
    return this.#fetch(url, {});
  }

  #send(url: string, page: Page, fields: Readonly<Record<string, string>>): Promise<Page> {
    const token = TOKEN.exec(page.text)?.[1] ?? '';
    const body = new URLSearchParams({ token, ...fields });
    return this.#fetch(url, { method: 'POST', body });
  }

  async #fetch(url: string, init: RequestInit): Promise<Page> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { cookie };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';', 1)[0]!.split(/=(.*)/s, 2);
      this.#cookies.set(name, value);
    }
    return { status: response.status, text: await response.text() };
  }
}
