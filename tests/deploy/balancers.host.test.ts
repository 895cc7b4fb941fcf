// The files for nginx and HAProxy in front of nodes that a test is sure of: what is repeated and
// what never is, bodies of any size, WebSockets.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { tempDir, waitUntil } from '@skein/testkit';

import { type ComposeProject, openProject } from '../lib/compose/project.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'messages');
/** More than nginx takes and keeps in memory unless it is told otherwise. */
const BODY_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 180_000;
/** Of the nodes, and of what stands before them. */
const PORTS: readonly number[] = [8001, 8002, 8003];
const BALANCERS: ReadonlyMap<string, number> = new Map([
  ['nginx', 8080],
  ['HAProxy', 8090],
]);

/**
 * A node that counts requests by method. Those for /break end without an answer, as if the node had
 * died; uploads are answered with their size; WebSockets are echoed.
 */
const NODE = `
  const { createServer } = require('node:http');
  const counts = {};
  const server = createServer((request, response) => {
    if (request.url === '/counts') return response.end(JSON.stringify(counts));
    if (request.url === '/api/health/') return response.end('{}');
    counts[request.method] = (counts[request.method] ?? 0) + 1;
    if (request.url === '/break') return request.resume().on('end', () => request.socket.destroy());
    let size = 0;
    request.on('data', (chunk) => { size += chunk.length; });
    request.on('end', () => response.end(JSON.stringify({ size, headers: request.headers })));
  });
  server.on('upgrade', (request, socket) => {
    const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: echo'];
    socket.write(head.join('\\r\\n') + '\\r\\n\\r\\n');
    socket.pipe(socket);
  });
  server.listen(8000);
`;

const COMPOSE = `
x-node: &node
  image: node:24-bookworm-slim
  init: true
  command: [node, /node.js]
  volumes: ['./node.js:/node.js:ro']
  healthcheck:
    test: [CMD, curl, --fail, --silent, 'http://localhost:8000/counts']
    interval: 500ms
services:
  node1: { <<: *node, ports: ['8001:8000'] }
  node2: { <<: *node, ports: ['8002:8000'] }
  node3: { <<: *node, ports: ['8003:8000'] }
  nginx:
    image: nginx:1.28-bookworm
    ports: ['8080:8080']
    volumes: ['${EXAMPLE}/nginx.conf:/etc/nginx/nginx.conf:ro']
    depends_on: &all
      node1: { condition: service_healthy }
      node2: { condition: service_healthy }
      node3: { condition: service_healthy }
  haproxy:
    image: haproxy:3.2-bookworm
    ports: ['8090:8080']
    volumes: ['${EXAMPLE}/haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro']
    depends_on: *all
`;

async function open(t: TestContext): Promise<ComposeProject | undefined> {
  const folder = tempDir(t);
  const file = join(folder, 'docker-compose.yml');
  writeFileSync(file, COMPOSE);
  writeFileSync(join(folder, 'node.js'), NODE);
  const project = await openProject(t, { file });
  await project?.upAndHealthy();
  return project;
}

/** How many requests with this method the nodes at these ports have got. */
async function countOf(
  project: ComposeProject,
  method: string,
  ports: readonly number[],
): Promise<number> {
  let sum = 0;
  for (const port of ports) {
    const response = await fetch(`${project.urlOf(port)}/counts`);
    sum += ((await response.json()) as Record<string, number>)[method] ?? 0;
  }
  return sum;
}

interface Echoed {
  readonly size: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends a line after the protocol was switched, and waits for it to come back. */
async function echo(url: string, line: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('latin1');
  let received = '';
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  const head = ['GET /socket HTTP/1.1', 'Host: example', 'Connection: Upgrade', 'Upgrade: echo'];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await waitUntil('The protocol is switched', () => received.includes('\r\n\r\n'), TIMEOUT_MS);
  socket.write(line);
  await waitUntil('The line comes back', () => received.endsWith(line), TIMEOUT_MS);
  socket.end();
  await once(socket, 'close');
  return received;
}

suite('A load balancer', () => {
  test('repeats no write that was sent, and lets everything else through', async (t) => {
    const project = await open(t);
    if (project === undefined) return;
    for (const [name, port] of BALANCERS) {
      const url = project.urlOf(port);
      const isUp = async (): Promise<boolean> => (await fetch(`${url}/api/health/`)).ok;
      await waitUntil(`${name} answers`, isUp, TIMEOUT_MS);

      await t.test(`${name}: a write whose connection breaks is sent once`, async () => {
        const before = await countOf(project, 'POST', PORTS);
        // HAProxy may end the client's connection as its own was ended, and answers nothing then.
        const broken = fetch(`${url}/break`, { method: 'POST', body: 'x' });
        assert.equal(await broken.then(({ status }) => status).catch(() => 502), 502);
        assert.equal(await countOf(project, 'POST', PORTS), before + 1);
      });

      await t.test(`${name}: a large body goes through`, async () => {
        const body = randomBytes(BODY_BYTES);
        const response = await fetch(`${url}/upload`, { method: 'POST', body });
        const { size, headers } = (await response.json()) as Echoed;
        assert.equal(size, BODY_BYTES);
        assert.equal(headers['host'], new URL(url).host);
        assert.equal(headers['x-forwarded-proto'], 'http');
        assert.match(headers['x-forwarded-for'] ?? '', /^172\.31\.77\./);
      });

      await t.test(`${name}: a WebSocket goes through`, async () => {
        assert.match(await echo(url, 'there and back'), /^HTTP\/1\.1 101 /);
      });
    }

    await t.test('a node that is gone is left for another', async () => {
      await project.stop('node1');
      // Who is gone cannot be asked.
      const others = PORTS.slice(1);
      for (const port of BALANCERS.values()) {
        for (let count = 0; count < 6; count += 1) {
          const before = await countOf(project, 'POST', others);
          const response = await fetch(`${project.urlOf(port)}/write`, {
            method: 'POST',
            body: 'x',
          });
          assert.equal(response.status, 200);
          assert.equal(await countOf(project, 'POST', others), before + 1);
        }
      }
    });
  });
});
