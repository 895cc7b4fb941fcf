// A node of the real LiteFS, as another program: `litefs mount` with a static lease. Its path is in
// SKEIN_TEST_LITEFS; there is none to be installed from a package.
//
// It can be started, stopped and killed as often as a test likes, each time as the primary or as a
// replica of somebody; its folders stay.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

import { waitUntil } from '../cluster/wait-until.ts';
import { detachMount, findMount } from '../mounts.ts';
import { requirePart } from '../require-part.ts';

export interface LitefsNodeOptions {
  readonly program: string;
  /** Mountpoint, data, configuration and log are there. */
  readonly folder: string;
  readonly port: number;
  /** Default: this machine alone. */
  readonly host?: string;
  /** A command that runs it on a host of its own. */
  readonly prefix?: readonly string[];
}

export type LitefsRole =
  /** The name that replicas are told. */
  | { readonly leadsAs: string }
  /** The primary's URL. */
  | { readonly follows: string };

const POSITION_SUFFIX = '-pos';

const runFile = promisify(execFile);

const START_TIMEOUT_MS = 20_000;
/** It waits for locks of clients when it ends, without a limit. */
const STOP_TIMEOUT_MS = 15_000;

/** Path of the program; undefined when none is given. */
export function findLitefs(): string | undefined {
  return process.env['SKEIN_TEST_LITEFS'];
}

/** As findLitefs(); the test is skipped when there is none. */
export function requireLitefs(t: TestContext): string | undefined {
  const program = findLitefs();
  if (program === undefined) {
    // Not an error in CI either: the program is not among what a machine can be given there.
    t.skip('SKEIN_TEST_LITEFS does not name a LiteFS program');
    return undefined;
  }
  return requirePart(t, 'fusermount3') ? program : undefined;
}

export class LitefsNode implements AsyncDisposable {
  readonly mountpoint: string;
  readonly dataFolder: string;
  readonly url: string;
  readonly #options: LitefsNodeOptions;
  readonly #host: string;
  #child: ChildProcess | undefined;

  constructor(options: LitefsNodeOptions) {
    const { folder, port, host = '127.0.0.1' } = options;
    this.#options = options;
    this.#host = host;
    this.mountpoint = join(folder, 'mount');
    this.dataFolder = join(folder, 'data');
    this.url = `http://${host}:${port}`;
    mkdirSync(this.mountpoint, { recursive: true });
  }

  /** What it has logged, of all its starts. */
  get log(): string {
    return existsSync(this.#logPath) ? readFileSync(this.#logPath, 'utf8') : '';
  }

  /** The path of a file on the mount. */
  path(name: string): string {
    return join(this.mountpoint, name);
  }

  /** Serves when this resolves. */
  async start(role: LitefsRole): Promise<void> {
    assert(this.#child === undefined, 'LiteFS is running');
    const { folder, program, prefix = [] } = this.#options;
    const configPath = join(folder, 'litefs.yml');
    // JSON is YAML.
    writeFileSync(configPath, JSON.stringify(this.#configOf(role), undefined, 2));
    const log = openSync(this.#logPath, 'a');
    const [command, ...args] = [...prefix, program, 'mount', '-config', configPath];
    const child = spawn(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    const isServing = (): boolean => {
      this.assertRuns();
      return findMount(this.mountpoint) !== undefined;
    };
    await waitUntil('LiteFS is mounted', isServing, START_TIMEOUT_MS);
  }

  /** Throws with its last words if it has ended by itself, as it does when it cannot go on. */
  assertRuns(): void {
    const child = this.#child;
    const isRunning = child !== undefined && child.exitCode === null && child.signalCode === null;
    if (!isRunning) throw new Error(`LiteFS does not run:\n${this.log}`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.resume();
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGSTOP: it is there and does nothing, and its mount hangs. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Where each database stands, as its mount tells: `<TXID>/<checksum>` by name. */
  positions(): Map<string, string> {
    const names = readdirSync(this.mountpoint).filter((name) => name.endsWith(POSITION_SUFFIX));
    return new Map(
      names.map((name) => [
        name.slice(0, -POSITION_SUFFIX.length),
        readFileSync(this.path(name), 'latin1').trimEnd(),
      ]),
    );
  }

  /** The LTX files of a database that it keeps, the oldest first. */
  ltxFiles(name: string): string[] {
    const names = readdirSync(this.#ltxFolder(name)).filter((each) => each.endsWith('.ltx'));
    return names.toSorted();
  }

  /** As its retention does: all but the newest LTX file of a database are gone. */
  forgetLtx(name: string): void {
    for (const file of this.ltxFiles(name).slice(0, -1)) rmSync(join(this.#ltxFolder(name), file));
  }

  /** `litefs export`; returns the path of the file. */
  async exportDatabase(name: string): Promise<string> {
    const path = join(this.#options.folder, 'exported.db');
    await this.#run('export', name, path);
    return path;
  }

  /** `litefs import`: the file becomes the content of a database, on the primary. */
  async importDatabase(name: string, path: string): Promise<void> {
    await this.#run('import', name, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(command: 'export' | 'import', name: string, path: string): Promise<void> {
    const { program, prefix = [] } = this.#options;
    const asked = [program, command, '-url', this.url, '-name', name, path];
    const [first, ...args] = [...prefix, ...asked];
    await runFile(first!, args);
  }

  get #logPath(): string {
    return join(this.#options.folder, 'litefs.log');
  }

  #ltxFolder(name: string): string {
    return join(this.dataFolder, 'dbs', name, 'ltx');
  }

  #configOf(role: LitefsRole): object {
    const { port } = this.#options;
    const isPrimary = 'leadsAs' in role;
    return {
      fuse: { dir: this.mountpoint },
      data: { dir: this.dataFolder },
      http: { addr: `${this.#host}:${port}` },
      lease: {
        type: 'static',
        candidate: isPrimary,
        hostname: isPrimary ? role.leadsAs : 'primary',
        'advertise-url': isPrimary ? this.url : role.follows,
      },
    };
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    // What it has left behind answers nobody any more.
    const mount = findMount(this.mountpoint);
    if (mount !== undefined) detachMount(mount);
  }
}
