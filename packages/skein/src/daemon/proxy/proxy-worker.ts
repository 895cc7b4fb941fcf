// Entry of the thread of the proxy: the requests of the app's clients, away from the thread that
// the streams and the API run on. What it knows of the node comes by messages.

import { workerData } from 'node:worker_threads';

import { createNodeLog, NodeMetrics } from '@skein/host';
import { type OutputGate, ProxyError, PushedNodeView, startProxy } from '@skein/proxy';

import type { FromProxy, ProxyThreadData, ToProxy } from './proxy-messages.ts';
import { shareCalls } from './shared-calls.ts';

const { config, nodeName, secret, log: logConfig, port } = workerData as ProxyThreadData;
const refreshing = new Map<number, () => void>();
const gates = new Map<number, (isReached: boolean) => void>();
let nextId = 1;

function send(message: FromProxy): void {
  port.postMessage(message);
}

const refresh = shareCalls(() => {
  const id = nextId++;
  const { promise, resolve } = Promise.withResolvers<void>();
  refreshing.set(id, resolve);
  send({ kind: 'refresh', id });
  return promise;
});

// A replica commits nothing for its app.
const view = new PushedNodeView(nodeName, () => {
  return view.role === 'primary' ? refresh() : undefined;
});

const gate: OutputGate = ({ byDatabase }, signal) => {
  const id = nextId++;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  gates.set(id, resolve);
  const txids = new Map([...byDatabase].map(([name, { txid }]) => [name, txid]));
  send({ kind: 'gate', id, txids });
  signal.addEventListener('abort', () => {
    if (gates.delete(id)) send({ kind: 'gate-left', id });
    resolve(false);
  });
  return promise;
};

async function run(): Promise<void> {
  const metrics = new NodeMetrics();
  const proxy = await startProxy({
    ...config,
    gate: config.gate === 0 ? undefined : gate,
    secret,
    view,
    log: createNodeLog(logConfig),
    metrics,
  });
  port.on('message', (message: ToProxy) => take(message, () => proxy.close()));
  send({ kind: 'listening', address: proxy.address, metrics: metrics.buffer });
}

function take(message: ToProxy, close: () => Promise<void>): void {
  switch (message.kind) {
    case 'change':
      view.update(message.change);
      return;
    case 'refreshed':
      refreshing.get(message.id)?.();
      refreshing.delete(message.id);
      return;
    case 'gate-passed':
      gates.get(message.id)?.(message.isReached);
      gates.delete(message.id);
      return;
    case 'close':
      void end(close);
  }
}

async function end(close: () => Promise<void>): Promise<void> {
  await close();
  send({ kind: 'closed' });
  port.close();
}

try {
  await run();
} catch (error) {
  const { message } = error as Error;
  const { code, hint } = error instanceof ProxyError ? error : { code: undefined, hint: undefined };
  send({ kind: 'failed', message, code, hint });
  port.close();
}
