// One container: a service's program in namespaces of its own (mounts, processes, hostname, IPC, on
// a host of the virtual network), with its health, its log, and what is run in it besides.
//
// However the test ends, nothing stays: the first process dies with the test, all others of the
// container with the first, and their mounts with them.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { VirtualHost } from '@skein/testkit';

import type { Healthcheck } from './compose-file.ts';
import type { ContainerSpec } from './container-entry.ts';
import { privilegePrefix } from './privileges.ts';

export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy';

export interface ContainerOptions {
  /** "node1-1", as `ps` and logs show it. */
  readonly name: string;
  readonly host: VirtualHost;
  readonly spec: Omit<ContainerSpec, 'folder'>;
  readonly healthcheck: Healthcheck | undefined;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMs: number;
  readonly shouldRestart: (exitCode: number) => boolean;
  /** For its root and its log. */
  readonly folder: string;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const POLL_MS = 50;
/** Docker waits 100 ms, and longer each time. */
const RESTART_PAUSE_MS = 500;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** One that ends so often at its start does so for ever. */
const START_COUNT_MAX = 8;
const SIGNAL_EXIT_CODE = 128;

export class Container {
  readonly name: string;
  readonly host: VirtualHost;
  readonly #options: ContainerOptions;
  readonly #logPath: string;
  #child: ChildProcess | undefined;
  #health: Health;
  #exitCode: number | undefined;
  #startCount = 0;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: ContainerOptions) {
    this.name = options.name;
    this.host = options.host;
    this.#options = options;
    this.#logPath = join(options.folder, `${options.name}.log`);
    this.#health = options.healthcheck === undefined ? 'none' : 'starting';
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get health(): Health {
    return this.#health;
  }

  /** Of the last run; undefined while it runs. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** More than 1: it was restarted by itself. */
  get startCount(): number {
    return this.#startCount;
  }

  /** The number of its first process as the machine knows it; undefined before there is one. */
  get pid(): number | undefined {
    const pid = this.#child?.pid;
    if (pid === undefined) return undefined;
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
      return children === '' ? undefined : Number(children.split(' ')[0]);
    } catch {
      return undefined;
    }
  }

  get log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Asks by its signal, and kills it when its time is up. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#signal(this.#options.stopSignal);
    const timer = setTimeout(() => this.#signal('SIGKILL'), this.#options.stopGraceMs);
    await this.#running;
    clearTimeout(timer);
  }

  /** Nobody is asked. */
  async kill(): Promise<void> {
    this.#stopping.abort();
    this.#signal('SIGKILL');
    await this.#running;
  }

  /** Runs a command in it, with the rights of its program. */
  async exec(command: readonly string[], input?: string): Promise<ExecResult> {
    const { pid } = this;
    if (pid === undefined) throw new Error(`${this.name} is not running`);
    const { spec } = this.#options;
    const enter = ['nsenter', `--target=${pid}`, '--all', '--root', '--wd'];
    const [program, ...args] = [...enter, ...privilegePrefix(spec), ...command];
    const child = spawn(program!, args, { env: spec.environment });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < OUTPUT_BYTES_MAX) output[name] += text;
      });
    }
    // A program that does not read what it is given ends its input early.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { exitCode: code ?? SIGNAL_EXIT_CODE, ...output };
  }

  #signal(signal: NodeJS.Signals): void {
    // The first process of a PID namespace gets only signals that it handles, and SIGKILL.
    const { pid } = this;
    try {
      if (pid !== undefined) process.kill(pid, signal);
      else this.#child?.kill('SIGKILL');
    } catch (error) {
      // It has just ended by itself.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { shouldRestart } = this.#options;
    for (;;) {
      const ended = new AbortController();
      const watching = this.#watchHealth(ended.signal);
      this.#exitCode = undefined;
      const exitCode = await this.#runOnce();
      ended.abort();
      await watching;
      this.#exitCode = exitCode;
      if (signal.aborted || !shouldRestart(exitCode)) return;
      await sleep(RESTART_PAUSE_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }

  async #runOnce(): Promise<number> {
    const { host, spec, folder } = this.#options;
    const own = mkdtempSync(join(folder, `${this.name}-`));
    const entry = join(import.meta.dirname, 'container-entry.ts');
    const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', entry];
    const unshare = ['setpriv', '--pdeathsig=KILL', 'unshare', ...namespaces];
    const command = [...host.prefix, ...unshare, ...node];
    const [program, ...args] = [...command, JSON.stringify({ ...spec, folder: own })];
    const log = openSync(this.#logPath, 'a');
    try {
      this.#child = spawn(program, args, { stdio: ['ignore', log, log] });
    } finally {
      closeSync(log);
    }
    this.#startCount += 1;
    const [code] = (await once(this.#child, 'close')) as [number | null];
    this.#child = undefined;
    return code ?? SIGNAL_EXIT_CODE;
  }

  /** As Docker does it: failures count after the start period, a success ends that. */
  async #watchHealth(signal: AbortSignal): Promise<void> {
    const { healthcheck } = this.#options;
    if (healthcheck === undefined) return;
    const { intervalMs, startIntervalMs, startPeriodMs, retries } = healthcheck;
    this.#health = 'starting';
    const startedMs = performance.now();
    let failures = 0;
    while (!signal.aborted) {
      const isStarting =
        this.#health === 'starting' && performance.now() - startedMs < startPeriodMs;
      await sleep(isStarting ? startIntervalMs : intervalMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      const isHealthy = await this.#isHealthy(healthcheck);
      if (isHealthy) failures = 0;
      else if (!isStarting) failures += 1;
      if (isHealthy) this.#health = 'healthy';
      else if (failures >= retries) this.#health = 'unhealthy';
    }
  }

  async #isHealthy({ test, timeoutMs }: Healthcheck): Promise<boolean> {
    if (this.pid === undefined) return false;
    const command = ['timeout', String(timeoutMs / 1000), ...test];
    const { exitCode } = await this.exec(command);
    return exitCode === 0;
  }
}

/** Waits until `isSo`; throws when the time is up, with the end of the container's log. */
export async function waitForContainer(
  container: Container,
  what: string,
  isSo: () => boolean,
  timeoutMs: number,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isSo()) {
    const isHopeless = container.startCount > START_COUNT_MAX;
    if (isHopeless || performance.now() > deadlineMs) {
      const lines = container.log.trimEnd().split('\n').slice(-30);
      throw new Error(`${container.name} is not ${what} in time:\n${lines.join('\n')}`);
    }
    await sleep(POLL_MS);
  }
}
