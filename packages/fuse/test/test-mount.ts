// A real mount for tests, served by a worker of this process. Clients are other processes: one that
// touched a mount which it serves itself could wait for itself.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

import { createEventfd, signalEventfd } from '@skein/host';
import { onTestEnd, tempDir, watchMounts } from '@skein/testkit';

import { type FuseMount, mountFuse } from '../src/mount/mount.ts';
import { unmountFuse } from '../src/mount/unmount.ts';
import { RequestCounts } from '../src/request-counts.ts';
import type { Command, Event, Setup } from './scripted-daemon.ts';

/** A mount that a worker serves, with the events that the worker told. */
export class TestMount {
  readonly mount: FuseMount;
  readonly counts: RequestCounts = new RequestCounts();
  readonly #wakeFd = createEventfd();
  readonly #setup: Pick<Setup, 'flags' | 'files' | 'backingFd'>;
  readonly #events: Event[] = [];
  #worker: Worker | undefined;
  /** What ended the worker, if it did not end by itself. */
  crash: unknown;

  constructor(t: TestContext, setup: Partial<Setup> = {}) {
    const folder = tempDir(t);
    watchMounts(t, folder, 300_000);
    const mountpoint = join(folder, 'mnt');
    mkdirSync(mountpoint);
    this.mount = mountFuse({ mountpoint, source: 'test', subtype: 'test', allowOther: true });
    this.#setup = { flags: ['ASYNC_READ', 'BIG_WRITES'], files: { a: 'content' }, ...setup };
    onTestEnd(t, async () => {
      await unmountFuse(this.mount, { graceMs: 0 });
      await this.#worker?.terminate();
      closeSync(this.mount.fd);
      closeSync(this.#wakeFd);
    });
    this.start();
  }

  /** Starts a worker that serves, the first one or another one after it. */
  start(): void {
    const { fd, deviceMinor } = this.mount;
    const wakeFd = this.#wakeFd;
    const counts = this.counts.memory;
    const workerData: Setup = { fd, deviceMinor, wakeFd, counts, ...this.#setup };
    this.#worker = new Worker(new URL('scripted-daemon.ts', import.meta.url), { workerData });
    this.#worker.on('message', (event: Event) => this.#events.push(event));
    this.#worker.on('error', (error) => (this.crash = error));
  }

  /** Waits for the next event of a kind, leaving those of other kinds. */
  async next(kind: string): Promise<string> {
    for (;;) {
      const index = this.#events.findIndex((event) => event.kind === kind);
      if (index >= 0) return this.#events.splice(index, 1)[0]!.text;
      await once(this.#worker!, 'message');
    }
  }

  /** All events of a kind up to now, in which the worker must serve. */
  async all(kind: string): Promise<string[]> {
    // What it told before comes before this.
    await this.order({ do: 'echo' });
    return this.#events.filter((event) => event.kind === kind).map(({ text }) => text);
  }

  /** Gives an order and waits until it has been taken: "hold 0", if 0 replies are held. */
  async order(command: Command): Promise<string> {
    this.#worker!.postMessage(command, []);
    signalEventfd(this.#wakeFd);
    return await this.next('done');
  }

  /** Resolves when the worker has ended, for whatever reason. */
  exited(): Promise<void> {
    return new Promise((resolve) => this.#worker!.once('exit', () => resolve()));
  }

  /** Starts a Python program in the mount. */
  startClient(program: string): ChildProcess {
    const source = `import os, signal, sys, time\nos.chdir(sys.argv[1])\n${program}`;
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    return spawn('python3', ['-c', source, this.mount.mountpoint], { stdio: [...stdio] });
  }

  /** Runs a Python program in the mount; what it printed. */
  async client(program: string): Promise<string> {
    return await output(this.startClient(program));
  }
}

/** What a client prints until it ends, which must be well. */
export async function output(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.deepEqual([code, signal], [0, null], text);
  return text.trim();
}
