// Three nodes with the application of examples/messages behind their proxies, and clients of it.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

import {
  type Cluster,
  type MessagesApp,
  migrateMessages,
  type MessagesNode,
  onTestEnd,
  proxyUrl,
  startMessagesApp,
  waitUntil,
} from '@skein/testkit';

import { startCluster, type TestClusterOptions } from './test-cluster.ts';

export const DATABASE = 'db.sqlite3';
const HEALTHY_TIMEOUT_MS = 180_000;

export class MessagesCluster {
  readonly cluster: Cluster;
  readonly #apps = new Map<string, MessagesApp>();

  constructor(t: TestContext, cluster: Cluster) {
    this.cluster = cluster;
    onTestEnd(t, () => this.stopApps());
  }

  /** Where clients ask: the proxies. */
  get doors(): readonly string[] {
    return this.cluster.places.map((place) => proxyUrl(place));
  }

  door(name: string): string {
    return proxyUrl(this.cluster.place(name));
  }

  app(name: string): MessagesApp {
    const app = this.#apps.get(name);
    assert(app !== undefined, `No application on ${name}`);
    return app;
  }

  node(name: string): MessagesNode {
    const { mountpoint, dataFolder } = this.cluster.node(name);
    const { host, appPort } = this.cluster.place(name);
    return {
      name,
      mountPath: mountpoint,
      dataPath: dataFolder,
      databaseName: DATABASE,
      host,
      port: appPort,
    };
  }

  async migrate(): Promise<void> {
    await migrateMessages(this.node(this.cluster.primary.name));
  }

  async startApp(name: string): Promise<void> {
    this.#apps.set(name, await startMessagesApp(this.node(name)));
  }

  async startApps(): Promise<void> {
    for (const { name } of this.cluster.nodes) await this.startApp(name);
  }

  async stopApps(): Promise<void> {
    const apps = [...this.#apps.values()];
    this.#apps.clear();
    await Promise.all(apps.map((app) => app.kill()));
  }

  /** All answer through their proxies. */
  async healthy(): Promise<void> {
    for (const door of this.doors) {
      const isHealthy = async (): Promise<boolean> => (await fetch(`${door}/api/health/`)).ok;
      await waitUntil(`${door} is healthy`, isHealthy, HEALTHY_TIMEOUT_MS);
    }
  }
}

/** Undefined when the machine cannot have one: the test is skipped then. */
export async function startMessages(
  t: TestContext,
  options: TestClusterOptions = {},
): Promise<MessagesCluster | undefined> {
  const cluster = await startCluster(t, { ...options, proxyDatabase: DATABASE });
  if (cluster === undefined) return undefined;
  const messages = new MessagesCluster(t, cluster);
  await messages.migrate();
  await messages.startApps();
  await messages.healthy();
  return messages;
}

/** What a client was told of a message that it wanted to create. */
export type CreateOutcome =
  | { readonly kind: 'created'; readonly id: number; readonly nodeName: string }
  | { readonly kind: 'not-executed' }
  | { readonly kind: 'unknown' };

interface Listing {
  readonly messages: readonly { readonly id: number; readonly content: string }[];
}

/** As a browser: it keeps the cookies that it is given. */
export class MessagesClient {
  readonly #cookies = new Map<string, string>();

  async create(door: string, content: string): Promise<CreateOutcome> {
    const body = JSON.stringify({ content });
    const response = await this.#fetch(`${door}/api/messages/create/`, { method: 'POST', body });
    if (response.status === 201) {
      const json = (await response.json()) as { message_id: number; node_name: string };
      return { kind: 'created', id: json.message_id, nodeName: json.node_name };
    }
    const outcome = response.headers.get('skein-outcome');
    const text = await response.text();
    if (outcome === 'not-executed' || outcome === 'unknown') return { kind: outcome };
    throw new Error(`POST at ${door} gives ${response.status}: ${text}`);
  }

  /** The newest hundred, the newest first. Rejects when it gets none. */
  async list(door: string): Promise<Listing['messages']> {
    const response = await this.#fetch(`${door}/api/messages/`, {});
    if (!response.ok) throw new Error(`GET at ${door} gives ${response.status}`);
    return ((await response.json()) as Listing).messages;
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, ...(cookie !== '' && { headers: { cookie } }) });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';', 1)[0]!.split(/=(.*)/s, 2);
      this.#cookies.set(name, value);
    }
    return response;
  }
}

/** Whether a listing shows a message, or only newer ones. */
export function hasSeen(listed: Listing['messages'], id: number): boolean {
  if (listed.some((message) => message.id === id)) return true;
  const oldest = listed.at(-1)?.id ?? 0;
  return listed.length === 100 && oldest > id;
}
