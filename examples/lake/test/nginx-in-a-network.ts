// Run in an empty network: nodes, a name server and nginx, and what comes of asking them, as JSON.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';

import { startNameServer, waitUntil } from '@skein/testkit';

const WAIT_MS = 120_000;
const NODE_PORT = 8080;
const UPLOAD_BYTES = 32 * 1024 * 1024;
const WRITER = '127.0.1.1';
const READERS = ['127.0.2.1', '127.0.2.2', '127.0.2.3'];

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

class NamedNode {
  onRequest: Handler | undefined;
  seenBytes = 0;
  requests = 0;
  readonly #name: string;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(name: string) {
    this.#name = name;
  }

  async listen(address: string): Promise<this> {
    this.#server.listen(NODE_PORT, address);
    await once(this.#server, 'listening');
    return this;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests += 1;
    if (this.onRequest !== undefined) {
      this.onRequest(request, response);
      return;
    }
    let length = 0;
    request.on('data', (piece: Buffer) => {
      length += piece.length;
      this.seenBytes += piece.length;
    });
    request.on('end', () =>
      response.end(`${this.#name} ${request.method} ${request.url} ${length}`),
    );
  }
}

async function ask(path: string, method = 'GET', body = ''): Promise<string> {
  const response = await fetch(`http://127.0.0.1${path}`, {
    method,
    headers: { connection: 'close' },
    ...(method === 'GET' ? {} : { body }),
  });
  return response.text();
}

/** Who answers, of many requests. */
async function whoAnswers(): Promise<string[]> {
  const names = new Set<string>();
  for (let i = 0; i < 30; i += 1) names.add((await ask('/q/x')).split(' ')[0]!);
  return [...names].sort();
}

async function waitForReaders(expected: readonly string[]): Promise<string[]> {
  // Each process of nginx learns of a change in its own time.
  let seen: string[] = [];
  const isSo = async (): Promise<boolean> => {
    seen = await whoAnswers();
    return String(seen) === String(expected);
  };
  await waitUntil(`${String(expected)} answer`, isSo, WAIT_MS);
  return seen;
}

async function upload(writer: NamedNode): Promise<{ answer: string; isStreamed: boolean }> {
  const sending = request('http://127.0.0.1/w/upload/public/t', { method: 'POST' });
  const answered = once(sending, 'response');
  const bytes = Buffer.alloc(UPLOAD_BYTES);
  const before = writer.seenBytes;
  sending.write(bytes.subarray(0, UPLOAD_BYTES / 2));
  await waitUntil('the beginning arrives', () => writer.seenBytes > before, WAIT_MS);
  sending.end(bytes.subarray(UPLOAD_BYTES / 2));
  const [response] = (await answered) as [IncomingMessage];
  return { answer: await text(response), isStreamed: true };
}

async function startNginx(folder: string): Promise<() => Promise<void>> {
  const source = join(dirname(import.meta.dirname), 'nginx.conf');
  const config = join(folder, 'nginx.conf');
  // A file of its own for the process id; all else is as it is shipped.
  const shipped = readFileSync(source, 'utf8');
  const changed = shipped.replace('pid /run/nginx.pid;', `pid ${join(folder, 'nginx.pid')};`);
  assert.notEqual(changed, shipped);
  writeFileSync(config, changed);
  const nginx = spawn('nginx', ['-c', config, '-p', folder, '-g', 'daemon off;'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const isUp = async (): Promise<boolean> => (await ask('/q/x')) !== '';
  await waitUntil('nginx answers', isUp, WAIT_MS);
  return async () => {
    const ended = once(nginx, 'close');
    nginx.kill('SIGTERM');
    await ended;
  };
}

async function run(folder: string): Promise<Record<string, unknown>> {
  const names = new Map([
    ['seafowl-writer', [WRITER]],
    ['seafowl-reader', READERS.slice(0, 1)],
  ]);
  const writer = await new NamedNode('writer').listen(WRITER);
  const readers: NamedNode[] = [];
  for (const [index, address] of READERS.entries()) {
    readers.push(await new NamedNode(`reader${index + 1}`).listen(address));
  }
  const nameServer = await startNameServer((name) => names.get(name) ?? []);
  const stopNginx = await startNginx(folder);
  const report: Record<string, unknown> = {};
  report['writer'] = await ask('/w/q/', 'POST', 'query');
  report['encoded'] = await ask('/w/q/SELECT%20%27a%2Fb%27');
  report['reader'] = await ask('/q/SELECT%201%2E5.csv');
  names.set('seafowl-reader', READERS);
  report['scaled'] = await waitForReaders(['reader1', 'reader2', 'reader3']);
  names.set('seafowl-reader', READERS.slice(1));
  report['shrunk'] = await waitForReaders(['reader2', 'reader3']);
  // Its name is still there, and it does not answer: nobody notices.
  readers[2]!.stop();
  report['withDead'] = await whoAnswers();
  const { answer, isStreamed } = await upload(writer);
  report['upload'] = answer;
  report['isStreamed'] = isStreamed;
  const before = writer.requests;
  writer.onRequest = (asked) => void buffer(asked).then(() => asked.socket.destroy());
  await ask('/w/q', 'POST', 'INSERT');
  report['lostWrites'] = writer.requests - before;
  await stopNginx();
  nameServer.close();
  writer.stop();
  for (const reader of readers) reader.stop();
  return report;
}

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const folder = mkdtempSync(join(tmpdir(), 'skein-nginx-'));
try {
  console.log(JSON.stringify(await run(folder)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
