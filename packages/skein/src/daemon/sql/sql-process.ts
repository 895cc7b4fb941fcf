// The daemon's end of the process that serves SQL over HTTP: starts it, tells it what the node is
// and where its databases stand, and starts it again when it has ended by itself.
//
// Invariant: nothing that happens to it harms the daemon. What it holds of the mount is gone when
// close() has resolved.

import { type ChildProcess, fork } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';

import { CodedError } from '@skein/bytes';
import type { SqlServerErrorCode } from '@skein/hrana';
import type { Log } from '@skein/host';

import type { MountConfig } from '../../config/mount-config.ts';
import type { SqlConfig } from '../../config/sql-config.ts';
import { childEnvironment } from '../child-commands.ts';
import { FeedChanges } from '../proxy/feed-changes.ts';
import type { SqlFeed } from './sql-feed.ts';
import type { FromSql, ToSql } from './sql-messages.ts';

export type SqlProcessErrorCode =
  | SqlServerErrorCode
  /** For a reason that has no code of its own. */
  | 'SQL_FAILED';

/** The SQL server could not start. */
export class SqlProcessError extends CodedError<SqlProcessErrorCode> {
  override readonly name = 'SqlProcessError';
}

/** Doubled with each start that is not followed by some time of service. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 10_000;
/** Who has served for so long is started again at once. */
const SERVED_MS = 30_000;
/** Requests under way have two seconds; then its workers are killed. */
const CLOSE_MS = 4_000;

export class SqlProcess {
  readonly #config: MountConfig;
  readonly #feed: SqlFeed;
  readonly #log: Log;
  readonly #listening = Promise.withResolvers<AddressInfo>();
  #sql: SqlConfig;
  #child: ChildProcess | undefined;
  #changes: FeedChanges;
  #restartMs = RESTART_MS_MIN;
  #startedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isChanged = false;
  #isSending = false;
  #isClosing = false;

  constructor(config: MountConfig, feed: SqlFeed, log: Log) {
    this.#config = config;
    this.#sql = config.sql!;
    this.#feed = feed;
    this.#log = log;
    this.#changes = new FeedChanges(feed);
    this.#listening.promise.catch(() => undefined);
    feed.onChange(() => this.#changed());
    this.#start();
  }

  /** Of its first start. Rejects with SqlProcessError. */
  get listening(): Promise<AddressInfo> {
    return this.#listening.promise;
  }

  /** Undefined: it is about to be started again. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Requests under way have a while to end, transactions that are open roll back. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    this.#send({ kind: 'close' });
    const timer = setTimeout(() => killGroup(child), CLOSE_MS);
    await ended;
    clearTimeout(timer);
  }

  #start(): void {
    const script = new URL(`sql-server-process${extname(import.meta.url)}`, import.meta.url);
    const child = fork(script, [], {
      env: childEnvironment(process.env),
      serialization: 'advanced',
      // A group of its own, with its workers: they can be ended together, and Ctrl-C in a terminal
      // is for the daemon, which ends them in order.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#startedMs = performance.now();
    this.#changes = new FeedChanges(this.#feed);
    this.#isSending = false;
    child.on('message', (message) => this.#take(message as FromSql));
    child.once('error', (error) => this.#lost(child, error.message));
    child.once('exit', (code, signal) => this.#lost(child, signal ?? `exit code ${code}`));
    const { mountpoint: folder, log } = this.#config;
    const { nodeName } = this.#feed;
    this.#send({ kind: 'start', settings: { config: this.#sql, nodeName, folder, log } });
    this.#push();
  }

  #take(message: FromSql): void {
    if (message.kind === 'listening') {
      // The port stays, also where any was good enough.
      const { port } = message.address;
      this.#sql = { ...this.#sql, address: { ...this.#sql.address, port } };
      this.#listening.resolve(message.address);
      return;
    }
    const { message: text, code = 'SQL_FAILED', hint } = message;
    this.#listening.reject(new SqlProcessError(code, text, { hint }));
    this.#log.error('The SQL server has failed', { code, error: text });
  }

  #lost(child: ChildProcess, reason: string): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    // Its workers end by themselves, unless a statement keeps one.
    killGroup(child);
    this.#listening.reject(
      new SqlProcessError('SQL_FAILED', `The SQL server has ended: ${reason}`),
    );
    if (this.#isClosing) return;
    if (performance.now() - this.#startedMs > SERVED_MS) this.#restartMs = RESTART_MS_MIN;
    const afterMs = this.#restartMs;
    this.#restartMs = Math.min(2 * afterMs, RESTART_MS_MAX);
    this.#log.warn('The SQL server has ended and is started again', { reason, afterMs });
    this.#timer = setTimeout(() => this.#start(), afterMs);
  }

  /** Many changes in one turn, or while it takes none, are told together. */
  #changed(): void {
    if (this.#isChanged) return;
    this.#isChanged = true;
    setImmediate(() => this.#push());
  }

  #push(): void {
    if (this.#isSending || this.#child === undefined) return;
    this.#isChanged = false;
    this.#isSending = true;
    const change = { ...this.#feed.describe(), positions: this.#changes.take() };
    this.#send({ kind: 'change', change }, () => {
      this.#isSending = false;
      if (this.#isChanged) this.#push();
    });
  }

  #send(message: ToSql, onSent: () => void = () => {}): void {
    const child = this.#child;
    if (child?.connected !== true) return;
    child.send(message, (error) => {
      // That it is gone is told by its end.
      if (error === null && child === this.#child) onSent();
    });
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
