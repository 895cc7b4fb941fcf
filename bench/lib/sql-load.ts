// Sends pipelines of Hrana to an SQL server, over and over, on several connections, as cheaply as
// Node can: what is measured shares the machine with it.

import { connect, type Socket } from 'node:net';

import type { LoadResult } from './http-load.ts';

export interface SqlLoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** The body of the request with this number. */
  readonly body: (index: number) => string;
  /** Of the answer. */
  readonly isRight: (answer: string) => boolean;
}

export async function loadSql(options: SqlLoadOptions): Promise<LoadResult> {
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
function askUntil(untilMs: number, options: SqlLoadOptions, latencies: number[]): Promise<void> {
  const { port, body, isRight } = options;
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let sentMs = performance.now();
    const ask = (): void => {
      [received, sentMs] = ['', performance.now()];
      socket.write(requestOf(body(latencies.length)));
    };
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (!isWhole(received)) return;
      if (!isRight(received)) {
        socket.destroy(new Error(`Not the answer that was expected: ${received}`));
        return;
      }
      const nowMs = performance.now();
      latencies.push(nowMs - sentMs);
      if (nowMs < untilMs) ask();
      else socket.end();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve());
    ask();
  });
}

function requestOf(body: string): string {
  const head =
    'POST /v2/pipeline HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return head + body;
}

/** Answers are ASCII: a character is a byte. */
function isWhole(received: string): boolean {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const length = /content-length: (\d+)/i.exec(received)?.[1];
  return received.length >= end + 4 + Number(length);
}
