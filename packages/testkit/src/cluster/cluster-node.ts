// One node of a cluster under test: `skein mount` with a configuration of its own, on a host of its
// own or on this machine. It can be started, stopped, killed and frozen, as often as a test likes;
// its folders stay.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { askDaemon } from '../daemon/ask-daemon.ts';
import { type Daemon, startDaemon } from '../daemon/daemon.ts';

/** What the harness needs to know of GET /v1/status. */
export interface ClusterNodeStatus {
  readonly databases: readonly {
    readonly name: string;
    readonly txid: string;
    readonly checksum: string;
  }[];
  readonly cluster?: {
    readonly role: 'primary' | 'replica' | 'no-primary' | 'fenced';
    readonly epoch: number;
    /** The node has a stream from the primary, and has had all there was once. */
    readonly isCaughtUp?: boolean;
    /** Why the node is not what it is configured for. */
    readonly problems: readonly { readonly code: string; readonly message: string }[];
    readonly peers: readonly { readonly name: string; readonly aheadIn?: string }[];
  };
}

const LAST_LINE_COUNT = 20;

export interface ClusterNodeOptions {
  readonly name: string;
  /** Mountpoint, data, configuration and log are there. */
  readonly folder: string;
  /** What skein.yml says. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly prefix?: readonly string[];
  readonly isBuilt?: boolean;
}

export class ClusterNode {
  readonly name: string;
  readonly folder: string;
  readonly mountpoint: string;
  readonly dataFolder: string;
  readonly #options: ClusterNodeOptions;
  #daemon: Daemon | undefined;
  #isPaused = false;
  #endCount = 0;

  constructor(options: ClusterNodeOptions) {
    this.name = options.name;
    this.folder = options.folder;
    this.mountpoint = join(options.folder, 'mount');
    this.dataFolder = join(options.folder, 'data');
    this.#options = options;
    mkdirSync(options.folder, { recursive: true });
  }

  get pid(): number {
    return this.#running.pid;
  }

  get isRunning(): boolean {
    return this.#daemon !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** How often it was stopped or killed: clients from before have lost their files. */
  get endCount(): number {
    return this.#endCount;
  }

  /** What it has logged, of all its starts. */
  get log(): string {
    return existsSync(this.#logPath) ? readFileSync(this.#logPath, 'utf8') : '';
  }

  /** The end of its log, for the message of a failure. */
  get lastWords(): string {
    const lines = this.log.trimEnd().split('\n');
    return lines.slice(-LAST_LINE_COUNT).join('\n');
  }

  /** The path of a file on the mount. */
  path(name: string): string {
    return join(this.mountpoint, name);
  }

  /** Serves when this resolves. `changes` replace sections of the configuration for this start. */
  async start(changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
    assert(this.#daemon === undefined, `${this.name} is running`);
    const { config, prefix = [], isBuilt = false } = this.#options;
    const configPath = join(this.folder, 'skein.yml');
    // JSON is YAML.
    writeFileSync(configPath, JSON.stringify({ ...config, ...changes }, undefined, 2));
    this.#daemon = await startDaemon({
      mountpoint: this.mountpoint,
      dataFolder: this.dataFolder,
      logPath: this.#logPath,
      prefix,
      isBuilt,
      args: ['--config', configPath],
    });
  }

  async stop(): Promise<void> {
    this.resume();
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    this.#daemon = undefined;
    this.#endCount += 1;
    await daemon.stop();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const daemon = this.#running;
    this.#daemon = undefined;
    this.#endCount += 1;
    this.#isPaused = false;
    await daemon.kill();
  }

  /** SIGSTOP: it is there and does nothing, and its mount hangs. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    process.kill(this.pid, 'SIGCONT');
    this.#isPaused = false;
  }

  /** The body of GET, through the socket in the data folder: also when it is cut off. */
  async ask(path: string): Promise<string> {
    return askDaemon(this.dataFolder, path);
  }

  async status(): Promise<ClusterNodeStatus> {
    return JSON.parse(await this.ask('/v1/status')) as ClusterNodeStatus;
  }

  /** Where each database stands: `<TXID>/<checksum>` by name. */
  async positions(): Promise<Map<string, string>> {
    const { databases } = await this.status();
    return new Map(databases.map(({ name, txid, checksum }) => [name, `${txid}/${checksum}`]));
  }

  get #running(): Daemon {
    assert(this.#daemon !== undefined, `${this.name} is not running`);
    return this.#daemon;
  }

  get #logPath(): string {
    return join(this.folder, 'daemon.log');
  }
}
