// Background disk work in a worker thread of its own, one job after the other.
//
// The engine's thread never returns to Node's event loop: it blocks until the kernel or its eventfd
// has something for it. So results wait in a message port that `drain` empties synchronously, and
// the worker writes to the eventfd after each. Nothing here uses an event or a promise.

import { extname } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

import { assert } from '@skein/bytes';

import type { BackgroundIo, DiskFile } from './disk.ts';
import { checkFileRange } from './disk-range.ts';
import { DiskError } from './errors.ts';
import { HelperThread } from './helper-thread.ts';
import { NodeFile } from './node-disk.ts';

/** What the worker does; descriptors belong to the whole process, so their numbers will do. */
export type BackgroundJob =
  | { readonly kind: 'sync'; readonly fd: number }
  | { readonly kind: 'fill'; readonly fd: number; readonly from: number; readonly to: number };

/** How a job ended: the errno's name, or nothing. Results come in the order of the jobs. */
export interface BackgroundResult {
  readonly errorCode: string | undefined;
}

export interface BackgroundWorkerData {
  readonly port: MessagePort;
  /** One number: how many jobs the worker is done with, or WORKER_ENDED. */
  readonly progress: BigInt64Array<SharedArrayBuffer>;
  readonly wakeFd: number | undefined;
}

export const WORKER_ENDED = -1n;

const WORKER_DIED = 'The background worker ended before its jobs did';

export interface NodeBackgroundIoOptions {
  /**
   * An eventfd that gets 1 added whenever there is something to drain; without it, drain by
   * polling.
   */
  readonly wakeFd?: number;
}

interface Waiting {
  readonly op: string;
  readonly file: NodeFile;
  readonly done: (error: Error | undefined) => void;
}

export class NodeBackgroundIo implements BackgroundIo {
  readonly #port: MessagePort;
  readonly #thread: HelperThread;
  readonly #progress = new BigInt64Array(new SharedArrayBuffer(8));
  /** Jobs that were not reported yet, oldest first. */
  readonly #waiting: Waiting[] = [];
  #requestedCount = 0n;
  #isOpen = true;

  constructor(options: NodeBackgroundIoOptions = {}) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const data: BackgroundWorkerData = {
      port: port2,
      progress: this.#progress,
      wakeFd: options.wakeFd,
    };
    const script = new URL(`background-io-worker${extname(import.meta.url)}`, import.meta.url);
    // Holds the process until `close`: work that was asked for is not dropped by an early exit.
    const transferList = [port2];
    this.#thread = new HelperThread(script, { name: 'background-io', data, transferList });
  }

  sync(op: string, file: DiskFile, done: Waiting['done']): void {
    const { fd } = nodeFile(file);
    this.#request({ kind: 'sync', fd }, { op, file: nodeFile(file), done });
  }

  fill(
    op: string,
    file: DiskFile,
    range: { readonly from: number; readonly to: number },
    done: Waiting['done'],
  ): void {
    checkFileRange(range);
    const { fd } = nodeFile(file);
    const { from, to } = range;
    this.#request({ kind: 'fill', fd, from, to }, { op, file: nodeFile(file), done });
  }

  /** How many jobs were requested and not reported. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Reports the jobs that have ended, here and now. Returns how many. */
  drain(): number {
    // Read before the results: whatever the worker sent in its life is then in the port.
    const progress = Atomics.load(this.#progress, 0);
    let count = 0;
    for (let result = this.#receive(); result !== undefined; result = this.#receive()) {
      const job = this.#waiting.shift();
      assert(job !== undefined, 'A background job was reported twice');
      count += 1;
      job.file.endJob();
      job.done(toError(job, result));
    }
    assert(progress !== WORKER_ENDED || this.#waiting.length === 0, WORKER_DIED);
    return count;
  }

  /** Blocks until every job requested so far, and in turn by their reports, has been reported. */
  settle(): void {
    while (this.#waiting.length > 0) this.#waitFor(() => this.drain() > 0);
  }

  /** Settles, then ends the worker. Afterwards nothing writes to `wakeFd` any more. */
  close(): void {
    assert(this.#isOpen, 'Background IO was closed twice');
    this.settle();
    this.#waitFor(() => Atomics.load(this.#progress, 0) === this.#requestedCount);
    this.#isOpen = false;
    this.#thread.waitUntilLoaded();
    this.#port.close();
  }

  /** Looks again whenever the worker is done with a job. */
  #waitFor(isReached: () => boolean): void {
    for (;;) {
      const progress = Atomics.load(this.#progress, 0);
      if (isReached()) return;
      assert(progress !== WORKER_ENDED, WORKER_DIED);
      Atomics.wait(this.#progress, 0, progress);
    }
  }

  #receive(): BackgroundResult | undefined {
    const received: { message: BackgroundResult } | undefined = receiveMessageOnPort(this.#port);
    return received?.message;
  }

  #request(job: BackgroundJob, waiting: Waiting): void {
    assert(this.#isOpen, 'Background IO was used after it was closed');
    waiting.file.beginJob();
    this.#requestedCount += 1n;
    this.#waiting.push(waiting);
    this.#port.postMessage(job, []);
  }
}

function toError({ op, file }: Waiting, { errorCode }: BackgroundResult): DiskError | undefined {
  return errorCode === undefined ? undefined : new DiskError(op, file.path, errorCode);
}

function nodeFile(file: DiskFile): NodeFile {
  assert(file instanceof NodeFile, 'A file of another disk was given to background IO');
  return file;
}
