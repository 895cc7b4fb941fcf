// The engine's KernelCache: has the kernel notified by threads that may wait for it, and reports on
// the engine's thread when that is done.
//
// Names and content go different ways. To forget a name waits while a name operation in the folder
// is being answered, and the answer may itself be waiting for content to be forgotten: in one queue
// they would wait for each other. Content has a thread of its own. Names, which are rarely to be
// forgotten, go through the main thread: no answer to a name operation waits for that.

import { extname } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

import { assert } from '@skein/bytes';
import type { ByteRange, ContentPiece, KernelCache } from '@skein/engine';
import { HelperThread } from '@skein/host';

import type { Nodes } from './nodes.ts';
import type { Notification, Notified, NotifierData } from './notifier-messages.ts';

export interface NotifiersOptions {
  readonly nodes: Nodes;
  /** The main thread's part. */
  readonly forgetName: (name: string) => void;
}

export class Notifiers implements KernelCache {
  readonly #options: NotifiersOptions;
  #port: MessagePort | undefined;
  #thread: HelperThread | undefined;
  readonly #waiting = new Map<number, () => void>();
  /** Nodes whose content the kernel is forgetting, by the notification that comes last. */
  readonly #forgetting = new Map<number, number>();
  #nextId = 1;

  constructor(options: NotifiersOptions) {
    this.#options = options;
  }

  /** There is a mount now; before, the kernel knows nothing that it could forget. */
  connect(deviceFd: number, wakeFd: number): void {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const data: NotifierData = { deviceFd, wakeFd, port: port2 };
    const script = new URL(`notifier-worker${extname(import.meta.url)}`, import.meta.url);
    const transferList = [port2];
    this.#thread = new HelperThread(script, { name: 'notifier', data, transferList });
  }

  forgetContent(name: string, done?: () => void): void {
    this.#forget(name, (nodeid, id) => ({ kind: 'content', nodeid, id }), done);
  }

  forgetRanges(name: string, ranges: readonly ByteRange[], done: () => void): void {
    assert(
      ranges.every(({ length }) => length > 0),
      'Forgets an empty range, which to the kernel is all that follows',
    );
    this.#forget(name, (nodeid, id) => ({ kind: 'ranges', nodeid, ranges, id }), done);
  }

  /**
   * Whether the kernel is being told to forget what it has of a file. That waits for writes to it
   * which are under way: their answers must not wait for a notification, which would come later.
   */
  isForgetting(nodeid: number): boolean {
    return this.#forgetting.has(nodeid);
  }

  forgetName(name: string): void {
    if (this.#port !== undefined) this.#options.forgetName(name);
  }

  removed(name: string): void {
    this.#options.nodes.detach(name, { isKept: true });
    this.forgetName(name);
  }

  store(name: string, pieces: readonly ContentPiece[], done?: () => void): void {
    const copies = copyPieces(pieces);
    const transfer = copies.map(({ bytes }) => bytes.buffer);
    const make = (nodeid: number, id: number): Notification => ({
      kind: 'store',
      nodeid,
      pieces: copies,
      id,
    });
    this.#send(name, make, { done, transfer });
  }

  /** Reports what is done. To be called when the eventfd was signalled. */
  drain(): void {
    if (this.#port === undefined) return;
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      const { id, failure } = received.message as Notified;
      if (failure !== undefined) throw new Error(`Cannot notify the kernel: ${failure}`);
      this.#forgotten(id);
      const done = this.#waiting.get(id);
      this.#waiting.delete(id);
      done?.();
    }
  }

  /** The mount is gone: nothing is answered any more. */
  close(): void {
    this.#thread?.waitUntilLoaded();
    this.#port?.close();
  }

  #forgotten(id: number): void {
    for (const [nodeid, last] of this.#forgetting) {
      if (last === id) this.#forgetting.delete(nodeid);
    }
  }

  #forget(
    name: string,
    make: (nodeid: number, id: number) => Notification,
    done: (() => void) | undefined,
  ): void {
    const remember = (nodeid: number, id: number): Notification => {
      this.#forgetting.set(nodeid, id);
      return make(nodeid, id);
    };
    this.#send(name, remember, { done });
  }

  #send(
    name: string,
    make: (nodeid: number, id: number) => Notification,
    { done, transfer = [] }: SendOptions,
  ): void {
    const nodeid = this.#options.nodes.find(name)?.id;
    // The kernel does not know the file.
    if (nodeid === undefined || this.#port === undefined) return done?.();
    const id = this.#nextId++;
    if (done !== undefined) this.#waiting.set(id, done);
    this.#port.postMessage(make(nodeid, id), transfer);
  }
}

interface SendOptions {
  readonly done: (() => void) | undefined;
  readonly transfer?: readonly ArrayBuffer[];
}

/** A message would bring along all of the memory that a piece is a part of. */
function copyPieces(pieces: readonly ContentPiece[]): Array<{
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}> {
  return pieces.map(({ offset, bytes }) => ({ offset, bytes: bytes.slice() }));
}
