// Two nodes without daemons: what their applications see of them, and real proxies in front. Both
// have the same database file, so that replication is as quick as it can be.

import { NodeMetrics } from '@skein/host';
import { PushedNodeView, startProxy } from '@skein/proxy';
import { onTestEnd, RecordingLog, type TestScope } from '@skein/testkit';

import type { AdminNode } from '../src/options.ts';
import { type SiteSetup, startSite, type TestSite } from './test-site.ts';

type Role = 'primary' | 'replica' | 'no-primary' | 'fenced';

export interface NodeTold {
  readonly role: Role;
  readonly primary?: { readonly name: string; readonly proxyUrl?: string };
}

/** What an application is told of its node; the test says what. */
export class FakeNode implements AdminNode {
  readonly #name: string;
  told: NodeTold;

  constructor(name: string, told: NodeTold) {
    this.#name = name;
    this.told = told;
  }

  get isPrimary(): boolean {
    return this.told.role === 'primary';
  }

  get state(): AdminNode['state'] {
    return {
      name: this.#name,
      epoch: 3,
      lagMs: this.isPrimary ? 0 : 12,
      position: () => ({ epoch: 3, txid: 0x1a2bn }),
      ...this.told,
    };
  }
}

export interface Node {
  readonly site: TestSite;
  readonly node: FakeNode;
  /** Of its proxy. */
  readonly url: string;
  readonly view: PushedNodeView;
}

async function startNode(t: TestScope, name: string, setup: SiteSetup): Promise<Node> {
  const node = new FakeNode(name, { role: 'no-primary' });
  const site = await startSite(t, { ...setup, node });
  const view = new PushedNodeView(name);
  const { hostname: host, port } = new URL(site.url);
  const proxy = await startProxy({
    address: { host: '127.0.0.1', port: 0 },
    target: { host, port: Number(port) },
    view,
    log: new RecordingLog(),
    metrics: new NodeMetrics(),
  });
  onTestEnd(t, () => proxy.close());
  return { site, node, url: `http://127.0.0.1:${proxy.address.port}`, view };
}

/** node1 leads. */
export async function startPair(
  t: TestScope,
  setup: SiteSetup = {},
): Promise<readonly [node1: Node, node2: Node]> {
  const node1 = await startNode(t, 'node1', setup);
  const node2 = await startNode(t, 'node2', { ...setup, path: node1.site.path, hasUser: false });
  lead(node1, node2, 'node1');
  return [node1, node2];
}

export function lead(leader: Node, follower: Node, name: string): void {
  const primary = { name, proxyUrl: leader.url };
  leader.node.told = { role: 'primary' };
  leader.view.update({ role: 'primary' });
  follower.node.told = { role: 'replica', primary };
  follower.view.update({ role: 'replica', primary });
}
