// A lake server in the process of the test, on an engine of its choice, and a client that shows all
// of an answer.

import { request, type IncomingHttpHeaders } from 'node:http';

import { formatPrometheus, NodeMetrics, readMetrics, systemClock } from '@skein/host';
import { onTestEnd, RecordingLog, tempDir, type TestScope } from '@skein/testkit';

import type { LakeEngine } from '../src/engine/ports.ts';
import {
  DEFAULT_CACHE_CONTROL,
  DEFAULT_LIMITS,
  type LakeHttpOptions,
} from '../src/http/options.ts';
import { startLakeServer } from '../src/http/server.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** JSON lines. */
  readonly rows: readonly unknown[];
  /** Whether the answer ended before it was whole. */
  readonly isCut: boolean;
}

export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
}

export interface TestServer {
  readonly url: string;
  readonly log: RecordingLog;
  readonly scratchFolder: string;
  send(path: string, sending?: Sending): Promise<Answer>;
  /** POST /q. */
  query(
    sql: string,
    headers?: Readonly<Record<string, string>>,
    parameters?: unknown,
  ): Promise<Answer>;
}

type Changes = Partial<Omit<LakeHttpOptions, 'engine' | 'limits'>> & {
  readonly limits?: Partial<LakeHttpOptions['limits']>;
  /** Default: any that is free. */
  readonly port?: number;
};

export async function startTestServer(
  t: TestScope,
  engine: LakeEngine,
  changes: Changes = {},
): Promise<TestServer> {
  const metrics = new NodeMetrics();
  const log = new RecordingLog();
  const { limits, port = 0, ...others } = changes;
  const scratchFolder = changes.scratchFolder ?? tempDir(t);
  const server = await startLakeServer(
    { host: '127.0.0.1', port },
    {
      engine,
      access: { read: 'any', write: 'any' },
      allowOrigins: [],
      cacheControl: DEFAULT_CACHE_CONTROL,
      scratchFolder,
      log,
      metrics,
      readMetrics: () => formatPrometheus(readMetrics(metrics.buffer)),
      clock: systemClock,
      ...others,
      limits: { ...DEFAULT_LIMITS, closeMs: 500, ...limits },
    },
  );
  onTestEnd(t, async () => {
    await server.close();
    await engine.close();
  });
  const url = `http://127.0.0.1:${server.address.port}`;
  return { url, log, scratchFolder, ...clientOf(url) };
}

export function clientOf(url: string): Pick<TestServer, 'send' | 'query'> {
  const send = (path: string, sending: Sending = {}): Promise<Answer> =>
    sendTo(url + path, sending);
  return {
    send,
    query: (sql, headers = {}, parameters) =>
      send('/q', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify({ query: sql, parameters }),
      }),
  };
}

function sendTo(url: string, { method = 'GET', headers, body, signal }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const sent = request(url, { method, headers: { ...length, ...headers }, signal, agent: false });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', () => {});
      response.on('close', () => {
        const whole = Buffer.concat(parts);
        const text = whole.toString('utf8');
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: whole,
          text,
          get rows() {
            return text
              .split('\n')
              .slice(0, -1)
              .map((line): unknown => JSON.parse(line));
          },
          isCut: !response.complete,
        });
      });
    });
    sent.end(body);
  });
}
