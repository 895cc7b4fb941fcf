// A primary and a replica that follows it, in one other process (pair-process.ts): clients use both
// mounts, and the test says when the replica is to have caught up.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { onTestEnd, SOURCE_FLAGS, tempDir, type TestScope, watchMounts } from '@skein/testkit';

import type { MountConfig } from '../src/config/mount-config.ts';
import type { NodeShownState } from '../src/mount/shown-state.ts';
import { eventually } from './eventually.ts';
import type { PairCommand } from './pair-command.ts';
import { testConfig } from './test-node.ts';

const PROCESS = fileURLToPath(new URL('pair-process.ts', import.meta.url));
const START_TIMEOUT_MS = 120_000;
const CATCH_UP_TIMEOUT_MS = 120_000;

export interface PairOptions {
  /** Of both. */
  readonly config?: Partial<MountConfig>;
  readonly timeoutMs?: number;
}

/** Starts a pair, which is stopped at the end of the test at the latest. */
export async function startPair(t: TestScope, options: PairOptions = {}): Promise<NodePair> {
  const folder = tempDir(t);
  watchMounts(t, folder, options.timeoutMs ?? 600_000);
  const pair = new NodePair(folder, options.config ?? {});
  onTestEnd(t, () => pair.stop());
  await pair.start();
  return pair;
}

/** One of the two, as its clients see it. */
export class PairMember {
  readonly mountpoint: string;
  readonly dataFolder: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.mountpoint = join(folder, 'mnt');
    this.dataFolder = join(folder, 'data');
  }

  path(name: string): string {
    return join(this.mountpoint, name);
  }

  /** Where a database stands; undefined where there is none. */
  position(name: string): string | undefined {
    try {
      return readFileSync(this.path(`${name}-pos`), 'latin1').trimEnd();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

export class NodePair {
  readonly primary: PairMember;
  readonly replica: PairMember;
  readonly #logPath: string;
  readonly #config: Partial<MountConfig>;
  readonly #answers: Array<(line: string) => void> = [];
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(folder: string, config: Partial<MountConfig>) {
    this.primary = new PairMember(join(folder, 'primary'));
    this.replica = new PairMember(join(folder, 'replica'));
    this.#logPath = join(folder, 'pair.log');
    this.#config = config;
  }

  get log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  async start(): Promise<void> {
    const configs = {
      primary: testConfig(this.primary, this.#config),
      replica: testConfig(this.replica, this.#config),
    };
    const log = openSync(this.#logPath, 'a');
    const child = spawn(process.execPath, [...SOURCE_FLAGS, PROCESS, JSON.stringify(configs)], {
      stdio: ['pipe', 'pipe', log],
    });
    closeSync(log);
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    createInterface({ input: child.stdout! }).on('line', (line) => this.#answers.shift()?.(line));
    await this.#answer('ready', START_TIMEOUT_MS);
  }

  async tell(command: PairCommand): Promise<unknown> {
    this.#process!.stdin!.write(`${JSON.stringify(command)}\n`);
    return JSON.parse(await this.#answer(command.kind, CATCH_UP_TIMEOUT_MS)) as unknown;
  }

  async show(state: NodeShownState): Promise<void> {
    await this.tell({ kind: 'show', state });
  }

  /** Waits until readers of the replica see what is committed on the primary now. */
  async caughtUp(name: string): Promise<void> {
    const wanted = this.primary.position(name);
    const isThere = (): boolean => (this.replica.position(name) ?? '') >= (wanted ?? '');
    await eventually(name, isThere, CATCH_UP_TIMEOUT_MS).catch(async (error: unknown) => {
      const status = JSON.stringify(await this.tell({ kind: 'status' }));
      const { message } = error as Error;
      assert.fail(`${message}, at ${wanted} on the primary\n${status}\n${this.log}`);
    });
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.stdin!.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), CATCH_UP_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
    assert.equal(child.exitCode, 0, `The pair did not end well:\n${this.log}`);
  }

  /** kill -9. The mounts stay behind, and answer nobody. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#ended;
    this.#process = undefined;
  }

  /** The next line of the process. */
  async #answer(what: string, timeoutMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#answers.push(resolve);
    const fail = (): void => reject(new Error(`No answer to ${what}:\n${this.log}`));
    const timer = setTimeout(fail, timeoutMs);
    void this.#ended.then(fail);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}
