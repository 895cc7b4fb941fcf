// The engine's KernelCache: hands notifications to threads of their own, and reports on the
// engine's thread when they are done.
//
// Names and content go different ways. To forget a name waits while a name operation in the folder
// is being answered, and the answer may itself be waiting for content to be forgotten: in one queue
// they would wait for each other.

import { extname } from 'node:path';
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';

import type { KernelCache } from '@skein/engine';

import type { Nodes } from './nodes.ts';
import type {
  Notification,
  Notified,
  NotifierWorkerData,
  StoredPiece,
} from './notifier-messages.ts';

export class Notifiers implements KernelCache {
  readonly #nodes: Nodes;
  #content: NotifierThread | undefined;
  #names: NotifierThread | undefined;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /** There is a mount now; before, the kernel knows nothing that it could forget. */
  connect(deviceFd: number, wakeFd: number): void {
    this.#content = new NotifierThread('notifier-content', deviceFd, wakeFd);
    this.#names = new NotifierThread('notifier-names', deviceFd, wakeFd);
  }

  forgetContent(name: string, done?: () => void): void {
    const nodeid = this.#nodes.find(name)?.id;
    if (nodeid === undefined || this.#content === undefined) return done?.();
    this.#content.send((id) => ({ kind: 'content', nodeid, id }), done);
  }

  forgetName(name: string): void {
    this.#names?.send((id) => ({ kind: 'name', name, id }));
  }

  /** Puts bytes into the kernel's pages of a file, piece after piece. */
  store(name: string, pieces: readonly StoredPiece[], done: () => void): void {
    const nodeid = this.#nodes.find(name)?.id;
    if (nodeid === undefined || this.#content === undefined) return done();
    this.#content.send((id) => ({ kind: 'store', nodeid, pieces, id }), done);
  }

  /** Reports what is done. To be called when the eventfd was signalled. */
  drain(): void {
    this.#content?.drain();
    this.#names?.drain();
  }

  /** The mount is gone: nothing is answered any more. */
  close(): void {
    this.#content?.close();
    this.#names?.close();
  }
}

class NotifierThread {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, () => void>();
  #nextId = 1;

  constructor(name: string, deviceFd: number, wakeFd: number) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: NotifierWorkerData = { deviceFd, wakeFd, port: port2 };
    const script = new URL(`notifier-worker${extname(import.meta.url)}`, import.meta.url);
    void new Worker(script, { workerData, transferList: [port2], name });
  }

  send(make: (id: number) => Notification, done?: () => void): void {
    const id = this.#nextId++;
    if (done !== undefined) this.#waiting.set(id, done);
    this.#port.postMessage(make(id));
  }

  drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      const { id, failure } = received.message as Notified;
      if (failure !== undefined) throw new Error(`Cannot notify the kernel: ${failure}`);
      const done = this.#waiting.get(id);
      this.#waiting.delete(id);
      done?.();
    }
  }

  close(): void {
    this.#port.close();
  }
}
