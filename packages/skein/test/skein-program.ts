// The program `skein` as a child process, run from its sources.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';

import { SOURCE_FLAGS } from '@skein/testkit';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

export interface ProgramRun {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Buffer;
  /** A command that runs the program: `['setpriv', '--reuid=65534']`. */
  readonly prefix?: readonly string[];
  /** Gets standard output instead, to read as much of it as it likes. */
  readonly onStdout?: (stdout: Readable) => void;
}

/** Runs the program to its end. */
export async function runSkein(
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProgramRun> {
  const { cwd, env = {}, input, prefix = [], onStdout } = options;
  const [program, ...rest] = [...prefix, process.execPath, ...SOURCE_FLAGS, MAIN, ...args];
  const child = spawn(program!, rest, { cwd, env: { ...process.env, ...env } });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  onStdout?.(child.stdout);
  const stdout = onStdout === undefined ? buffer(child.stdout) : Promise.resolve(Buffer.alloc(0));
  const stderr = text(child.stderr);
  return { exitCode: await ended, stdout: await stdout, stderr: await stderr };
}
