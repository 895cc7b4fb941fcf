// A client of the history on the mount of one node: writes rows or looks at them, one thing after
// the other, until it is told to stop, and writes down what came of it.
//
// When its node ends, it loses its files like every client does, and opens them again when the node
// is back. An error at another time is one that replication has to answer for, and is kept.

import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import type { HistoryRecorder } from '../history/history-recorder.ts';
import { HISTORY_READ, HISTORY_WRITE, parseGlimpse } from '../history/state.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { SqliteProcess } from '../sqlite/sqlite-process.ts';
import type { ClusterNode } from './cluster-node.ts';

export interface HistoryClientOptions {
  readonly name: string;
  readonly node: ClusterNode;
  readonly isPrimary: boolean;
  /** The database on the mount. */
  readonly database: string;
  readonly recorder: HistoryRecorder;
  readonly random: SeededRandom;
  /** Between two operations, at most. */
  readonly pauseMaxMs: number;
}

/** On the primary clients wait for each other, as applications do. */
const BUSY_TIMEOUT_MS = 10_000;
/** A frozen node holds its clients up for as long as it is frozen. */
const STATEMENT_TIMEOUT_MS = 60_000;
const REOPEN_PAUSE_MS = 50;
/** One read in so many is a transaction of several statements. */
const TRANSACTION_EVERY = 10;
const TRANSACTION_HOLD_MAX_MS = 200;

abstract class HistoryClient {
  /** Errors that came while the node was there. */
  readonly errors: Error[] = [];
  protected readonly options: HistoryClientOptions;
  #client: SqliteProcess | undefined;
  /** Of the node, when the client opened its file. */
  #endCount = 0;
  #isStopping = false;
  #loop: Promise<void> | undefined;

  constructor(options: HistoryClientOptions) {
    this.options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loop;
    await this.#disconnect();
  }

  protected abstract step(client: SqliteProcess): Promise<void>;

  async #run(): Promise<void> {
    const { name, node, random, pauseMaxMs } = this.options;
    while (!this.#isStopping) {
      try {
        if (node.isRunning) await this.step(await this.#connected());
        else await sleep(REOPEN_PAUSE_MS);
      } catch (error) {
        if (node.isRunning && node.endCount === this.#endCount) {
          this.errors.push(new Error(`${name}: ${(error as Error).message}`, { cause: error }));
        }
        await this.#disconnect();
        await sleep(REOPEN_PAUSE_MS);
      }
      await sleep(random.int(0, pauseMaxMs));
    }
  }

  async #connected(): Promise<SqliteProcess> {
    if (this.options.node.endCount !== this.#endCount) await this.#disconnect();
    if (this.#client !== undefined) return this.#client;
    const { node, database, isPrimary } = this.options;
    const client = new SqliteProcess({ driver: 'node-sqlite', timeoutMs: STATEMENT_TIMEOUT_MS });
    this.#client = client;
    this.#endCount = node.endCount;
    // Never makes a file: where the mount has just gone it would be one of the folder below.
    const uri = `${pathToFileURL(node.path(database)).href}?mode=rw`;
    // A reader on a replica must never have to wait for the node that applies.
    await client.open(uri, { busyTimeoutMs: isPrimary ? BUSY_TIMEOUT_MS : 0 });
    return client;
  }

  async #disconnect(): Promise<void> {
    await this.#client?.kill();
    this.#client = undefined;
  }
}

export class HistoryWriter extends HistoryClient {
  protected async step(client: SqliteProcess): Promise<void> {
    const { name, recorder } = this.options;
    // What throws here leaves the outcome open, as it does for an application.
    await recorder.write({ client: name }, async (value) => {
      await client.exec('BEGIN IMMEDIATE');
      await client.exec(HISTORY_WRITE[0], [value]);
      await client.exec(HISTORY_WRITE[1]);
      await client.exec('COMMIT');
      return { outcome: 'acknowledged' };
    });
  }
}

export class HistoryReader extends HistoryClient {
  #transactionCount = 0;

  protected async step(client: SqliteProcess): Promise<void> {
    const { random } = this.options;
    if (random.int(1, TRANSACTION_EVERY) > 1) {
      await this.#read(client);
      return;
    }
    this.#transactionCount += 1;
    const transaction = `${this.options.name} ${this.#transactionCount}`;
    await client.exec('BEGIN');
    await this.#read(client, transaction);
    await sleep(random.int(0, TRANSACTION_HOLD_MAX_MS));
    await this.#read(client, transaction);
    await client.exec('COMMIT');
  }

  async #read(client: SqliteProcess, transaction?: string): Promise<void> {
    const { name, node, isPrimary, recorder } = this.options;
    const place = { client: name, node: node.name, isPrimary, transaction };
    await recorder.read(place, async () => {
      const [row] = await client.exec(HISTORY_READ);
      return parseGlimpse(row!);
    });
  }
}
