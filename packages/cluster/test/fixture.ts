// Nodes for tests of streams: real sockets on this machine, logs in memory.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { NodeMetrics, readMetrics, systemClock, systemRandom } from '@skein/host';
import { onTestEnd, RecordingLog, type TestScope } from '@skein/testkit';

import { Authenticator } from '../src/auth/authenticator.ts';
import { StreamClient, type StreamClientOptions } from '../src/stream/client/stream-client.ts';
import type { NodeHello } from '../src/stream/hello.ts';
import {
  createNodeListener,
  type NodeListenerOptions,
} from '../src/stream/server/node-listener.ts';
import { StreamServer, type StreamServerOptions } from '../src/stream/server/stream-server.ts';
import type { StreamTiming } from '../src/stream/timing.ts';
import { MemoryLog } from './memory-log.ts';

/** Nobody is given up for being slow: what a test sees is not what the machine was busy with. */
export const PATIENT: StreamTiming = {
  heartbeatMs: 100,
  silenceMs: 60_000,
  handshakeMs: 60_000,
  reconnectMs: 50,
};

/** For tests of who is silent on a stream: as the real one, but ten times as fast. */
export const SHORT_SILENCE: StreamTiming = { ...PATIENT, silenceMs: 350 };

/** For tests of who does not get as far as a stream. */
export const SHORT_HANDSHAKE: StreamTiming = { ...PATIENT, handshakeMs: 1000 };

const TIMEOUT_MS = 60_000;

export function hello(name: string, fields: Partial<NodeHello> = {}): NodeHello {
  const nodeId = BigInt(`0x${randomBytes(8).toString('hex')}`);
  return { nodeId, name, url: '', primary: 'node1', epoch: 1, clusterId: undefined, ...fields };
}

export function authenticator(secret: string): Authenticator {
  return new Authenticator({ secret, clock: systemClock, random: systemRandom });
}

export class Figures extends NodeMetrics {
  /** The sum of a figure over all its labels, or those with this value in one of them. */
  sum(name: string, label?: string): number {
    return readMetrics(this.buffer)
      .filter((sample) => sample.name === name)
      .filter(({ labels }) => label === undefined || Object.values(labels).includes(label))
      .reduce((sum, { value }) => sum + value, 0);
  }
}

export interface TestPrimary {
  readonly log: MemoryLog;
  readonly server: StreamServer;
  readonly listener: Server;
  readonly port: number;
  readonly url: URL;
  readonly messages: RecordingLog;
  readonly metrics: Figures;
}

export interface PrimaryOptions extends Partial<StreamServerOptions> {
  readonly hello?: NodeHello;
  readonly memory?: MemoryLog;
  readonly tls?: NodeListenerOptions['tls'];
  readonly port?: number;
}

export async function startPrimary(
  t: TestScope,
  options: PrimaryOptions = {},
): Promise<TestPrimary> {
  const log = options.memory ?? new MemoryLog();
  const messages = new RecordingLog();
  const metrics = new Figures();
  const self = options.hello ?? hello('node1', { clusterId: 'LFSC0000000000000001' });
  const server = new StreamServer({
    self: () => self,
    isPrimary: () => true,
    source: log,
    clock: systemClock,
    log: messages,
    metrics,
    timing: PATIENT,
    ...options,
  });
  const listener = createNodeListener({
    streams: server,
    handle: (_request, response) => response.end('over HTTP/1.1'),
    handshakeMs: (options.timing ?? PATIENT).handshakeMs,
    tls: options.tls,
  });
  listener.listen(options.port ?? 0, '127.0.0.1');
  await once(listener, 'listening');
  const close = async (): Promise<void> => {
    await server.close();
    listener.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  };
  onTestEnd(t, close);
  const { port } = listener.address() as AddressInfo;
  const scheme = options.tls === undefined ? 'http' : 'https';
  const url = new URL(`${scheme}://127.0.0.1:${port}`);
  return { log, server, listener, port, url, messages, metrics };
}

export interface TestReplica {
  readonly log: MemoryLog;
  readonly client: StreamClient;
  readonly messages: RecordingLog;
  readonly metrics: Figures;
  /** Undefined until the replica has adopted one. */
  readonly clusterId: () => string | undefined;
}

export interface ReplicaOptions extends Partial<StreamClientOptions> {
  readonly hello?: NodeHello;
  readonly memory?: MemoryLog;
}

export function startReplica(t: TestScope, url: URL, options: ReplicaOptions = {}): TestReplica {
  const log = options.memory ?? new MemoryLog();
  const messages = new RecordingLog();
  const metrics = new Figures();
  let self = options.hello ?? hello('node2');
  const client = new StreamClient({
    url,
    self: () => self,
    sink: log,
    clock: systemClock,
    random: systemRandom,
    log: messages,
    metrics,
    timing: PATIENT,
    adoptClusterId: (clusterId) => {
      self = { ...self, clusterId };
      return Promise.resolve();
    },
    ...options,
  });
  onTestEnd(t, () => client.close());
  return { log, client, messages, metrics, clusterId: () => self.clusterId };
}

/** Waits until it is so. */
export async function eventually(what: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (!what()) {
    assert.ok(performance.now() < deadlineMs, `Does not come true: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Both have the same of every database. */
export async function eventuallyEqual(a: MemoryLog, b: MemoryLog): Promise<void> {
  await eventually(
    () =>
      a.positions().size === b.positions().size &&
      [...a.positions()].every(([name, { txid, checksum }]) => {
        const other = b.positions().get(name);
        return other?.txid === txid && other.checksum === checksum;
      }),
  );
}
