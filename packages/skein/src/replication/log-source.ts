// The log as a primary's streams read it: LogSource of the cluster, on the engine's followers.
//
// It lives on the main thread and reads the files of the log by itself. The thread of the engine
// tells it by PublishedLog what is durable, and is asked only for what the log does not have: where
// the databases stand at the start, and snapshots.
//
// Invariant: what any cursor may still need is held (PublishedLog.hold), from before it is read
// until the cursor is closed or the peer has it.

import { setTimeout as sleep } from 'node:timers/promises';

import type { FollowOptions, LogCursor, LogSource, PositionMap } from '@skein/cluster';
import {
  type FollowedLog,
  isTrimmed,
  LogCatalog,
  type NamedState,
  type SnapshotTicket,
} from '@skein/engine';
import type { Clock, Log } from '@skein/host';

import { EngineLogCursor } from './log-cursor.ts';

/** What is asked of the engine's thread. */
export interface LogSourceCalls {
  followedStates(): Promise<readonly NamedState[]>;
  /** Not older than where the peer stands. */
  beginSnapshot(database: string, peerTxid: bigint): Promise<SnapshotTicket>;
  releaseSnapshot(id: string): void;
}

export interface EngineLogSourceOptions {
  readonly log: FollowedLog;
  readonly clock: Clock;
  readonly messages: Log;
  readonly calls: LogSourceCalls;
}

/**
 * Looks no more often than this, so that what is committed in short order travels together: a
 * message, a sync and a wal-index less for each. Who commits now and then is looked at at once.
 */
const ROUND_MS = 1;

export class EngineLogSource implements LogSource {
  readonly #options: EngineLogSourceOptions;
  readonly #cursors = new Set<EngineLogCursor>();
  #catalog: LogCatalog;
  #moved = Promise.withResolvers<void>();
  #renewing: Promise<void> | undefined;
  #isClosed = false;
  /** The log cannot be read on: it was said once. */
  #isBroken = false;
  readonly #watching: Promise<void>;

  private constructor(options: EngineLogSourceOptions, catalog: LogCatalog) {
    this.#options = options;
    this.#catalog = catalog;
    this.#watching = this.#watch();
  }

  /** Asks the engine where its databases stand. Throws EngineError, DiskError. */
  static async open(options: EngineLogSourceOptions): Promise<EngineLogSource> {
    return new EngineLogSource(options, await openCatalog(options));
  }

  get options(): EngineLogSourceOptions {
    return this.#options;
  }

  get catalog(): LogCatalog {
    return this.#catalog;
  }

  /** Settled when more has become durable, or the source is closed; another one after that. */
  get moved(): Promise<void> {
    return this.#moved.promise;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  positions(): PositionMap {
    return this.#catalog.positions;
  }

  follow(from: PositionMap, options: FollowOptions = {}): LogCursor {
    const cursor = new EngineLogCursor(this, from, options.databases);
    this.#cursors.add(cursor);
    this.updateHold();
    return cursor;
  }

  /** No cursor is used any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cursor of this.#cursors) cursor.close();
    this.#options.log.published.wake();
    await this.#watching;
    this.#catalog.close();
  }

  /** A cursor has moved: tells the engine what of the log is needed now. */
  updateHold(): void {
    let neededLsn = 0;
    let pinnedLsn = 0;
    for (const cursor of this.#cursors) {
      neededLsn = leastOf(neededLsn, cursor.neededLsn);
      if (cursor.isSendingFile) pinnedLsn = leastOf(pinnedLsn, cursor.neededLsn);
    }
    this.#options.log.published.hold(neededLsn, pinnedLsn);
  }

  forget(cursor: EngineLogCursor): void {
    this.#cursors.delete(cursor);
    this.updateHold();
  }

  /** The log was trimmed past what the catalog knows: asks the engine again. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    const catalog = await openCatalog(this.#options);
    this.#catalog.close();
    this.#catalog = catalog;
  }

  async #watch(): Promise<void> {
    const { clock, log } = this.#options;
    const { published } = log;
    while (!this.#isClosed) {
      const seenLsn = published.durableLsn;
      await this.#refresh();
      const moved = this.#moved;
      this.#moved = Promise.withResolvers();
      moved.resolve();
      if (this.#isClosed) break;
      const beganMs = clock.monotonicMs();
      await published.whenDurablePast(seenLsn);
      const restMs = ROUND_MS - (clock.monotonicMs() - beganMs);
      if (restMs > 0) await sleep(restMs);
    }
    this.#moved.resolve();
  }

  async #refresh(): Promise<void> {
    if (this.#isBroken) return;
    try {
      await this.#tryRefresh();
    } catch (error) {
      // Cursors meet the same, and end with it; the positions stay as they were.
      this.#isBroken = true;
      const { message } = error as Error;
      this.#options.messages.error('Cannot follow the log', { error: message });
    }
  }

  async #tryRefresh(): Promise<void> {
    try {
      this.#catalog.refresh();
    } catch (error) {
      if (!isTrimmed(error)) throw error;
      await this.renew();
    }
  }
}

async function openCatalog({ log, calls }: EngineLogSourceOptions): Promise<LogCatalog> {
  for (;;) {
    const states = await calls.followedStates();
    try {
      return new LogCatalog(log, states);
    } catch (error) {
      // What it was reading has just been given up: there is less to read now.
      if (!isTrimmed(error)) throw error;
    }
  }
}

/** Of two LSNs, of which 0 means none. */
function leastOf(one: number, other: number): number {
  return one === 0 ? other : Math.min(one, other);
}
