// Stock SQLite in another process, driven statement by statement.
//
// A test never touches a mount from the process that serves it, and clients that are killed, or
// that hold a lock while another one waits, must be processes of their own. Each has one connection
// at a time. The same calls work with four drivers, which bring their own versions of SQLite and
// their own defaults: better-sqlite3, for one, uses synchronous=NORMAL in WAL mode.

import { fileURLToPath } from 'node:url';
import { extname } from 'node:path';
import type { TestContext } from 'node:test';

import { requirePart } from '../require-part.ts';
import { onTestEnd, type TestScope } from '../test-cleanup.ts';
import { ClientChild } from './client-child.ts';
import type { ClientProtocol, ClientRequest, OpenOptions } from './client-protocol.ts';
import { createJsonProtocol } from './json-protocol.ts';
import { shellProtocol } from './shell-protocol.ts';
import type { SqlValue } from './sql-value.ts';

export type SqliteDriver = 'python' | 'shell' | 'better-sqlite3' | 'node-sqlite';

export const SQLITE_DRIVERS: readonly SqliteDriver[] = [
  'python',
  'shell',
  'better-sqlite3',
  'node-sqlite',
];

const TIMEOUT_MS = 120_000;

export interface SqliteProcessOptions {
  /** Default "python". */
  readonly driver?: SqliteDriver;
  /** A statement that takes longer kills the client. Default two minutes. */
  readonly timeoutMs?: number;
  /** A command that runs the client: `['setpriv', '--reuid=65534']`, `['taskset', '-c', '0']`. */
  readonly prefix?: readonly string[];
}

/** Whether the machine has the driver; otherwise as `requirePart`. */
export function requireDriver(t: Pick<TestContext, 'skip'>, driver: SqliteDriver): boolean {
  if (driver === 'python') return requirePart(t, 'python3');
  return driver === 'shell' ? requirePart(t, 'sqlite3') : true;
}

/** Starts a client, which is killed at the end of the test at the latest. */
export function startSqlite(t: TestScope, options: SqliteProcessOptions = {}): SqliteProcess {
  const client = new SqliteProcess(options);
  onTestEnd(t, () => client.kill());
  return client;
}

export class SqliteProcess {
  readonly driver: SqliteDriver;
  readonly #protocol: ClientProtocol;
  readonly #child: ClientChild;
  readonly #timeoutMs: number;

  constructor(options: SqliteProcessOptions = {}) {
    this.driver = options.driver ?? 'python';
    this.#protocol = protocolOf(this.driver);
    this.#child = new ClientChild([...(options.prefix ?? []), ...this.#protocol.command]);
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Opens a database. By default for writing, and without waiting for locks. */
  async open(path: string, options: Partial<Omit<OpenOptions, 'path'>> = {}): Promise<void> {
    const { isReadOnly = false, busyTimeoutMs = 0 } = options;
    await this.#request({ command: 'open', path, isReadOnly, busyTimeoutMs });
  }

  /**
   * Runs one statement and returns its rows. Throws SqliteError if SQLite refuses,
   * SqliteClientError if the client dies of it.
   */
  async exec(sql: string, params: readonly SqlValue[] = []): Promise<SqlValue[][]> {
    return this.#request({ command: 'exec', sql, params });
  }

  /** The first value of the first row; undefined without a row. */
  async value(sql: string, params: readonly SqlValue[] = []): Promise<SqlValue | undefined> {
    const rows = await this.exec(sql, params);
    return rows[0]?.[0];
  }

  /** Closes the connection; the client can open another. */
  async close(): Promise<void> {
    await this.#request({ command: 'close' });
  }

  /** kill -9. Resolves when the process is gone; a statement under way fails. */
  async kill(): Promise<void> {
    await this.#child.kill();
  }

  async #request(request: ClientRequest<SqlValue>): Promise<SqlValue[][]> {
    return this.#child.request(this.#protocol.encode(request), this.#timeoutMs, (output) =>
      this.#protocol.decode(output),
    );
  }
}

function protocolOf(driver: SqliteDriver): ClientProtocol {
  if (driver === 'shell') return shellProtocol;
  if (driver === 'python') return createJsonProtocol(['python3', fileOf('python-client.py')]);
  const client = fileOf(`node-client${extname(import.meta.url)}`);
  return createJsonProtocol([process.execPath, client, driver]);
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
