// A node that serves a mount, in another process: a test touches the mount as any client does, and
// can kill the daemon under it.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { DEFAULT_ENGINE_OPTIONS } from '@skein/engine';
import { onTestEnd, SOURCE_FLAGS, tempDir, type TestScope, watchMounts } from '@skein/testkit';

import type { MountConfig } from '../src/config/mount-config.ts';

export interface NodeOptions {
  readonly config?: Partial<MountConfig>;
  /** A module that the daemon loads first, in each of its threads. */
  readonly preload?: URL;
  /** A command that runs the daemon: `['setpriv', '--reuid=65534']`. */
  readonly prefix?: readonly string[];
  /** After this time the test fails and its mounts are aborted. Default five minutes. */
  readonly timeoutMs?: number;
  /** Where mountpoint and data folder are; default a folder that goes with the test. */
  readonly folder?: string;
}

export interface NodeEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How long it took from the call. */
  readonly tookMs: number;
}

/**
 * Small segments, which are kept: tests look into the log, and rotate it. With PASSTHROUGH=off the
 * same tests run as on a kernel without, where every read and write of a journal is ours.
 */
const SMALL = {
  passthrough: process.env['PASSTHROUGH'] === 'off' ? 'off' : 'auto',
  segmentBytes: 4 * 1024 * 1024,
  checkpointBytes: 8 * 1024 * 1024,
  retentionMs: 3_600_000,
} satisfies Partial<MountConfig>;

/** A node promises to end within ten seconds, on a machine that does nothing else. */
const STOP_TIMEOUT_MS = 60_000;

/** Longer than a recovery takes on a machine that does other things too. */
const START_TIMEOUT_MS = 120_000;

const DAEMON = fileURLToPath(new URL('daemon-process.ts', import.meta.url));

/** What a node of a test is told, but for what the test changes. */
export function testConfig(
  folders: Pick<MountConfig, 'mountpoint' | 'dataFolder'>,
  config: Partial<MountConfig>,
): MountConfig {
  const { mountpoint, dataFolder } = folders;
  return {
    mountpoint,
    dataFolder,
    allowOther: true,
    stayAwake: 'off',
    pinCpu: undefined,
    ...DEFAULT_ENGINE_OPTIONS,
    http: undefined,
    cluster: undefined,
    proxy: undefined,
    sql: undefined,
    exec: [],
    log: { format: 'text', level: 'info' },
    ...SMALL,
    ...config,
  };
}

/** Starts a node, which is stopped at the end of the test at the latest. */
export async function startNode(t: TestScope, options: NodeOptions = {}): Promise<TestNode> {
  const folder = options.folder ?? tempDir(t);
  watchMounts(t, folder, options.timeoutMs ?? 300_000);
  const node = new TestNode(folder, options);
  onTestEnd(t, async () => {
    await node.stop();
  });
  await node.start();
  return node;
}

export class TestNode {
  readonly folder: string;
  readonly mountpoint: string;
  readonly dataFolder: string;
  readonly #options: NodeOptions;
  #process: ChildProcess | undefined;
  #end: Promise<Omit<NodeEnd, 'tookMs'>> = Promise.resolve({ code: 0, signal: null });

  constructor(folder: string, options: NodeOptions) {
    this.folder = folder;
    this.mountpoint = join(folder, 'mnt');
    this.dataFolder = join(folder, 'data');
    this.#options = options;
  }

  get pid(): number {
    assert(this.#process?.pid !== undefined, 'The node is not running');
    return this.#process.pid;
  }

  /** Everything that the daemon has logged, of all its starts. */
  get log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  /** The path of a file on the mount. */
  path(name: string): string {
    return join(this.mountpoint, name);
  }

  /** Where a database stands: `<TXID>/<checksum>`. */
  position(name: string): string {
    return readFileSync(this.path(`${name}-pos`), 'latin1').trimEnd();
  }

  /** Number of the last transaction of a database. */
  txid(name: string): number {
    return Number.parseInt(this.position(name).slice(0, 16), 16);
  }

  /** Starts the daemon, for the first time or again. Rejects with its log when it ends at once. */
  async start(config: Partial<MountConfig> = {}): Promise<void> {
    const { preload, prefix = [] } = this.#options;
    const preloads = preload === undefined ? [] : ['--import', preload.href];
    const json = JSON.stringify(testConfig(this, { ...this.#options.config, ...config }));
    const command = [...prefix, process.execPath, ...SOURCE_FLAGS, ...preloads, DAEMON, json];
    const log = openSync(this.#logPath, 'a');
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', log] });
    closeSync(log);
    this.#process = child;
    this.#end = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    await this.#ready(child);
  }

  /** Resolves when the daemon has ended, by itself or because somebody made it. */
  async ended(): Promise<NodeEnd> {
    const started = performance.now();
    const end = await this.#end;
    return { ...end, tookMs: performance.now() - started };
  }

  /** Asks the daemon to end, and waits. Harmless when it has ended already. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<NodeEnd> {
    const child = this.#process;
    child?.kill(signal);
    let isStuck = false;
    const timer = setTimeout(() => {
      isStuck = true;
      child?.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    const end = await this.ended();
    clearTimeout(timer);
    assert(!isStuck, `The daemon does not end:\n${this.log}`);
    return end;
  }

  /** kill -9. Its mount stays behind, and answers nobody. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  get #logPath(): string {
    return join(this.folder, 'daemon.log');
  }

  async #ready(child: ChildProcess): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let output = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (output.includes('ready\n')) resolve();
    });
    const fail = (why: string): void => reject(new Error(`${why}:\n${this.log}`));
    const timer = setTimeout(() => fail('The daemon is not ready in time'), START_TIMEOUT_MS);
    void this.#end.then(() => fail('The daemon ended before it was ready'), reject);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}
