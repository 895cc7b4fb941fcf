// Transactions in a rollback mode, step by step as SQLite makes them: save pages in the journal,
// sync it, change the database, sync that, end the journal (https://sqlite.org/atomiccommit.html).

import {
  encodeJournalHeader,
  encodeSuperJournal,
  encodeSuperJournalPointer,
  journalChecksum,
  JOURNAL_HEADER_SIZE,
  openHotJournal,
  readSuperJournalName,
} from '@skein/sqlite-file';

import type { MountFile } from '../src/files/mount-file.ts';
import { isEqual, type Pages } from './sample-database.ts';
import type { SqliteClient } from './sqlite-client.ts';

export type JournalEnd = 'delete' | 'truncate' | 'persist';

export const JOURNAL_ENDS: readonly JournalEnd[] = ['delete', 'truncate', 'persist'];

const SECTOR_BYTES = 512;

/** The path of a file as a client sees it, which is not how we see it. */
const folder = '/mnt/somewhere/';

const utf8 = new TextEncoder();

export interface RollbackOptions {
  readonly end: JournalEnd;
  /** False: synchronous=OFF. */
  readonly syncs?: boolean;
  /** Name of the super-journal that the journal points to. */
  readonly superJournal?: string;
}

export class RollbackWriter {
  readonly client: SqliteClient;
  readonly #before: Pages;
  readonly #next: Pages;
  readonly #options: RollbackOptions;
  /** As in SQLite another one for each transaction: what the one before left is told by it. */
  readonly #nonce: number;
  #journal: MountFile | undefined;

  constructor(client: SqliteClient, next: Pages, options: RollbackOptions) {
    this.#nonce = client.node.newNonce();
    this.client = client;
    this.#before = client.pages();
    this.#next = next;
    this.#options = options;
  }

  get journalName(): string {
    return `${this.client.name}-journal`;
  }

  /** Saves what the transaction changes; from the end of this on the journal is hot. */
  writeJournal(): void {
    const { client } = this;
    const { pageSize } = client;
    const syncs = this.#options.syncs ?? true;
    const journal = client.openOrCreate(this.journalName);
    this.#journal = journal;
    const header = encodeJournalHeader({
      recordCount: syncs ? 0 : 0xffff_ffff,
      nonce: this.#nonce,
      initialPageCount: this.#before.length,
      sectorSize: SECTOR_BYTES,
      pageSize,
    });
    // Without the magic the journal is not hot: that comes when the records are durable.
    const first = new Uint8Array(SECTOR_BYTES);
    first.set(header);
    if (syncs) first.fill(0, 0, 12);
    client.write(journal, first, 0);
    const saved = this.#savedPages();
    let at = SECTOR_BYTES;
    for (const pgno of saved) {
      client.write(journal, this.#record(pgno), at);
      at += 8 + pageSize;
    }
    const { superJournal } = this.#options;
    if (superJournal !== undefined) {
      // It is found at the end of the file (writeSuperJournal, pager.c).
      if (journal.sizeBytes > at) client.truncate(journal, at);
      const pointer = encodeSuperJournalPointer(utf8.encode(folder + superJournal), pageSize);
      client.write(journal, pointer, at);
    }
    if (!syncs) return;
    client.sync(journal);
    new DataView(header.buffer).setUint32(8, saved.length);
    client.write(journal, header.subarray(0, 12), 0);
    client.sync(journal);
  }

  /** Changes the database; `share` below 1 stops before all is written. */
  writePages(share = 1): void {
    const { client } = this;
    const changed = this.#next.flatMap((page, n) =>
      n < this.#before.length && isEqual(page, this.#before[n]!) ? [] : [n + 1],
    );
    for (const pgno of changed.slice(0, Math.ceil(changed.length * share))) {
      client.writePage(pgno, this.#next[pgno - 1]!);
    }
    if (share < 1) return;
    if (this.#next.length < this.#before.length) {
      client.truncate(client.main, this.#next.length * client.pageSize);
    }
    if (this.#options.syncs ?? true) client.sync(client.main);
  }

  /** Commits. */
  finish(): void {
    const journal = this.#journal!;
    endJournal(this.client, journal, this.#options.end);
    this.giveUp();
    if (this.#options.end === 'delete') this.client.remove(this.journalName);
  }

  /** What SQLite does for ROLLBACK, and after an error. */
  rollBack(): void {
    if (this.#journal === undefined) return;
    playBack(this.client, this.#journal);
    this.finish();
  }

  /** The client ends in the middle: the journal is closed, and nothing else happens to it. */
  giveUp(): void {
    if (this.#journal !== undefined) this.client.closeFile(this.#journal);
    this.#journal = undefined;
  }

  #savedPages(): number[] {
    return this.#before.flatMap((page, n) => {
      const next = this.#next[n];
      return next !== undefined && isEqual(page, next) ? [] : [n + 1];
    });
  }

  #record(pgno: number): Uint8Array {
    const page = this.#before[pgno - 1]!;
    const record = new Uint8Array(8 + page.length);
    const view = new DataView(record.buffer);
    view.setUint32(0, pgno);
    record.set(page, 4);
    view.setUint32(4 + page.length, journalChecksum(this.#nonce, page));
    return record;
  }
}

/** One transaction from begin to end; rolls back when a step fails, and throws its error. */
export function commitRollback(client: SqliteClient, next: Pages, options: RollbackOptions): void {
  const writer = new RollbackWriter(client, next, options);
  try {
    writer.writeJournal();
    writer.writePages();
    writer.finish();
  } catch (error) {
    tryRollBack(writer);
    throw error;
  }
}

/** One transaction over several databases. */
export function commitTogether(
  superJournal: string,
  changes: ReadonlyArray<readonly [client: SqliteClient, next: Pages]>,
  end: JournalEnd,
): void {
  const [first] = changes[0]!;
  const writers = changes.map(
    ([client, next]) => new RollbackWriter(client, next, { end, superJournal }),
  );
  const list = writers.map(({ journalName }) => utf8.encode(folder + journalName));
  try {
    const file = first.openOrCreate(superJournal);
    first.write(file, encodeSuperJournal(list), 0);
    first.sync(file);
    for (const writer of writers) writer.writeJournal();
    for (const writer of writers) writer.writePages();
    first.closeFile(file);
    first.remove(superJournal);
  } catch (error) {
    for (const writer of writers) tryRollBack(writer);
    throw error;
  }
  // The transaction is committed: SQLite ignores errors from here on.
  for (const writer of writers) {
    try {
      writer.finish();
    } catch (error) {
      writer.giveUp();
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (error.code === 'POWER_CUT') throw error;
    }
  }
}

/** What a connection does before it reads: rolls back what another has left behind. */
export function rollBackHotJournal(client: SqliteClient): void {
  const name = `${client.name}-journal`;
  const probe = client.maybeOpen(name, 'read');
  if (probe === undefined) return;
  const isHot = probe.sizeBytes > 0 && client.read(probe, 0, 1)[0] !== 0;
  client.closeFile(probe);
  if (!isHot || client.main.sizeBytes === 0) return;
  const journal = client.openOrCreate(name);
  const superName = readSuperJournalName(sourceOf(client, journal), journal.sizeBytes);
  const text = superName === undefined ? undefined : new TextDecoder().decode(superName);
  if (text === undefined || client.exists(text.slice(text.lastIndexOf('/') + 1))) {
    playBack(client, journal);
  }
  client.closeFile(journal);
  client.remove(name);
}

function tryRollBack(writer: RollbackWriter): void {
  try {
    writer.rollBack();
  } catch (error) {
    // SQLite leaves the journal to the next connection.
    writer.giveUp();
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

function playBack(client: SqliteClient, journal: MountFile): void {
  const hot = openHotJournal(sourceOf(client, journal), client.pageSize);
  if (hot === undefined) return;
  const sizeBytes = hot.initialPageCount * client.pageSize;
  if (client.main.sizeBytes > sizeBytes) client.truncate(client.main, sizeBytes);
  for (const { pgno, page } of hot.records) client.writePage(pgno, page.slice());
  client.sync(client.main);
}

/** What is written to a journal to end it; one that is removed is not written to. */
function endJournal(client: SqliteClient, journal: MountFile, end: JournalEnd): void {
  if (end === 'truncate') client.truncate(journal, 0);
  if (end !== 'persist') return;
  client.write(journal, new Uint8Array(JOURNAL_HEADER_SIZE), 0);
  client.sync(journal);
}

function sourceOf(
  client: SqliteClient,
  file: MountFile,
): {
  read(into: Uint8Array, offset: number, length: number, position: number): number;
} {
  return {
    read: (into, offset, length, position) =>
      client.node.request(() => file.read(into, offset, length, position)),
  };
}
