// What one peer needs next, in the order in which it needs it: first what the log does not have,
// then the log, for all databases in one pass.
//
// Invariant: what is given out of a database fits where the peer stands, `#sent`: it begins with
// the next transaction, and applies to the same checksum. What does not fit is never sent; the
// database is sent whole instead.
// Nor is what this node itself gave up, when it was healed: each database is taken from one record
// on, and what the log has of it before is passed over.
//
// It never waits. Memory: one window (segment-window.ts), or one transaction of the log that is
// larger.

import type { Clock } from '@skein/host';
import { type Position, POSITION_ZERO } from '@skein/ltx';

import type { RecordEntry, RecordHeader } from '../log/record.ts';
import {
  dropOf,
  type Followed,
  type FollowedFile,
  type FollowedTransaction,
  openFollowedFile,
  verifiedTransaction,
} from './followed-transaction.ts';
import { InFlight } from './in-flight.ts';
import type { FollowedState, LogCatalog } from './log-catalog.ts';
import { type FollowedLog, isTrimmed, LogFollower } from './log-follower.ts';
import { WINDOW_BYTES } from './segment-window.ts';
import { findStartPoint } from './start-point.ts';

export type CursorStep =
  /** In the order of the log; valid until the next step. */
  | { readonly kind: 'transactions'; readonly transactions: readonly FollowedTransaction[] }
  /** One that is beside the log; the file is the caller's to close. */
  | { readonly kind: 'file'; readonly file: FollowedFile }
  /** The database is to be sent whole: the same again until tookSnapshot() or cannotSnapshot(). */
  | { readonly kind: 'snapshot'; readonly database: string }
  | { readonly kind: 'unknown-database'; readonly database: string }
  /** There was nothing for this peer in a piece of the log: there may be in the next. */
  | { readonly kind: 'more' }
  /** The peer has been given everything that is durable. */
  | { readonly kind: 'end' };

export interface PeerCursorOptions {
  readonly log: FollowedLog;
  readonly catalog: LogCatalog;
  readonly clock: Clock;
  /** Where the peer stands. */
  readonly from: ReadonlyMap<string, Position>;
  /** Only these databases; undefined: all. */
  readonly databases?: ReadonlySet<string> | undefined;
}

/** So many records that are nothing to this peer are passed in one step. */
const PASSED_MAX = 4096;

export class PeerCursor {
  readonly #options: PeerCursorOptions;
  readonly #sent: Map<string, Position>;
  /** Databases of which the peer needs nothing up to this record. */
  readonly #skippedLsn = new Map<string, number>();
  readonly #inFlight = new InFlight();
  readonly #unknown: string[] = [];
  readonly #dropped = new Set<string>();
  readonly #whole = new Set<string>();
  /** Databases that were sent whole: what came after is in the log, however much it is. */
  readonly #wereWhole = new Set<string>();
  #follower: LogFollower | undefined;
  /** The entry of the next record to go on with. */
  #nextEntry = 0;

  constructor(options: PeerCursorOptions) {
    this.#options = options;
    this.#sent = new Map(options.from);
  }

  /** Where the peer stands when it has got everything that was given out. */
  get positions(): ReadonlyMap<string, Position> {
    return this.#sent;
  }

  /** The first record that this peer may need. */
  get neededLsn(): number {
    const { nextLsn } = this.#follower ?? this.#options.catalog;
    return Math.min(nextLsn, this.#inFlight.firstLsn ?? nextLsn);
  }

  /** What comes next. Throws LOG_TRIMMED only if the catalog is out of date, or DamageError. */
  step(): CursorStep {
    this.#follower ??= this.#plan();
    const unknown = this.#unknown.shift();
    if (unknown !== undefined) return { kind: 'unknown-database', database: unknown };
    for (const database of this.#dropped) return this.#giveDrop(database);
    for (const database of this.#whole) return { kind: 'snapshot', database };
    try {
      return this.#readLog(this.#follower);
    } catch (error) {
      if (!isTrimmed(error)) throw error;
      this.close();
      return { kind: 'more' };
    }
  }

  /** The peer is being sent a snapshot at this position, of the record `lsn`. */
  tookSnapshot(database: string, position: Position, lsn: number): void {
    this.#whole.delete(database);
    this.#wereWhole.add(database);
    this.#sent.set(database, position);
    this.#skippedLsn.set(database, lsn);
    // A snapshot that was made for another peer may be older than what was passed here.
    if (this.#follower !== undefined && lsn + 1 < this.#follower.nextLsn) this.close();
  }

  /** The database is not there any more. */
  cannotSnapshot(database: string): void {
    this.#options.catalog.refresh();
    this.#sendWhole(database);
  }

  /** The peer has this durably. */
  acknowledged(database: string, position: Position): void {
    this.#inFlight.acknowledged(database, position);
  }

  close(): void {
    this.#follower?.close();
    this.#follower = undefined;
  }

  /** Decides for each database what the peer needs; returns where the log is to be read. */
  #plan(): LogFollower {
    const { log, catalog, from, databases } = this.#options;
    catalog.refresh();
    let firstLsn = catalog.nextLsn;
    for (const name of new Set([...catalog.states.keys(), ...from.keys()])) {
      if (databases?.has(name) === false) continue;
      const own = catalog.states.get(name);
      const start = findStartPoint({
        from: this.#sent.get(name),
        own,
        findFirst: (txid) => catalog.findFirst(name, txid),
        prefersSmaller: !this.#wereWhole.has(name),
      });
      if (start.kind === 'there') this.#skip(name, own!);
      else if (start.kind === 'log') {
        firstLsn = Math.min(firstLsn, start.lsn);
        this.#skippedLsn.set(name, start.lsn - 1);
      } else if (start.kind === 'snapshot') this.#whole.add(name);
      else if (start.kind === 'dropped') this.#dropped.add(name);
      else this.#reportUnknown(name);
    }
    this.#nextEntry = 0;
    return new LogFollower(log, catalog.placeOf(firstLsn));
  }

  #reportUnknown(name: string): void {
    // Once: the peer is not asked again.
    if (!this.#sent.delete(name)) return;
    this.#unknown.push(name);
  }

  #readLog(follower: LogFollower): CursorStep {
    follower.begin();
    const transactions: FollowedTransaction[] = [];
    const firstLsn = follower.nextLsn;
    let passed = 0;
    try {
      for (; passed < PASSED_MAX && !this.#hasOthersFirst; passed++) {
        const header = follower.peek();
        if (header === undefined) break;
        const file = this.#takeEntries(follower, header, transactions);
        if (file !== undefined) return this.#giveFile(file, firstLsn);
        if (this.#nextEntry < header.entries.length) break;
        this.#nextEntry = 0;
        follower.pass();
      }
      follower.assertKept();
    } catch (error) {
      // What was taken before has been verified; the error comes again.
      if (transactions.length === 0) throw error;
    }
    if (transactions.length > 0) return this.#giveTransactions(transactions, firstLsn);
    const isEnd = passed < PASSED_MAX && !this.#hasOthersFirst && !follower.isFull;
    return { kind: isEnd && follower.peek() === undefined ? 'end' : 'more' };
  }

  /** A database has to be sent whole, or dropped, before the log goes on. */
  get #hasOthersFirst(): boolean {
    return this.#whole.size > 0 || this.#dropped.size > 0;
  }

  /** Takes what the peer needs of a record, until the batch is full. */
  #takeEntries(
    follower: LogFollower,
    header: RecordHeader,
    batch: FollowedTransaction[],
  ): FollowedFile | undefined {
    for (; this.#nextEntry < header.entries.length; this.#nextEntry++) {
      const entry = header.entries[this.#nextEntry]!;
      if (!this.#isNeeded(header, entry)) continue;
      if (entry.besideId !== undefined || entry.ltxBytes > WINDOW_BYTES) {
        if (batch.length > 0) return undefined;
      }
      if (entry.besideId !== undefined) return this.#takeFile(follower, header, entry);
      const bytes = takeBytes(follower, entry);
      if (bytes === undefined) return undefined;
      follower.assertKept();
      const transaction = verifiedTransaction(header, entry, bytes);
      if (!this.#fits(transaction)) return undefined;
      batch.push(transaction);
      this.#sent.set(entry.database, transaction.position);
    }
    return undefined;
  }

  #takeFile(
    follower: LogFollower,
    header: RecordHeader,
    entry: RecordEntry,
  ): FollowedFile | undefined {
    const followed = this.#openFile(follower, header, entry);
    if (this.#fits(followed)) {
      this.#sent.set(entry.database, followed.position);
      this.#nextEntry++;
      return followed;
    }
    followed.file.close();
    return undefined;
  }

  #openFile(follower: LogFollower, header: RecordHeader, entry: RecordEntry): FollowedFile {
    try {
      return openFollowedFile(this.#options.log, header, entry);
    } catch (error) {
      // It may have been given up with its record.
      follower.assertKept();
      throw error;
    }
  }

  #isNeeded({ lsn }: RecordHeader, { database, maxTxid }: RecordEntry): boolean {
    if (this.#options.databases?.has(database) === false) return false;
    if (lsn <= (this.#skippedLsn.get(database) ?? 0)) return false;
    return maxTxid > (this.#sent.get(database) ?? POSITION_ZERO).txid;
  }

  /** Whether it applies where the peer stands; if not, the database is sent whole. */
  #fits({ database, minTxid, preApplyChecksum }: Followed): boolean {
    const { txid, checksum } = this.#sent.get(database) ?? POSITION_ZERO;
    // One that has every page applies to anything.
    const fits = minTxid === 1n || (minTxid === txid + 1n && preApplyChecksum === checksum);
    if (!fits) {
      this.#options.catalog.refresh();
      this.#sendWhole(database);
    }
    return fits;
  }

  #sendWhole(database: string): void {
    const own = this.#options.catalog.states.get(database)!;
    this.#whole.delete(database);
    if (own.pageCount > 0) this.#whole.add(database);
    else if ((this.#sent.get(database)?.txid ?? 0n) > 0n) this.#dropped.add(database);
    else this.#skip(database, own);
  }

  /** The peer needs nothing of a database that is in the log now. */
  #skip(database: string, { lsn }: FollowedState): void {
    this.#skippedLsn.set(database, lsn);
  }

  #giveDrop(database: string): CursorStep {
    const { catalog, log, clock } = this.#options;
    const own = catalog.states.get(database)!;
    this.#dropped.delete(database);
    // It was made again meanwhile.
    if (own.pageCount > 0) {
      this.#whole.add(database);
      return { kind: 'more' };
    }
    this.#sent.set(database, own.position);
    this.#skip(database, own);
    const header = { epoch: log.published.epoch, timestampMs: clock.wallMs() };
    return { kind: 'transactions', transactions: [dropOf(database, own.position, header)] };
  }

  #giveTransactions(transactions: readonly FollowedTransaction[], firstLsn: number): CursorStep {
    const { database, position } = transactions.at(-1)!;
    this.#inFlight.add({ firstLsn, database, txid: position.txid });
    return { kind: 'transactions', transactions };
  }

  #giveFile(file: FollowedFile, firstLsn: number): CursorStep {
    const { database, position } = file;
    this.#inFlight.add({ firstLsn, database, txid: position.txid });
    return { kind: 'file', file };
  }
}

/** The LTX file of an entry. Undefined when it does not fit into the batch any more. */
function takeBytes(follower: LogFollower, entry: RecordEntry): Uint8Array | undefined {
  const { ltxBytes } = entry;
  if (ltxBytes <= WINDOW_BYTES) return follower.view(entry);
  const bytes = new Uint8Array(ltxBytes);
  follower.read(entry, 0, bytes);
  return bytes;
}
