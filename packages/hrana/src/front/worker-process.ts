// One worker as the server sees it: a process, the socket to it, and the request that it is busy
// with. It is given one request at a time: what waits can still go to another worker.

import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { extname } from 'node:path';

import type { Log } from '@skein/host';

import { type FrameHead, FrameReader, PARKED, READY, writeFrame } from '../frames.ts';
import { WORKER_FD, type WorkerSettings } from '../worker-settings.ts';

export interface WorkerHandlers {
  /** It has answered, or put the request aside; it has time for another one. */
  readonly onFree: (worker: WorkerProcess) => void;
  readonly onAnswer: (head: FrameHead, body: Buffer) => void;
  /** It is gone, and all its streams with it. */
  readonly onEnd: (worker: WorkerProcess) => void;
}

export class WorkerProcess {
  /** Streams that have their connection there. */
  readonly streams: Set<number> = new Set();
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #handlers: WorkerHandlers;
  readonly #log: Log;
  readonly #gone = Promise.withResolvers<void>();
  /** The request that it executes now. */
  #current: number | undefined;
  #isReady = false;
  #isGone = false;
  #isCorked = false;

  constructor(settings: WorkerSettings, handlers: WorkerHandlers, log: Log) {
    this.#handlers = handlers;
    this.#log = log;
    const script = new URL(`../worker/main${extname(import.meta.url)}`, import.meta.url);
    this.#child = fork(script, [JSON.stringify(settings)], {
      env: workerEnvironment(process.env),
      stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'ipc'],
    });
    this.#socket = this.#child.stdio[WORKER_FD] as Socket;
    const reader = new FrameReader((head, body) => this.#take(head, body));
    this.#socket.on('data', (chunk: Buffer) => reader.push(chunk));
    // Its end is told by the process.
    this.#socket.on('error', () => {});
    this.#child.once('error', (error) => this.#end(error.message));
    this.#child.once('exit', (code, signal) => this.#end(signal ?? `exit code ${code}`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isFree(): boolean {
    return this.#isReady && !this.#isGone && this.#current === undefined;
  }

  /** It has started. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** What is sent in one turn is one write: each one wakes the worker, which costs the most. */
  send(head: FrameHead, body?: Buffer): void {
    if (this.#isGone) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    writeFrame(this.#socket, head, body);
  }

  /** Only one that is free is given a request. */
  run(head: FrameHead, body: Buffer): void {
    this.#current = head.request;
    this.send(head, body);
  }

  /** The only end of a statement that does not come to one. */
  kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    return this.#gone.promise;
  }

  #take(head: FrameHead, body: Buffer): void {
    if (head.kind === READY) this.#isReady = true;
    else if (head.kind !== PARKED) this.#handlers.onAnswer(head, body);
    if (head.kind === READY || head.request === this.#current) {
      this.#current = undefined;
      this.#handlers.onFree(this);
    }
    if (head.kind === PARKED) this.#handlers.onAnswer(head, body);
  }

  #end(reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#socket.destroy();
    this.#log.debug('A process that executes SQL has ended', { pid: this.pid, reason });
    this.#gone.resolve();
    this.#handlers.onEnd(this);
  }
}

/** What SQLite asks for. The token of the server is no concern of SQL. */
function workerEnvironment({
  PATH,
  TZ,
  TMPDIR,
  SQLITE_TMPDIR,
}: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH, TZ, TMPDIR, SQLITE_TMPDIR };
}
