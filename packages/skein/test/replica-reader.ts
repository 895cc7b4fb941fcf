// Readers of a replica that never rest (replica-reader.py), and the writer whose invariant they
// check.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';

import { onTestEnd, type SqliteProcess, type TestScope } from '@skein/testkit';

const READER = fileURLToPath(new URL('replica-reader.py', import.meta.url));
const WRITER = fileURLToPath(new URL('replica-writer.py', import.meta.url));

/** `reopen`: a connection for each transaction. */
export type ReaderMode = 'stay' | 'reopen';

export interface ReaderReport {
  readonly reads: number;
  /** How many rows the last transaction saw. */
  readonly last: number;
  readonly errors: readonly string[];
}

export class RestlessReader {
  readonly #child: ChildProcess;
  readonly #output: Promise<string>;

  /** Starts a reader, which is killed at the end of the test at the latest. */
  static async start(t: TestScope, path: string, mode: ReaderMode): Promise<RestlessReader> {
    const child = spawn('python3', [READER, path, mode], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestEnd(t, () => void child.kill('SIGKILL'));
    await once(child.stdout, 'readable');
    return new RestlessReader(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#output = text(child.stdout!);
  }

  async stop(): Promise<ReaderReport> {
    this.#child.stdin!.end();
    const output = await this.#output;
    return JSON.parse(output.trimEnd().split('\n').at(-1)!) as ReaderReport;
  }

  /** Ends it; fails the test if it ever met an error. Returns how many rows it saw last. */
  async stopWell(): Promise<number> {
    const { reads, last, errors } = await this.stop();
    assert.deepEqual(errors, []);
    assert.ok(reads > 0, 'A reader never read');
    return last;
  }
}

/** Makes what the readers check. */
export async function makeCounted(writer: SqliteProcess): Promise<void> {
  await writer.exec('BEGIN');
  await writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body)');
  await writer.exec('CREATE TABLE counted (n)');
  await writer.exec('INSERT INTO counted VALUES (0)');
  await writer.exec('COMMIT');
}

/** One transaction of the writer: so many rows more. */
export async function addRows(writer: SqliteProcess, count = 1, bytes = 100): Promise<void> {
  await writer.exec('BEGIN IMMEDIATE');
  for (let row = 0; row < count; row++) {
    await writer.exec('INSERT INTO t (body) VALUES (randomblob(?))', [bytes]);
  }
  await writer.exec('UPDATE counted SET n = n + ?', [count]);
  await writer.exec('COMMIT');
}

export interface Load {
  readonly transactions: number;
  /** Of each. */
  readonly rows?: number;
  readonly bytes?: number;
}

/** Many transactions, as fast as the primary takes them. */
export async function writeMany(path: string, load: Load): Promise<void> {
  const { transactions, rows = 1, bytes = 100 } = load;
  const args = [path, transactions, rows, bytes].map(String);
  const child = spawn('python3', [WRITER, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = text(child.stderr);
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, await said);
}
