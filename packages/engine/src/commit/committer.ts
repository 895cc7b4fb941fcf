// The way into the log, for all databases: a commit is one record, and whoever needs it durable
// waits for the next sync, together with all others who do.
//
// The sync is not made when a commit asks for it but when the mount has no request left to read
// (see settle()): what other clients have sent meanwhile is committed by the same sync.

import { readU64be } from '@skein/bytes';
import type { BackgroundIo, Counter, Disk, DiskFile, Metrics, Random } from '@skein/host';

import { LogFailedError } from '../errors.ts';
import type { Job } from '../jobs/jobs.ts';
import { Pending } from '../jobs/pending.ts';
import { besidePath, type LogEntry, type TransactionLog } from '../log/transaction-log.ts';
import type { Term } from './term.ts';
import type { PreparedTransaction } from './transaction.ts';

const BUFFER_BYTES = 1024 * 1024;

export interface CommitterOptions {
  readonly disk: Disk;
  readonly background: BackgroundIo;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: TransactionLog;
  /** The folder of the log. */
  readonly folder: string;
  /** A larger LTX file gets a file of its own. */
  readonly inlineBytes: number;
  readonly term: Pick<Term, 'epoch' | 'refusal'>;
}

interface Waiter {
  readonly lsn: number;
  readonly pending: Pending;
}

export class Committer {
  readonly #options: CommitterOptions;
  readonly #transactions: Counter;
  readonly #ltxBytes: Counter;
  readonly #refusals: Counter;
  #waiters: Waiter[] = [];

  constructor(options: CommitterOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#transactions = metrics.counter(
      'skein_transactions_total',
      'Transactions that were committed to the log',
    );
    this.#ltxBytes = metrics.counter(
      'skein_transaction_bytes_total',
      'Size of these transactions as LTX files',
    );
    this.#refusals = metrics.counter(
      'skein_transactions_refused_total',
      'Transactions that could not be committed to the log',
    );
  }

  get log(): TransactionLog {
    return this.#options.log;
  }

  /** Whether somebody waits for a sync. */
  get hasWaiters(): boolean {
    return this.#waiters.length > 0;
  }

  /**
   * Commits transactions, one for each database, as one record: all of them or none. Afterwards
   * they are the state of their databases, though not durable yet. Throws DiskError (the log is
   * full), LogFailedError, or the reason why nobody may write any more, and then has changed
   * nothing.
   */
  *commit(transactions: readonly PreparedTransaction[]): Job<number> {
    const entries: LogEntry[] = [];
    try {
      for (const transaction of transactions) entries.push(yield* this.#place(transaction));
      // It may have come up on the way.
      const { refusal } = this.#options.term;
      if (refusal !== undefined) throw refusal;
      const lsn = this.#append(transactions, entries);
      this.#transactions.add(entries.length);
      for (const { ltxBytes } of entries) this.#ltxBytes.add(ltxBytes);
      return lsn;
    } catch (error) {
      this.#refusals.add(transactions.length);
      for (const { besideId } of entries) this.#removeBeside(besideId);
      throw error;
    }
  }

  /**
   * Appends a transaction that another node has committed. Throws as commit() does, and has changed
   * nothing then; the file beside the log, if it has one, is gone.
   */
  appendReceived(entry: LogEntry): number {
    try {
      const lsn = this.#options.log.append(this.#options.term.epoch, [entry]);
      this.#transactions.add(1);
      this.#ltxBytes.add(entry.ltxBytes);
      return lsn;
    } catch (error) {
      this.#refusals.add(1);
      this.#removeBeside(entry.besideId);
      throw error;
    }
  }

  /** Takes an LTX file over, durably, as one that lies beside the log; its old name is gone. */
  *adoptBeside(path: string): Job<bigint> {
    const { disk, background, folder } = this.#options;
    const id = this.#newBesideId();
    const file = disk.open('beside.adopt', path, 'update');
    try {
      const synced = new Pending();
      background.sync('beside.sync', file, (error) => synced.settle(error));
      yield synced;
    } finally {
      file.close();
    }
    disk.rename('beside.adopt', path, besidePath(folder, id));
    try {
      disk.syncDirectory('beside.name', folder);
    } catch (error) {
      this.#removeBeside(id);
      throw error;
    }
    return id;
  }

  /** Undefined when record `lsn` is durable, else what is settled when it is, or never will be. */
  whenDurable(lsn: number): Pending | undefined {
    const { log } = this.#options;
    if (log.durableLsn >= lsn) return undefined;
    const pending = new Pending();
    this.#waiters.push({ lsn, pending });
    return pending;
  }

  /** Makes durable what somebody waits for, and tells them. */
  settle(): void {
    if (this.#waiters.length === 0) return;
    try {
      this.#options.log.sync();
    } catch (error) {
      // The log remembers its failure; everybody who waits learns it below.
      if (!(error instanceof LogFailedError)) throw error;
    }
    this.wakeWaiters();
  }

  /** Tells those whose record has become durable, or never will be. */
  wakeWaiters(): void {
    const { durableLsn, failure } = this.#options.log;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.lsn <= durableLsn) waiter.pending.settle();
      else if (failure !== undefined) waiter.pending.settle(failure);
      else this.#waiters.push(waiter);
    }
  }

  #append(transactions: readonly PreparedTransaction[], entries: readonly LogEntry[]): number {
    const lsn = this.#options.log.append(this.#options.term.epoch, entries);
    for (const transaction of transactions) transaction.database.advance(transaction, lsn);
    return lsn;
  }

  /** What the record says of a transaction; a large one is in its own file by then, durably. */
  *#place(transaction: PreparedTransaction): Job<LogEntry> {
    const { ltxBytes, database, next } = transaction;
    const fields = {
      database: database.name,
      ltxBytes,
      minTxid: next.txid,
      maxTxid: next.txid,
    };
    if (ltxBytes > this.#options.inlineBytes) {
      const besideId = yield* this.#writeBeside(transaction);
      return { ...fields, besideId, write: () => {} };
    }
    const write: LogEntry['write'] = (sink) => {
      for (const _step of transaction.write(sink));
    };
    return { ...fields, besideId: undefined, write };
  }

  *#writeBeside(transaction: PreparedTransaction): Job<bigint> {
    const { disk, background, folder } = this.#options;
    const id = this.#newBesideId();
    const file = disk.open('beside.create', besidePath(folder, id), 'create');
    try {
      yield* writeBuffered(file, transaction);
      const synced = new Pending();
      background.sync('beside.sync', file, (error) => synced.settle(error));
      yield synced;
      disk.syncDirectory('beside.name', folder);
    } catch (error) {
      this.#removeBeside(id);
      throw error;
    } finally {
      file.close();
    }
    return id;
  }

  #removeBeside(id: bigint | undefined): void {
    if (id === undefined) return;
    this.#options.disk.remove('beside.remove', besidePath(this.#options.folder, id));
  }

  #newBesideId(): bigint {
    const bytes = new Uint8Array(8);
    this.#options.random.fill(bytes);
    return readU64be(bytes, 0);
  }
}

function* writeBuffered(file: DiskFile, transaction: PreparedTransaction): Job<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let buffered = 0;
  let position = 0;
  const flush = (): void => {
    file.write('beside.write', buffer, 0, buffered, position);
    position += buffered;
    buffered = 0;
  };
  yield* transaction.write((bytes, start, end) => {
    for (let at = start; at < end;) {
      if (buffered === BUFFER_BYTES) flush();
      const count = Math.min(end - at, BUFFER_BYTES - buffered);
      buffer.set(bytes.subarray(at, at + count), buffered);
      buffered += count;
      at += count;
    }
  });
  flush();
}
