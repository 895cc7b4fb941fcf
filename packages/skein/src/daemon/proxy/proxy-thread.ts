// The main thread's end of the proxy's thread: starts it, tells it what the node is and where its
// databases stand, and asks the engine what it wants to know.

import { extname } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';

import { CodedError } from '@skein/bytes';
import type { StreamServer } from '@skein/cluster';
import type { Log } from '@skein/host';
import { toTxid, type Position } from '@skein/ltx';
import type { NodeChange, ProxyErrorCode } from '@skein/proxy';

import type { MountConfig } from '../../config/mount-config.ts';
import { FeedChanges } from './feed-changes.ts';
import type { FromProxy, ProxyThreadData, ToProxy } from './proxy-messages.ts';

/** What the proxy is told of the node. */
export interface ProxyFeed {
  readonly nodeName: string;
  /** All of a change but the positions. */
  describe(): Omit<NodeChange, 'positions'>;
  readonly epoch: number;
  positions(): ReadonlyMap<string, Position>;
  /** Afterwards positions() has all that was committed before. */
  refresh(): Promise<void>;
  /** Called when any of this may have changed. */
  onChange(listener: () => void): void;
  /** Undefined: there are no replicas to wait for. */
  readonly streams: StreamServer | undefined;
}

export type ProxyThreadErrorCode =
  | ProxyErrorCode
  /** For a reason that has no code of its own. */
  | 'PROXY_FAILED';

/** The proxy could not start, or has ended by itself. */
export class ProxyThreadError extends CodedError<ProxyThreadErrorCode> {
  override readonly name = 'ProxyThreadError';
}

export class ProxyThread {
  readonly #feed: ProxyFeed;
  readonly #gate: number;
  readonly #log: Log;
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #listening = Promise.withResolvers<Extract<FromProxy, { kind: 'listening' }>>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #waiting = new Map<number, AbortController>();
  readonly #changes: FeedChanges;
  #isChanged = false;
  #isClosing = false;

  constructor(config: MountConfig, feed: ProxyFeed, log: Log) {
    const { proxy, cluster } = config;
    const { port1, port2 } = new MessageChannel();
    this.#feed = feed;
    this.#changes = new FeedChanges(feed);
    this.#gate = proxy!.gate;
    this.#log = log;
    this.#port = port1;
    const workerData: ProxyThreadData = {
      config: proxy!,
      nodeName: feed.nodeName,
      secret: cluster?.secret,
      log: config.log,
      port: port2,
    };
    const script = new URL(`proxy-worker${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(script, { workerData, transferList: [port2], name: 'proxy' });
    this.#worker.on('error', (error) => this.#fail(error as Error));
    this.#worker.on('exit', () => this.#fail(new Error('its thread is gone')));
    this.#port.on('message', (message: FromProxy) => this.#take(message));
    for (const { promise } of [this.#listening, this.#ended, this.#failed]) {
      promise.catch(() => undefined);
    }
    feed.onChange(() => this.#changed());
    this.#push();
  }

  /** Rejects with ProxyThreadError. */
  get listening(): Promise<Extract<FromProxy, { kind: 'listening' }>> {
    return this.#listening.promise;
  }

  /** Rejects with ProxyThreadError when the thread ends and nobody has asked it to. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Requests under way have a while to end. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#send({ kind: 'close' });
    await this.#ended.promise.catch(() => undefined);
    await this.#worker.terminate();
  }

  #take(message: FromProxy): void {
    switch (message.kind) {
      case 'listening':
        this.#listening.resolve(message);
        return;
      case 'failed': {
        const { message: text, code = 'PROXY_FAILED', hint } = message;
        this.#fail(new ProxyThreadError(code, text, { hint }));
        return;
      }
      case 'refresh':
        void this.#refresh(message.id);
        return;
      case 'gate':
        void this.#waitForReplicas(message.id, message.txids);
        return;
      case 'gate-left':
        this.#waiting.get(message.id)?.abort();
        return;
      case 'closed':
        this.#ended.resolve();
    }
  }

  async #refresh(id: number): Promise<void> {
    try {
      await this.#feed.refresh();
    } catch (error) {
      this.#log.warn('The proxy does not learn of the newest transactions', {
        error: String(error),
      });
    }
    this.#push();
    this.#send({ kind: 'refreshed', id });
  }

  async #waitForReplicas(id: number, asked: ReadonlyMap<string, bigint>): Promise<void> {
    const stopper = new AbortController();
    this.#waiting.set(id, stopper);
    const txids = new Map([...asked].map(([name, txid]) => [name, toTxid(txid)]));
    const target = { txids, level: 'durable', count: this.#gate } as const;
    const isReached = await (this.#feed.streams?.waitForReplicas(target, stopper.signal) ?? false);
    this.#waiting.delete(id);
    this.#send({ kind: 'gate-passed', id, isReached });
  }

  /** Many changes in one turn are told together. */
  #changed(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    setImmediate(() => this.#push());
  }

  #push(): void {
    this.#isChanged = false;
    const positions = this.#changes.take();
    this.#send({ kind: 'change', change: { ...this.#feed.describe(), positions } });
  }

  #send(message: ToProxy): void {
    this.#port.postMessage(message);
  }

  /** Whoever waits for any of it learns of it; what comes first counts. */
  #fail(cause: Error): void {
    const error =
      cause instanceof ProxyThreadError
        ? cause
        : new ProxyThreadError('PROXY_FAILED', `The proxy has ended: ${cause.message}`);
    this.#listening.reject(error);
    this.#ended.reject(error);
    if (!this.#isClosing) this.#failed.reject(error);
  }
}
