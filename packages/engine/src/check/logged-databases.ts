// Collects what the log has of every database.

import type { LtxHeader, LtxPage, LtxTrailer } from '@skein/ltx';

import type { DatabaseState } from '../database/database-state.ts';
import type { RecordEntry, RecordHeader } from '../log/record.ts';
import type { Fault } from './fault.ts';
import type { LogHandler } from './log-handler.ts';
import { LoggedDatabase } from './logged-database.ts';

export class LoggedDatabases implements LogHandler {
  readonly #databases = new Map<string, LoggedDatabase>();
  readonly #report: (fault: Fault) => void;
  #current: LoggedDatabase | undefined;
  #transactionCount = 0;
  #epoch = 1;
  #lostLsn = 0;

  /** `checkpoints` are the databases that have a folder. */
  constructor(
    checkpoints: ReadonlyMap<string, DatabaseState | string>,
    coveredLsn: number,
    report: (fault: Fault) => void,
  ) {
    for (const [name, state] of checkpoints) {
      const checkpoint = typeof state === 'string' ? undefined : state;
      this.#databases.set(name, new LoggedDatabase(name, checkpoint, coveredLsn));
    }
    this.#report = report;
  }

  get transactionCount(): number {
    return this.#transactionCount;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Whether records are lost. */
  get isDamaged(): boolean {
    return this.#lostLsn > 0;
  }

  /** The log has ended: all databases of which there is anything, by name. */
  get all(): LoggedDatabase[] {
    return [...this.#databases.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  record({ epoch }: RecordHeader): void {
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  begin(entry: RecordEntry, header: LtxHeader, lsn: number): string | undefined {
    this.#current = this.#find(entry.database);
    this.#transactionCount++;
    return this.#current.begin(header, lsn);
  }

  page(page: LtxPage): void {
    this.#current!.page(page);
  }

  end(trailer: LtxTrailer): void {
    this.#current!.end(trailer);
  }

  lose(lastLsn: number, databases: readonly string[] | undefined): void {
    if (databases === undefined) this.#lostLsn = Math.max(this.#lostLsn, lastLsn);
    const lost = databases?.map((name) => this.#find(name)) ?? this.#databases.values();
    for (const database of lost) database.lose(lastLsn);
  }

  expect(database: string, lastTxid: bigint): void {
    this.#find(database).confirm(lastTxid);
  }

  fault(fault: Fault): void {
    this.#report(fault);
  }

  #find(name: string): LoggedDatabase {
    let database = this.#databases.get(name);
    if (database === undefined) {
      database = new LoggedDatabase(name, undefined, 0);
      // What nobody can tell about other databases nobody can tell about this one.
      if (this.#lostLsn > 0) database.lose(this.#lostLsn);
      this.#databases.set(name, database);
    }
    return database;
  }
}
