// Asks an HTTP server for the same thing over and over, on several connections, as cheaply as Node
// can: what is measured shares the machine with it.

import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  /** What is sent by POST; undefined: GET. */
  readonly body?: string;
  /** Lines of the head beside those that a browser sends: `If-None-Match: "x"`. */
  readonly headers?: readonly string[];
  readonly connections: number;
  readonly durationMs: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
}

export async function loadHttp(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  const started = performance.now();
  const until = started + options.durationMs;
  await Promise.all(
    Array.from({ length: options.connections }, () => askUntil(until, options, latencies)),
  );
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  return { perSecond: latencies.length / seconds, p50Ms: latencies[latencies.length >> 1]! };
}

/** One connection, one request after the other. */
function askUntil(
  untilMs: number,
  { port, path, body, headers = [] }: LoadOptions,
  latencies: number[],
): Promise<void> {
  // What a browser sends, shortened.
  const request =
    `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: app.example.org\r\n` +
    'User-Agent: bench\r\nAccept: */*\r\nAccept-Language: en\r\n' +
    'Cookie: session=0123456789abcdef\r\n' +
    headers.map((line) => `${line}\r\n`).join('') +
    (body === undefined ? '\r\n' : `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let expectedBytes = 0;
    let receivedBytes = 0;
    let sentMs = performance.now();
    socket.on('data', (chunk) => {
      if (expectedBytes === 0) expectedBytes = answerBytes(chunk);
      receivedBytes += chunk.length;
      if (receivedBytes < expectedBytes) return;
      const nowMs = performance.now();
      latencies.push(nowMs - sentMs);
      if (nowMs >= untilMs) {
        socket.end();
        return;
      }
      [expectedBytes, receivedBytes, sentMs] = [0, 0, nowMs];
      socket.write(request);
    });
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.write(request);
  });
}

function answerBytes(chunk: Buffer): number {
  const head = chunk.toString('latin1', 0, 1000);
  // It has no body, whatever it says of a length.
  if (head.startsWith('HTTP/1.1 304 ')) return head.indexOf('\r\n\r\n') + 4;
  const length = /^HTTP\/1\.1 20[01] .*content-length: (\d+)/is.exec(head)?.[1];
  if (length === undefined) throw new Error(`Not the answer that was expected: ${head}`);
  return head.indexOf('\r\n\r\n') + 4 + Number(length);
}
