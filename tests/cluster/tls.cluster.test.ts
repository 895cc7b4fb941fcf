// Nodes that speak TLS with each other: they prove who they are by certificates, or by a secret
// inside of TLS, and whoever has neither learns nothing and is told of in the log.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { suite, test, type TestContext } from 'node:test';

import {
  assertConverged,
  type Cluster,
  type ClusterNode,
  requirePart,
  tempDir,
  waitUntil,
} from '@skein/testkit';

import { Authority, type Certificate } from '../lib/certificates.ts';
import { connect, startCluster } from '../lib/test-cluster.ts';

const ADDRESS = 'IP:127.0.0.1';
const TIMEOUT_MS = 20_000;

type Section = Readonly<Record<string, unknown>>;

/** What skein.yml says of the cluster where nodes speak TLS. */
function sectionOf(cluster: Cluster, name: string, tls: Section, secret?: string): Section {
  const { secret: _plain, ...own } = cluster.configOf(name, 'node1')['cluster']!;
  const urls = ['primary-url', 'advertise-url'].map((key) => [
    key,
    String(own[key]).replace('http:', 'https:'),
  ]);
  return { ...own, ...Object.fromEntries(urls), tls, ...(secret === undefined ? {} : { secret }) };
}

async function startAll(cluster: Cluster, sectionFor: (name: string) => Section): Promise<void> {
  for (const node of cluster.nodes) await node.start({ cluster: sectionFor(node.name) });
  await cluster.ready();
}

async function write(t: TestContext, node: ClusterNode): Promise<void> {
  const client = await connect(t, node.path('a.db'));
  await client.exec('CREATE TABLE IF NOT EXISTS t (v)');
  await client.exec('INSERT INTO t VALUES (1)');
  await client.kill();
}

/** Status and body of GET; rejects when the connection is refused. */
async function get(
  cluster: Cluster,
  path: string,
  options: RequestOptions,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const { host, apiPort: port } = cluster.place('node1');
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ host, port, path, agent: false, ...options }, resolve);
    sent.on('error', reject);
    sent.end();
  });
  const chunks = await response.toArray();
  return { status: response.statusCode, body: Buffer.concat(chunks as Buffer[]).toString() };
}

function pemsOf({ cert, key }: Certificate): { readonly cert: string; readonly key: string } {
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

suite('Nodes that speak TLS', () => {
  test('prove who they are by certificates, without a secret', async (t) => {
    if (!requirePart(t, 'openssl')) return;
    const cluster = await startCluster(t, { isIdle: true });
    if (cluster === undefined) return;
    const authority = new Authority(tempDir(t), 'authority');
    await startAll(cluster, (name) =>
      sectionOf(cluster, name, { ...authority.issue(name, ADDRESS), ca: authority.ca }),
    );
    await write(t, cluster.primary);
    await assertConverged(cluster.nodes);
    // Again after the connections broke.
    await cluster.node('node2').kill();
    await write(t, cluster.primary);
    await cluster.node('node2').start({
      cluster: sectionOf(cluster, 'node2', {
        ...authority.issue('node2', ADDRESS),
        ca: authority.ca,
      }),
    });
    await assertConverged(cluster.nodes);
    const ca = readFileSync(authority.ca, 'utf8');
    const peer = { ca, ...pemsOf(authority.issue('curl', ADDRESS)) };
    assert.equal((await get(cluster, '/status', peer)).status, 200);
    await assert.rejects(get(cluster, '/healthz', { ca }));
  });

  test('refuse a certificate of another authority, and say so', async (t) => {
    if (!requirePart(t, 'openssl')) return;
    const cluster = await startCluster(t, { names: ['node1', 'node2'], isIdle: true });
    if (cluster === undefined) return;
    const folder = tempDir(t);
    const [own, other] = [new Authority(folder, 'own'), new Authority(folder, 'other')];
    const primary = { ...own.issue('node1', ADDRESS), ca: own.ca };
    await cluster.primary.start({ cluster: sectionOf(cluster, 'node1', primary) });
    await write(t, cluster.primary);
    const stranger = cluster.node('node2');
    // It trusts the primary, which does not trust it.
    const tls = { ...other.issue('node2', ADDRESS), ca: own.ca };
    await stranger.start({ cluster: sectionOf(cluster, 'node2', tls) });
    const isSaid = (): boolean => /certificate/i.test(cluster.primary.log);
    await waitUntil('the primary says whom it refuses', isSaid, TIMEOUT_MS);
    assert.equal((await stranger.positions()).size, 0);
    const metrics = await cluster.primary.ask('/metrics');
    assert.match(metrics, /^skein_stream_errors_total\{.*PEER_TLS.*\} [1-9]/m);
  });

  test('do not follow a primary whose certificate is of another authority', async (t) => {
    if (!requirePart(t, 'openssl')) return;
    const cluster = await startCluster(t, { names: ['node1', 'node2'], isIdle: true });
    if (cluster === undefined) return;
    const folder = tempDir(t);
    const [own, other] = [new Authority(folder, 'own'), new Authority(folder, 'other')];
    // The primary trusts everybody whom it should not.
    const primary = { ...other.issue('node1', ADDRESS), ca: own.ca };
    await cluster.primary.start({ cluster: sectionOf(cluster, 'node1', primary) });
    await write(t, cluster.primary);
    const replica = cluster.node('node2');
    const tls = { ...own.issue('node2', ADDRESS), ca: own.ca };
    await replica.start({ cluster: sectionOf(cluster, 'node2', tls) });
    const isSaid = (): boolean => /certificate/i.test(replica.log);
    await waitUntil('the replica says whom it does not trust', isSaid, TIMEOUT_MS);
    assert.equal((await replica.positions()).size, 0);
  });

  test('prove who they are by a secret inside of TLS', async (t) => {
    if (!requirePart(t, 'openssl')) return;
    const cluster = await startCluster(t, { names: ['node1', 'node2'], isIdle: true });
    if (cluster === undefined) return;
    const authority = new Authority(tempDir(t), 'authority');
    const secret = 'a-secret-that-is-said-inside-of-tls';
    await startAll(cluster, (name) => {
      const tls = { ...authority.issue(name, ADDRESS), ca: authority.ca, 'verify-peer': false };
      return sectionOf(cluster, name, tls, secret);
    });
    await write(t, cluster.primary);
    await assertConverged(cluster.nodes);
    const ca = readFileSync(authority.ca, 'utf8');
    assert.equal((await get(cluster, '/healthz', { ca })).status, 200);
    assert.equal((await get(cluster, '/status', { ca })).status, 401);
    const headers = { Authorization: `Bearer ${secret}` };
    assert.equal((await get(cluster, '/status', { ca, headers })).status, 200);
  });
});
