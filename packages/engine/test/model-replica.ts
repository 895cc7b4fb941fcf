// A replica as it should be: takes what a cursor gives out, applies it with an LTX reader to pages
// in memory, and believes nothing: every transaction must fit, and lead to the checksum that it
// tells.

import assert from 'node:assert/strict';

import {
  bytesSource,
  CHECKSUM_FLAG,
  DatabaseChecksum,
  formatPosition,
  LtxReader,
  pageChecksum,
  type Position,
  POSITION_ZERO,
} from '@skein/ltx';

import { LogCatalog } from '../src/follow/log-catalog.ts';
import { type FollowedLog, isTrimmed } from '../src/follow/log-follower.ts';
import type { CursorStep } from '../src/follow/peer-cursor.ts';
import { PeerCursor } from '../src/follow/peer-cursor.ts';
import type { Job } from '../src/jobs/jobs.ts';
import { PublishedLog } from '../src/log/published-log.ts';
import type { SnapshotTicket } from '../src/snapshot/sent-snapshots.ts';
import { SnapshotProgress } from '../src/snapshot/snapshot-progress.ts';
import type { Pages } from './sample-database.ts';
import { DATA_FOLDER, type SimNode } from './sim-node.ts';

/** More steps than any log of a test has batches. */
const STEPS_MAX = 20_000;

export interface ModelCounts {
  transactions: number;
  files: number;
  snapshots: number;
  unknown: number;
}

interface ModelDatabase {
  pages: Uint8Array[];
  position: Position;
}

export class ModelReplica {
  readonly databases = new Map<string, ModelDatabase>();
  readonly counts: ModelCounts = { transactions: 0, files: 0, snapshots: 0, unknown: 0 };
  #node: SimNode;
  #cursor: PeerCursor | undefined;
  #catalog: LogCatalog | undefined;
  #ticket: SnapshotTicket | undefined;

  constructor(node: SimNode) {
    this.#node = node;
  }

  get positions(): ReadonlyMap<string, Position> {
    return new Map([...this.databases].map(([name, { position }]) => [name, position]));
  }

  get state(): ReadonlyMap<string, Pages> {
    const databases = [...this.databases].filter(([, { pages }]) => pages.length > 0);
    return new Map(databases.map(([name, { pages }]) => [name, pages]));
  }

  /** The connection breaks; the next step makes another, perhaps to another node. */
  disconnect(node: SimNode = this.#node): void {
    if (this.#ticket !== undefined) this.#node.engine.snapshots.release(this.#ticket.id);
    this.#ticket = undefined;
    this.#cursor?.close();
    this.#cursor = undefined;
    if (node !== this.#node) this.forget();
    this.#node = node;
  }

  /** What was known of the log is lost, as when the process starts again. */
  forget(): void {
    this.#catalog?.close();
    this.#catalog = undefined;
    this.#cursor?.close();
    this.#cursor = undefined;
  }

  /** Takes what comes next; false when there is nothing. */
  step(): boolean {
    if (this.#ticket !== undefined) return this.#finishSnapshot(this.#ticket);
    try {
      this.#cursor ??= this.#connect();
      const step = this.#cursor.step();
      this.#hold();
      return this.#take(step);
    } catch (error) {
      if (!isTrimmed(error)) throw error;
      this.forget();
      return true;
    }
  }

  /** Takes everything there is. */
  catchUp(): void {
    for (let steps = 0; this.step(); steps++) assert(steps < STEPS_MAX, 'It never catches up');
  }

  #connect(): PeerCursor {
    const { engine, disk, clock } = this.#node;
    const published = new PublishedLog(engine.log.published.memory);
    const log: FollowedLog = { disk, folder: `${DATA_FOLDER}/log`, published };
    this.#catalog ??= new LogCatalog(log, engine.followedStates());
    return new PeerCursor({ log, clock, catalog: this.#catalog, from: this.positions });
  }

  #hold(): void {
    const { neededLsn } = this.#cursor!;
    this.#node.engine.log.published.hold(neededLsn, this.#ticket === undefined ? 0 : neededLsn);
  }

  #take(step: CursorStep): boolean {
    switch (step.kind) {
      case 'transactions':
        for (const { database, bytes } of step.transactions) this.#apply(database, bytes);
        this.counts.transactions += step.transactions.length;
        return true;
      case 'file': {
        const { file, sizeBytes, database } = step.file;
        const bytes = new Uint8Array(sizeBytes);
        file.read('model.read', bytes, 0, sizeBytes, 0);
        file.close();
        this.#apply(database, bytes);
        this.counts.files++;
        return true;
      }
      case 'snapshot':
        this.#beginSnapshot(step.database);
        return true;
      case 'unknown-database':
        this.counts.unknown++;
        return true;
      case 'more':
        return true;
      case 'end':
        return false;
    }
  }

  #beginSnapshot(database: string): void {
    const { engine } = this.#node;
    const begun: { ticket?: SnapshotTicket } = {};
    const cursor = this.#cursor!;
    try {
      const pending = engine.run(keep(engine.snapshots.begin(database), begun));
      if (pending !== undefined) this.#node.settle(pending);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'DATABASE_NOT_FOUND');
      cursor.cannotSnapshot(database);
      return;
    }
    this.#ticket = begun.ticket!;
    cursor.tookSnapshot(database, this.#ticket.position, this.#ticket.lsn);
    this.#hold();
  }

  #finishSnapshot(ticket: SnapshotTicket): boolean {
    const { engine, disk } = this.#node;
    const written = new SnapshotProgress(ticket.progress).writtenBytes;
    if (written === undefined) {
      // It was dropped meanwhile.
      this.disconnect();
      return true;
    }
    if (written < ticket.sizeBytes) {
      engine.idle();
      return true;
    }
    const file = disk.open('model.open', ticket.path, 'read');
    const bytes = new Uint8Array(ticket.sizeBytes);
    file.read('model.read', bytes, 0, ticket.sizeBytes, 0);
    assert.equal(file.size('model.size'), ticket.sizeBytes, 'Size of a snapshot');
    file.close();
    engine.snapshots.release(ticket.id);
    this.#ticket = undefined;
    this.#apply(ticket.database, bytes);
    assert.deepEqual(this.databases.get(ticket.database)!.position, ticket.position);
    this.counts.snapshots++;
    return true;
  }

  #apply(name: string, bytes: Uint8Array): void {
    const reader = new LtxReader(bytesSource(bytes), { version: 1 });
    const { header } = reader;
    const before = this.databases.get(name) ?? { pages: [], position: POSITION_ZERO };
    const isWhole = header.minTxid === 1n;
    if (!isWhole) {
      assert.equal(header.minTxid, before.position.txid + 1n, `${name}: a gap in the TXIDs`);
      assert.equal(header.preApplyChecksum, before.position.checksum, `${name}: pre-apply`);
    }
    const pages = isWhole ? [] : [...before.pages];
    for (let page = reader.next(); page !== undefined; page = reader.next()) {
      pages[page.pgno - 1] = page.bytes.slice(page.start, page.start + header.pageSize);
    }
    pages.length = header.commit;
    assert.equal(reader.sizeBytes, bytes.length, `${name}: bytes behind the LTX file`);
    const position = { txid: header.maxTxid, checksum: reader.trailer.postApplyChecksum };
    assert.equal(checksumOf(pages), position.checksum, `${name} at ${formatPosition(position)}`);
    this.databases.set(name, { pages, position });
  }
}

function checksumOf(pages: readonly Uint8Array[]): bigint {
  if (pages.length === 0) return CHECKSUM_FLAG;
  const sum = new DatabaseChecksum();
  for (const [n, page] of pages.entries()) {
    const own = pageChecksum(n + 1, page);
    sum.toggle(Number(own >> 32n), Number(own & 0xffff_ffffn));
  }
  return sum.value;
}

function* keep(job: Job<SnapshotTicket>, begun: { ticket?: SnapshotTicket }): Job<void> {
  begun.ticket = yield* job;
}
