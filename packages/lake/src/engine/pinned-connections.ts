// Connections for reads, each within an open transaction on one snapshot.
//
// DuckLake asks its catalog again in each transaction: which snapshot is the newest, which tables
// there are. A transaction that stays open answers that once for all reads of the snapshot. It is
// left as soon as anything says that the catalog has gone on (`bump`), or when it is old: open
// transactions keep SQLite from shortening its WAL.

import type { DuckDBConnection } from '@duckdb/node-api';

import { LAKE_CATALOG, LAKE_METADATA } from '../sql/targets.ts';
import type { Session } from './duckdb-session.ts';
import { LakeError } from './errors.ts';
import type { Snapshot } from './ports.ts';

/** Longer than a burst of requests, shorter than anybody waits for a foreign commit to be seen. */
const PIN_AGE_MS_MAX = 1000;
/** A pin that nobody uses is given up. */
const IDLE_MS_MAX = 5000;
/** Of requests that wait for a connection. */
const WAITING_MAX = 1000;

export interface PinnedConnection {
  readonly connection: DuckDBConnection;
  readonly snapshot: Snapshot;
  /** Whether plans are optimized from now on: as somebody has left it. */
  optimize(isWanted: boolean): Promise<void>;
  /** Gives it back; a broken one has lost its transaction. */
  release(isBroken: boolean): void;
}

interface Pin {
  readonly connection: DuckDBConnection;
  snapshot: Snapshot | undefined;
  generation: number;
  isOptimizing: boolean;
  pinnedAtMs: number;
  usedAtMs: number;
}

export interface PinnedConnectionsOptions {
  readonly connectionsMax: number;
  readonly now: () => number;
  /** Called with each new snapshot, before anybody reads in it. */
  readonly onSnapshot: (connection: DuckDBConnection, snapshot: Snapshot) => Promise<void>;
  /** How many functions DuckDB was told of: an open transaction does not see later ones. */
  readonly functionCount: () => number;
}

export class PinnedConnections {
  readonly #session: Session;
  readonly #options: PinnedConnectionsOptions;
  readonly #idle: Pin[] = [];
  readonly #waiting: ((pin: Pin | Error) => void)[] = [];
  readonly #sweeper: NodeJS.Timeout;
  #count = 0;
  #generation = 0;
  #isClosed = false;

  constructor(session: Session, options: PinnedConnectionsOptions) {
    this.#session = session;
    this.#options = options;
    this.#sweeper = setInterval(() => {
      this.#sweep();
    }, IDLE_MS_MAX);
    this.#sweeper.unref();
  }

  /** The catalog has changed, or may have: whoever reads from now on sees it. */
  bump(): void {
    this.#generation += 1;
  }

  async acquire(signal?: AbortSignal): Promise<PinnedConnection> {
    const pin = await this.#take(signal);
    try {
      if (!this.#isFresh(pin)) await this.#pin(pin);
    } catch (error) {
      this.#giveBack(pin, true);
      throw error;
    }
    return this.#lend(pin);
  }

  /** Lets requests that run finish; connections in use are closed when they come back. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    for (const pin of this.#idle.splice(0)) this.#drop(pin);
    const closed = new LakeError('unavailable', 'LAKE_CATALOG', 'The role of this node changes');
    for (const waiter of this.#waiting.splice(0)) waiter(closed);
  }

  get inUse(): number {
    return this.#count - this.#idle.length;
  }

  #lend(pin: Pin): PinnedConnection {
    let isReleased = false;
    return {
      connection: pin.connection,
      snapshot: pin.snapshot!,
      optimize: (isWanted) => optimize(pin, isWanted),
      release: (isBroken) => {
        if (isReleased) return;
        isReleased = true;
        this.#giveBack(pin, isBroken);
      },
    };
  }

  #isFresh(pin: Pin): boolean {
    return (
      pin.snapshot !== undefined &&
      pin.generation === this.#generation &&
      this.#options.now() - pin.pinnedAtMs < PIN_AGE_MS_MAX
    );
  }

  /** A new transaction, in which the newest snapshot is read at once. */
  async #pin(pin: Pin): Promise<void> {
    const { functionCount } = this.#options;
    let count: number;
    do {
      count = functionCount();
      await this.#begin(pin);
      // Functions that the snapshot brought are seen by the next transaction.
    } while (count !== functionCount());
  }

  async #begin(pin: Pin): Promise<void> {
    const { connection } = pin;
    // Within the old transaction: outside of one, DuckDB asks the catalog what a PRAGMA is.
    await optimize(pin, true);
    if (pin.snapshot !== undefined) await connection.run('ROLLBACK');
    pin.snapshot = undefined;
    // Before the transaction: what is committed meanwhile only makes it look older.
    const generation = this.#generation;
    await connection.run('BEGIN TRANSACTION');
    const snapshot = await readSnapshot(connection);
    await this.#options.onSnapshot(connection, snapshot);
    pin.snapshot = snapshot;
    pin.generation = generation;
    pin.pinnedAtMs = this.#options.now();
  }

  async #take(signal: AbortSignal | undefined): Promise<Pin> {
    if (this.#isClosed) {
      throw new LakeError('unavailable', 'LAKE_CATALOG', 'The role of this node changes');
    }
    const fresh = this.#idle.findIndex((pin) => this.#isFresh(pin));
    if (fresh >= 0) return this.#idle.splice(fresh, 1)[0]!;
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#count < this.#options.connectionsMax) {
      this.#count += 1;
      const connection = await this.#session.connect();
      return {
        connection,
        snapshot: undefined,
        generation: -1,
        isOptimizing: true,
        pinnedAtMs: 0,
        usedAtMs: 0,
      };
    }
    return this.#wait(signal);
  }

  async #wait(signal: AbortSignal | undefined): Promise<Pin> {
    if (this.#waiting.length >= WAITING_MAX) {
      throw new LakeError('busy', 'LAKE_BUSY', 'Too many queries are waiting');
    }
    const { promise, resolve, reject } = Promise.withResolvers<Pin>();
    const waiter = (pin: Pin | Error): void => {
      signal?.removeEventListener('abort', onAbort);
      if (pin instanceof Error) reject(pin);
      else resolve(pin);
    };
    const onAbort = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      const reason: unknown = signal?.reason;
      reject(reason instanceof Error ? reason : new Error('Aborted'));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(waiter);
    return promise;
  }

  #giveBack(pin: Pin, isBroken: boolean): void {
    if (isBroken || this.#isClosed) {
      this.#drop(pin);
      const waiter = this.#isClosed ? undefined : this.#waiting.shift();
      if (waiter !== undefined) this.#replace(waiter);
      return;
    }
    pin.usedAtMs = this.#options.now();
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#idle.push(pin);
    else waiter(pin);
  }

  /** A waiter was next, and the connection that it would have got is gone. */
  #replace(waiter: (pin: Pin | Error) => void): void {
    this.#take(undefined).then(waiter, (error: unknown) => {
      waiter(error instanceof Error ? error : new Error(String(error)));
    });
  }

  #drop(pin: Pin): void {
    this.#count -= 1;
    // Ends its transaction too.
    pin.connection.closeSync();
  }

  /**
   * The last pin stays, on the newest snapshot: with no connection open SQLite would remove the WAL
   * at each commit, and with one on an old snapshot it could never shorten it.
   */
  #sweep(): void {
    const now = this.#options.now();
    const old = this.#idle.filter((pin) => now - pin.usedAtMs > IDLE_MS_MAX);
    for (const pin of old.slice(this.#idle.length === old.length ? 1 : 0)) {
      this.#idle.splice(this.#idle.indexOf(pin), 1);
      this.#drop(pin);
    }
    const [last] = this.#idle;
    if (last === undefined || last.generation === this.#generation) return;
    this.#idle.shift();
    void this.#refresh(last);
  }

  async #refresh(pin: Pin): Promise<void> {
    let isBroken = false;
    try {
      await this.#pin(pin);
    } catch {
      // Whoever reads next meets it, and can be told.
      isBroken = true;
    }
    this.#giveBack(pin, isBroken);
  }
}

/** A setting of the connection alone, so that it may be changed although settings are locked. */
async function optimize(pin: Pin, isWanted: boolean): Promise<void> {
  if (pin.isOptimizing === isWanted) return;
  await pin.connection.run(`PRAGMA ${isWanted ? 'enable' : 'disable'}_optimizer`);
  pin.isOptimizing = isWanted;
}

/** Of the transaction that the connection is in. */
async function readSnapshot(connection: DuckDBConnection): Promise<Snapshot> {
  const result = await connection.run(
    `SELECT snapshot_id, schema_version, snapshot_time::VARCHAR
     FROM ${LAKE_METADATA}.ducklake_snapshot
     WHERE snapshot_id = (SELECT id FROM ${LAKE_CATALOG}.current_snapshot())`,
  );
  const [row] = await result.getRows();
  const [id, schemaVersion, madeAt] = row ?? [];
  if (typeof id !== 'bigint' || typeof schemaVersion !== 'bigint' || typeof madeAt !== 'string') {
    throw new LakeError('unavailable', 'LAKE_CATALOG', 'The catalog has no snapshot');
  }
  return { id, schemaVersion, madeAt };
}
