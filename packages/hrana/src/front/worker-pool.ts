// The processes that execute SQL, and who waits for one.
//
// A new stream goes to any worker that is free; what continues a stream goes to the worker that has
// its connection. So a long statement holds up nobody but the streams that are on its worker.
//
// Invariant: a request is given to one worker, once. It is answered, or its worker has gone.

import { assert } from '@skein/bytes';
import type { Log } from '@skein/host';

import {
  CLOSE,
  DONE,
  type FrameHead,
  OPEN,
  PARKED,
  RELEASED,
  RENEW,
  RUN,
  WAKE,
} from '../frames.ts';
import type { WorkerSettings } from '../worker-settings.ts';
import { type WorkerHandlers, WorkerProcess } from './worker-process.ts';

/** What is to be executed. */
export interface Work {
  readonly stream: number;
  readonly body: Buffer;
  /** For the first of a stream: how its database is opened. */
  readonly opening: { readonly database: string; readonly flags: number } | undefined;
}

export type WorkAnswer =
  | { readonly kind: 'answer'; readonly head: FrameHead; readonly body: Buffer }
  /** The worker is gone: killed for its slowness, or by itself. */
  | { readonly kind: 'lost'; readonly isSlow: boolean }
  /** Nobody has begun with it. */
  | { readonly kind: 'not-begun'; readonly reason: 'full' | 'closing' | 'stream-lost' | 'late' };

export interface PoolOptions {
  readonly settings: WorkerSettings;
  readonly sizeMax: number;
  readonly waitersMax: number;
  readonly statementMs: number;
  readonly log: Log;
}

interface Waiting {
  readonly work: Work;
  readonly resolve: (answer: WorkAnswer) => void;
  readonly timer: NodeJS.Timeout;
  readonly sinceMs: number;
}

interface StreamHome {
  readonly worker: WorkerProcess;
  readonly database: string;
}

interface Running {
  readonly worker: WorkerProcess;
  readonly stream: number;
  /** It waits for a lock. */
  isParked: boolean;
  readonly resolve: (answer: WorkAnswer) => void;
  timer: NodeJS.Timeout;
}

/**
 * Who has waited for so long has another worker started, where there may be more: statements are
 * long then. Those that are merely many are not executed any faster by more processes.
 */
const GROW_MS = 100;
/** A worker that dies at its start, over and over, is not started as fast as it dies. */
const RESTART_MS = 500;
/** Frames number requests in 32 bits. */
const REQUEST_MAX = 0xffff_ffff;

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #handlers: WorkerHandlers;
  readonly #workers = new Set<WorkerProcess>();
  readonly #homes = new Map<number, StreamHome>();
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<number, Running>();
  readonly #slow = new Set<WorkerProcess>();
  #lastRequest = 0;
  #growTimer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#handlers = {
      onFree: () => this.#dispatch(),
      onAnswer: (head, body) => this.#take(head, body),
      onEnd: (worker) => this.#lose(worker),
    };
    this.#start();
  }

  get pids(): readonly number[] {
    return [...this.#workers].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  run(work: Work): Promise<WorkAnswer> {
    return new Promise((resolve) => {
      if (this.#isClosing) return resolve({ kind: 'not-begun', reason: 'closing' });
      if (work.opening === undefined && !this.#homes.has(work.stream)) {
        return resolve({ kind: 'not-begun', reason: 'stream-lost' });
      }
      const worker = this.#workerFor(work);
      if (worker !== undefined) return this.#begin(worker, work, resolve);
      if (this.#waiting.length >= this.#options.waitersMax) {
        return resolve({ kind: 'not-begun', reason: 'full' });
      }
      const timer = setTimeout(() => this.#giveUp(work), this.#options.statementMs);
      this.#waiting.push({ work, resolve, timer, sinceMs: performance.now() });
      this.#growLater();
    });
  }

  /** Its transaction is rolled back. Not to be called while a request of it runs. */
  close(stream: number): void {
    const home = this.#homes.get(stream);
    if (home === undefined) return;
    home.worker.send({ request: 0, stream, kind: CLOSE, flags: 0 });
    this.forget(stream);
    this.#wakeNext(home.database);
  }

  /** The worker has closed it by itself. */
  forget(stream: number): void {
    this.#homes.get(stream)?.worker.streams.delete(stream);
    this.#homes.delete(stream);
  }

  /** The node has another role: what is kept for later is not used again. */
  renew(): void {
    for (const worker of this.#workers) {
      worker.send({ request: 0, stream: 0, kind: RENEW, flags: 0 });
    }
  }

  async end(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#growTimer);
    for (const { resolve, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      resolve({ kind: 'not-begun', reason: 'closing' });
    }
    await Promise.all([...this.#workers].map((worker) => worker.kill()));
  }

  #start(): void {
    if (this.#isClosing) return;
    const { settings, log } = this.#options;
    this.#workers.add(new WorkerProcess(settings, this.#handlers, log));
  }

  /** To be called whenever somebody begins to wait, or waits on and there is room for more. */
  #growLater(): void {
    const isWanted = this.#waiting.some(({ work }) => work.opening !== undefined);
    if (!isWanted || this.#workers.size >= this.#options.sizeMax) return;
    this.#growTimer ??= setTimeout(() => this.#grow(), GROW_MS);
  }

  #grow(): void {
    this.#growTimer = undefined;
    // One that starts looks for work when it has started, and then for those that are left.
    const isStarting = [...this.#workers].some((worker) => !worker.isReady);
    if (this.#workers.size >= this.#options.sizeMax || isStarting) return;
    const oldest = this.#waiting.find(({ work }) => work.opening !== undefined);
    if (oldest === undefined) return;
    const leftMs = oldest.sinceMs + GROW_MS - performance.now();
    if (leftMs <= 0) this.#start();
    else this.#growTimer = setTimeout(() => this.#grow(), leftMs);
  }

  /** Undefined: it has to wait. */
  #workerFor({ stream, opening }: Work): WorkerProcess | undefined {
    if (opening === undefined) {
      const own = this.#homes.get(stream)!.worker;
      return own.isFree ? own : undefined;
    }
    let best: WorkerProcess | undefined;
    for (const worker of this.#workers) {
      if (!worker.isFree) continue;
      if (best === undefined || worker.streams.size < best.streams.size) best = worker;
    }
    return best;
  }

  #begin(worker: WorkerProcess, work: Work, resolve: (answer: WorkAnswer) => void): void {
    const { stream, body, opening } = work;
    const request = this.#nextRequest();
    if (opening !== undefined) {
      const { database, flags } = opening;
      worker.send({ request: 0, stream, kind: OPEN, flags }, Buffer.from(database));
      worker.streams.add(stream);
      this.#homes.set(stream, { worker, database });
    }
    const timer = this.#watch(worker);
    this.#running.set(request, { worker, stream, resolve, timer, isParked: false });
    worker.run({ request, stream, kind: RUN, flags: 0 }, body);
  }

  #watch(worker: WorkerProcess): NodeJS.Timeout {
    return setTimeout(() => {
      this.#slow.add(worker);
      void worker.kill();
    }, this.#options.statementMs);
  }

  #nextRequest(): number {
    do {
      this.#lastRequest = (this.#lastRequest % REQUEST_MAX) + 1;
    } while (this.#running.has(this.#lastRequest));
    return this.#lastRequest;
  }

  #take(head: FrameHead, body: Buffer): void {
    const running = this.#running.get(head.request);
    assert(running !== undefined, 'A worker answers what it was asked');
    clearTimeout(running.timer);
    if (head.kind === PARKED) {
      running.isParked = true;
      // It waits for a lock, and then has all of its time.
      const { busyMs } = this.#options.settings;
      running.timer = setTimeout(() => {
        running.timer = this.#watch(running.worker);
      }, busyMs);
      return;
    }
    this.#running.delete(head.request);
    if (head.kind === DONE && (head.flags & RELEASED) !== 0) {
      this.#wakeNext(this.#homes.get(head.stream)?.database);
    }
    running.resolve({ kind: 'answer', head, body });
  }

  /** Who has waited longest for a lock of the database is tried next. */
  #wakeNext(database: string | undefined): void {
    for (const { isParked, worker, stream } of this.#running.values()) {
      if (!isParked || this.#homes.get(stream)?.database !== database) continue;
      worker.send({ request: 0, stream, kind: WAKE, flags: 0 });
      return;
    }
  }

  /** In their order, as far as there are workers for them. */
  #dispatch(): void {
    for (let i = 0; i < this.#waiting.length;) {
      const { work, resolve, timer } = this.#waiting[i]!;
      const worker = this.#workerFor(work);
      if (worker === undefined) {
        i += 1;
        continue;
      }
      this.#waiting.splice(i, 1);
      clearTimeout(timer);
      this.#begin(worker, work, resolve);
    }
    this.#growLater();
  }

  #giveUp(work: Work): void {
    const index = this.#waiting.findIndex((each) => each.work === work);
    assert(index !== -1, 'Who waits is in the list');
    const [{ resolve }] = this.#waiting.splice(index, 1) as [Waiting];
    resolve({ kind: 'not-begun', reason: 'late' });
  }

  #lose(worker: WorkerProcess): void {
    this.#workers.delete(worker);
    const isSlow = this.#slow.delete(worker);
    for (const stream of worker.streams) this.#homes.delete(stream);
    for (const [request, running] of this.#running) {
      if (running.worker !== worker) continue;
      clearTimeout(running.timer);
      this.#running.delete(request);
      running.resolve({ kind: 'lost', isSlow });
    }
    this.#refuseLost();
    if (this.#isClosing) return;
    const { log } = this.#options;
    const reason = isSlow ? 'a statement took too long' : 'it has ended by itself';
    log.warn('A process that executes SQL is replaced', { pid: worker.pid, reason });
    if (this.#workers.size > 0) {
      this.#growLater();
      return;
    }
    setTimeout(
      () => {
        if (this.#workers.size === 0) this.#start();
      },
      isSlow ? 0 : RESTART_MS,
    );
  }

  /** Who waits for a worker that is gone waits in vain. */
  #refuseLost(): void {
    const lost = this.#waiting.filter(({ work: { opening, stream } }) => {
      return opening === undefined && !this.#homes.has(stream);
    });
    for (const each of lost) {
      this.#waiting.splice(this.#waiting.indexOf(each), 1);
      clearTimeout(each.timer);
      each.resolve({ kind: 'not-begun', reason: 'stream-lost' });
    }
  }
}
