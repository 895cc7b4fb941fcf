// The program of the lake as a process: `skein lake serve` and `skein lake ingress`, from the
// sources. What it prints goes to a file.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { SOURCE_FLAGS } from '../source-flags.ts';

/** Of the workspace, seen from src/ and from dist/. */
const root = dirname(dirname(dirname(dirname(import.meta.dirname))));
const program = join(root, 'packages', 'lake', 'src', 'main.ts');

const POLL_MS = 50;
/** DuckDB's extensions take a second on a busy machine, and a reader waits for its catalog. */
const READY_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 60_000;
const LOG_LENGTH_MAX = 4000;

export interface LakeProcessOptions {
  /** "serve" or "ingress", and what it is told. */
  readonly args: readonly string[];
  readonly url: string;
  readonly logPath: string;
  /** Runs it in its own place: `['nsenter', '--net=…']`. */
  readonly prefix?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

export class LakeProcess {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process is gone, for whatever reason. */
  readonly ended: Promise<void>;
  readonly #logPath: string;
  readonly #kill: (signal: NodeJS.Signals) => void;
  #hasEnded = false;

  constructor(options: LakeProcessOptions) {
    const { args, url, logPath, prefix = [], environment = {} } = options;
    const [command, ...rest] = [...prefix, process.execPath, ...SOURCE_FLAGS, program, ...args];
    const log = openSync(logPath, 'a');
    // Its own process group: Ctrl-C in a terminal is ours, and we stop it in order.
    const child = spawn(command!, rest, {
      cwd: dirname(logPath),
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, UV_THREADPOOL_SIZE: '32', TZ: 'UTC', ...environment },
    });
    closeSync(log);
    this.url = url;
    this.pid = child.pid!;
    this.#logPath = logPath;
    this.#kill = (signal) => void child.kill(signal);
    this.ended = this.#watch(child);
  }

  get log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  /** It answers; a reader that waits for its catalog does not yet. */
  async ready(): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    while (!(await this.isReady())) {
      const isLate = performance.now() > deadlineMs;
      if (isLate || this.#hasEnded) {
        const what = isLate ? 'is not ready in time' : 'ended at its start';
        throw new Error(`${this.url} ${what}:\n${this.log.slice(-LOG_LENGTH_MAX)}`);
      }
      await sleep(POLL_MS);
    }
  }

  async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/readyz`);
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#kill('SIGTERM');
    await Promise.race([this.ended, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    await this.kill();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#kill('SIGKILL');
    await this.ended;
  }

  async #watch(child: ChildProcess): Promise<void> {
    await once(child, 'close');
    this.#hasEnded = true;
  }
}
