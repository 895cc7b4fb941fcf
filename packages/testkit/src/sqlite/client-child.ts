// A child process that answers requests, one at a time: what all SQLite clients have in common.

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

import { SqliteClientError } from './sqlite-error.ts';

/** How long a killed process may take to be gone. One that hangs in a dead mount stays for ever. */
const EXIT_TIMEOUT_MS = 60_000;

/** Everything that came since the request. */
export interface ChildOutput {
  readonly stdout: string;
  readonly stderr: string;
}

interface Waiting {
  /** The answer, once the output is complete. */
  readonly parse: (output: ChildOutput) => unknown;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class ClientChild {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<void>;
  #waiting: Waiting | undefined;
  #stdout = '';
  #stderr = '';
  #end: string | undefined;

  constructor(command: readonly string[]) {
    const [program, ...args] = command;
    this.#process = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stdout += chunk;
      this.#deliver();
    });
    this.#process.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr += chunk;
      this.#deliver();
    });
    // What a dying child does not read is no news: its exit is.
    this.#process.stdin.on('error', () => {});
    this.#exited = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#end ??= how;
        this.#fail(new SqliteClientError('CLIENT_EXITED', `${how}: ${this.#stderr}`));
        resolve();
      };
      this.#process.once('error', (error) => end(`The client did not start (${error.message})`));
      this.#process.once('close', (code, signal) => {
        end(`The client ended (${signal ?? `exit code ${code}`})`);
      });
    });
  }

  get pid(): number {
    assert(this.#process.pid !== undefined, 'The client did not start');
    return this.#process.pid;
  }

  /**
   * Writes a request and returns what `parse` makes of the output, as soon as that is not
   * undefined. A child that takes longer than `timeoutMs` is killed.
   */
  async request<T>(
    text: string,
    timeoutMs: number,
    parse: (output: ChildOutput) => T | undefined,
  ): Promise<T> {
    assert(this.#waiting === undefined, 'The client is still busy with another request');
    if (this.#end !== undefined) throw new SqliteClientError('CLIENT_EXITED', this.#end);
    this.#stdout = '';
    this.#stderr = '';
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting = { parse, resolve, reject };
    });
    const timer = setTimeout(() => {
      this.#process.kill('SIGKILL');
      const message = `No answer within ${timeoutMs} ms to: ${text}`;
      this.#fail(new SqliteClientError('CLIENT_TIMEOUT', message));
    }, timeoutMs);
    this.#process.stdin.write(text);
    try {
      return (await answer) as T;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when the process is gone; rejects if it stays, stuck in the kernel. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`The client ${this.pid} survives kill -9: it hangs in the kernel`));
      }, EXIT_TIMEOUT_MS);
    });
    try {
      await Promise.race([this.#exited, stuck]);
    } finally {
      clearTimeout(timer);
    }
  }

  #deliver(): void {
    if (this.#waiting === undefined) return;
    const { parse, resolve, reject } = this.#waiting;
    try {
      const answer = parse({ stdout: this.#stdout, stderr: this.#stderr });
      if (answer === undefined) return;
      this.#waiting = undefined;
      resolve(answer);
    } catch (error) {
      this.#waiting = undefined;
      reject(error as Error);
    }
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}
