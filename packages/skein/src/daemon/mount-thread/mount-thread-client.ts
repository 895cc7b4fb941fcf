// The main thread's end of the thread that serves the mount: its life, and what is asked of it.

import { extname, join } from 'node:path';
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';

import type { FileOwner, Role } from '@skein/engine';
import { type FuseMount, maybeFuseTrace, Notifier, RequestCounts } from '@skein/fuse';
import { createEventfd, nodeFileLocks, signalEventfd } from '@skein/host';

import type { OnProgress, PassthroughStatus } from '../../api/node-control.ts';
import type { MountConfig } from '../../config/mount-config.ts';
import { ROOT_ID } from '../../mount/nodes.ts';
import type { NodeShownState } from '../../mount/shown-state.ts';
import {
  type CallName,
  type Calls,
  fromErrorData,
  type FromMountThread,
  type MountThreadData,
  toErrorData,
  type ToMountThread,
} from '../../mount/thread-messages.ts';
import type { ReceivedBatch } from '../../replication/received-batch.ts';
import type {
  FileToReceive,
  MovedPositions,
  ReplicaThread,
} from '../../replication/replica-thread.ts';
import { type ClientExclusion, excludeClients } from './client-exclusion.ts';
import { PresenceLocks } from './presence-locks.ts';

type MessageOf<Kind extends FromMountThread['kind']> = Extract<
  FromMountThread,
  { readonly kind: Kind }
>;

interface Asked {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: OnProgress | undefined;
}

/** What a request leaves behind is garbage at once: a small nursery is cheaper than a large one. */
const MOUNT_LIMITS = { maxYoungGenerationSizeMb: 8 };

export class MountThreadClient implements ReplicaThread {
  readonly counts: RequestCounts = new RequestCounts();
  readonly #wakeFd = createEventfd();
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  readonly #exclusions = new Map<number, ClientExclusion>();
  readonly #presence = new PresenceLocks(nodeFileLocks);
  readonly #opened = Promise.withResolvers<OpenedThread>();
  readonly #serving = Promise.withResolvers<PassthroughStatus>();
  readonly #retired = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #mountpoint = '';
  #moved: MovedPositions = { durable: [], applied: [] };
  #onMoved: ((moved: MovedPositions) => void) | undefined;
  #notifier: Notifier | undefined;
  #nextId = 1;
  /** Nobody answers any more. */
  #failure: Error | undefined;

  constructor(config: MountConfig, role: Role = 'primary') {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.on('message', (message: FromMountThread) => this.#take(message));
    const workerData: MountThreadData = {
      config,
      role,
      port: port2,
      wakeFd: this.#wakeFd,
      counts: this.counts.memory,
    };
    const script = new URL(`../../mount/mount-worker${extname(import.meta.url)}`, import.meta.url);
    const transferList = [port2];
    this.#worker = new Worker(script, {
      workerData,
      transferList,
      resourceLimits: MOUNT_LIMITS,
      name: 'mount',
    });
    this.#worker.on('error', (error) => this.#fail(error as Error));
    this.#worker.on('exit', () => {
      // The end of a thread may be reported before what it has said last.
      this.#takeAll();
      this.#fail(new Error('The thread of the mount has ended'));
    });
    // Whoever waits for one of them gets the error; nobody has to wait for all.
    for (const { promise } of [this.#opened, this.#serving, this.#retired, this.#ended]) {
      promise.catch(() => undefined);
    }
  }

  /** Resolves when the data folder is open and recovered. Rejects with an EngineError. */
  get opened(): Promise<OpenedThread> {
    return this.#opened.promise;
  }

  /** Resolves when the thread has closed the data folder, after the mount is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves when the kernel's first request has been answered. */
  serve(mount: FuseMount, folderOwner: FileOwner): Promise<PassthroughStatus> {
    const { fd, deviceMinor, mountpoint } = mount;
    this.#mountpoint = mountpoint;
    this.#notifier = new Notifier(fd, maybeFuseTrace(process.env));
    this.#send({ kind: 'serve', deviceFd: fd, deviceMinor, folderOwner });
    return this.#serving.promise;
  }

  /** Closes what the node itself has open on its mount, which could not be taken down with it. */
  async retire(): Promise<void> {
    this.#send({ kind: 'retire' });
    // A thread that failed holds no lock any more, and needs none.
    await Promise.race([this.#retired.promise, this.#ended.promise]).catch(() => undefined);
    await this.#presence.leaveAll();
  }

  /** Tells the mount what to show of the node. */
  show(state: NodeShownState): void {
    this.#send({ kind: 'show-state', state });
  }

  /** Ends the loop although the mount may not be gone, or lets it never begin. */
  stop(): void {
    this.#send({ kind: 'stop' });
  }

  call<Name extends CallName>(
    name: Name,
    args: Calls[Name]['args'],
    onProgress?: OnProgress,
  ): Promise<Calls[Name]['result']> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Calls[Name]['result']>();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#asked.set(id, { resolve, reject, onProgress });
    this.#send({ kind: 'call', id, name, args } as ToMountThread);
    return promise;
  }

  receive(batch: ReceivedBatch): Promise<void> {
    const { id, promise } = this.#ask();
    this.#send({ kind: 'receive', id, batch }, [batch.bytes.buffer]);
    return promise;
  }

  receiveFile(file: FileToReceive): Promise<void> {
    const { id, promise } = this.#ask();
    this.#send({ kind: 'receive-file', id, file });
    return promise;
  }

  onMoved(listener: (moved: MovedPositions) => void): void {
    this.#onMoved = listener;
    listener(this.#moved);
    this.#moved = { durable: [], applied: [] };
  }

  #ask(): { readonly id: number; readonly promise: Promise<void> } {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#failure !== undefined) reject(this.#failure);
    this.#asked.set(id, { resolve, reject, onProgress: undefined });
    return { id, promise };
  }

  #send(message: ToMountThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
    signalEventfd(this.#wakeFd);
  }

  #takeAll(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      this.#take(received.message as FromMountThread);
    }
  }

  #take(message: FromMountThread): void {
    switch (message.kind) {
      case 'opened':
        this.#opened.resolve(message);
        return;
      case 'serving':
        this.#serving.resolve(message.passthrough);
        return;
      case 'retired':
        this.#retired.resolve();
        return;
      case 'ended':
        this.#ended.resolve();
        return;
      case 'failed':
        this.#fail(fromErrorData(message.error));
        return;
      case 'answer':
        this.#settle(message.id)?.resolve(message.result as never);
        return;
      case 'refusal':
        this.#settle(message.id)?.reject(fromErrorData(message.error));
        return;
      case 'progress':
        this.#asked.get(message.id)?.onProgress?.(message.doneBytes, message.totalBytes);
        return;
      case 'forget-name':
        // May block for a moment: until a name operation that is under way has been answered.
        this.#notifier?.invalEntry(ROOT_ID, message.name);
        return;
      case 'exclude':
        void this.#exclude(message.id, message.database);
        return;
      case 'end-exclusion':
        void this.#exclusions.get(message.id)?.end();
        this.#exclusions.delete(message.id);
        return;
      case 'join':
        void this.#join(message);
        return;
      case 'read-index':
        void this.#readIndex(message);
        return;
      case 'leave':
        void this.#presence.leave(message.presence);
        return;
      case 'moved':
        this.#move(message.moved);
    }
  }

  /** Until there is a listener, all moves are kept for it: where the databases stand at first. */
  #move(moved: MovedPositions): void {
    if (this.#onMoved !== undefined) return this.#onMoved(moved);
    this.#moved = {
      durable: [...this.#moved.durable, ...moved.durable],
      applied: [...this.#moved.applied, ...moved.applied],
    };
  }

  #settle(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  async #exclude(id: number, database: string): Promise<void> {
    try {
      this.#exclusions.set(id, await excludeClients(this.#mountpoint, database));
      this.#send({ kind: 'excluded', id });
    } catch (error) {
      this.#send({ kind: 'excluded', id, error: toErrorData(error) });
    }
  }

  async #join({ id, database }: MessageOf<'join'>): Promise<void> {
    try {
      const shmFd = await this.#presence.join(id, join(this.#mountpoint, database));
      this.#send({ kind: 'joined', id, outcome: { shmFd } });
    } catch (error) {
      this.#send({ kind: 'joined', id, outcome: { error: toErrorData(error) } });
    }
  }

  async #readIndex({ id, presence, length }: MessageOf<'read-index'>): Promise<void> {
    try {
      const bytes = await this.#presence.readIndex(presence, length);
      this.#send({ kind: 'index', id, outcome: { bytes } });
    } catch (error) {
      this.#send({ kind: 'index', id, outcome: { error: toErrorData(error) } });
    }
  }

  /** The thread is no more, or will not be of use. What was resolved stays so. */
  #fail(error: Error): void {
    this.#failure ??= error;
    const all = [this.#opened, this.#serving, this.#retired, this.#ended];
    for (const waiting of all) waiting.reject(error);
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}

export interface OpenedThread {
  /** Transactions that were put into their databases again. */
  readonly replayedCount: number;
  /** Of NodeMetrics. */
  readonly metrics: SharedArrayBuffer;
  /** Of PublishedLog. */
  readonly publishedLog: SharedArrayBuffer;
}
