// For the tests: the example as a process of its own, mirroring one folder on another.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { onTestEnd, SOURCE_FLAGS, tempDir, watchMounts } from '@skein/testkit';

const MAIN = join(import.meta.dirname, 'main.ts');

/** The command line of the daemon, for who wants to start it in some other way. */
export function daemonCommand(source: string, mountpoint: string): readonly string[] {
  return [process.execPath, ...SOURCE_FLAGS, MAIN, source, mountpoint];
}

export class MirrorProcess {
  readonly source: string;
  readonly mountpoint: string;
  /** What the daemon has printed so far, on either stream. */
  printed = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;

  private constructor(source: string, mountpoint: string) {
    this.source = source;
    this.mountpoint = mountpoint;
    const [command, ...args] = daemonCommand(source, mountpoint);
    this.#child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.printed += chunk.toString()));
    }
  }

  /** Starts a daemon on two new folders and waits until it serves. */
  static async start(t: TestContext): Promise<MirrorProcess> {
    const folder = tempDir(t);
    watchMounts(t, folder, 300_000);
    const source = join(folder, 'source');
    const mountpoint = join(folder, 'mirror');
    mkdirSync(source);
    mkdirSync(mountpoint);
    return await MirrorProcess.startOn(t, source, mountpoint);
  }

  static async startOn(t: TestContext, source: string, mountpoint: string): Promise<MirrorProcess> {
    const mirror = new MirrorProcess(source, mountpoint);
    onTestEnd(t, async () => {
      await mirror.stop();
    });
    while (!mirror.printed.includes('mirrors ') && mirror.#child.exitCode === null) {
      await Promise.race([once(mirror.#child.stdout!, 'data'), mirror.#closed]);
    }
    return mirror;
  }

  /** Waits for the daemon to end by itself. Its exit code. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }

  /** Asks the daemon to end and waits for that. Its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return await this.ended();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

/** Runs a Python program in a folder; what it prints. Rejects when it fails. */
export async function runPython(folder: string, program: string): Promise<string> {
  const client = startPython(folder, program);
  let printed = '';
  client.stdout!.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const [code] = (await once(client, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The client ended with ${code}: ${printed}`);
  return printed;
}

export function startPython(folder: string, program: string): ChildProcess {
  const imports = 'import errno, hashlib, mmap, os, random, sys, time';
  const source = `${imports}\nos.chdir(sys.argv[1])\n${program}`;
  return spawn('python3', ['-c', source, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
}
