// Everything that clients do with the databases of a node, one after the other, and what a crash
// may take of it: each action tells the timeline what it changes, and what it was promised.

import { PowerCut, type SeededRandom } from '@skein/testkit';

import {
  commitRollback,
  commitTogether,
  JOURNAL_ENDS,
  type JournalEnd,
  RollbackWriter,
} from './rollback-client.ts';
import { bytesOf, changedPages, inMode, type Pages, samplePages } from './sample-database.ts';
import type { SimNode } from './sim-node.ts';
import { OWNER, SqliteClient } from './sqlite-client.ts';
import type { NodeState, Timeline } from './timeline.ts';
import { WalClient } from './wal-client.ts';

/** Pieces in which a program copies a file. */
const COPY_BYTES = 3000;

export class Actor {
  readonly node: SimNode;
  readonly random: SeededRandom;
  readonly timeline: Timeline;
  readonly pageSize: number;
  /** Where the transaction led that failed. */
  doubtful: NodeState | undefined;
  readonly #clients = new Map<string, SqliteClient>();
  readonly #wals = new Map<string, WalClient>();
  #superJournalCount = 0;

  constructor(parts: {
    readonly node: SimNode;
    readonly random: SeededRandom;
    readonly timeline: Timeline;
    readonly pageSize?: number;
  }) {
    this.node = parts.node;
    this.random = parts.random;
    this.timeline = parts.timeline;
    this.pageSize = parts.pageSize ?? 512;
  }

  exists(name: string): boolean {
    return this.timeline.last.has(name);
  }

  isWal(name: string): boolean {
    return this.#wals.has(name);
  }

  client(name: string): SqliteClient {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const client = new SqliteClient(this.node, name, this.pageSize);
    this.#clients.set(name, client);
    return client;
  }

  /** A first transaction, or one more, in a rollback mode. */
  commit(name: string, end: JournalEnd, next: Pages = this.#next(name)): void {
    this.#change({ [name]: next }, () => commitRollback(this.client(name), next, { end }));
  }

  /** A transaction without any sync: synchronous=OFF. */
  commitUnsynced(name: string, end: JournalEnd): void {
    const next = this.#next(name);
    this.#change({ [name]: next }, () =>
      commitRollback(this.client(name), next, { end, syncs: false }),
    );
  }

  /** A transaction that is rolled back after some of its pages were written. */
  rollBack(name: string, end: JournalEnd): void {
    const writer = new RollbackWriter(this.client(name), this.#next(name), { end });
    try {
      writer.writeJournal();
      writer.writePages(0.7);
      writer.rollBack();
    } finally {
      writer.giveUp();
    }
  }

  /** A transaction over two databases. */
  commitTogether(names: readonly string[], end: JournalEnd): void {
    const nexts = names.map((name) => [name, this.#next(name)] as const);
    const number = (0x100 + this.#superJournalCount++).toString(16).toUpperCase();
    const superJournal = `${names[0]}-mjABC${number}901`;
    this.#change(Object.fromEntries(nexts), () =>
      commitTogether(
        superJournal,
        nexts.map(([name, next]) => [this.client(name), next]),
        end,
      ),
    );
  }

  switchToWal(name: string): void {
    this.commit(name, 'delete', inMode(this.#pages(name), 'wal'));
    this.#wals.set(name, new WalClient(this.client(name), this.random.fork()));
  }

  switchToRollback(name: string): void {
    this.wal(name).closeLast();
    this.#wals.delete(name);
    this.commit(name, 'delete', inMode(this.#pages(name), 'rollback'));
  }

  wal(name: string): WalClient {
    return this.#wals.get(name)!;
  }

  commitWal(name: string, syncs: boolean, next: Pages = this.#next(name)): void {
    const options = { syncs, keepsWal: this.random.bool(0.3) };
    this.timeline.begin({ [name]: next });
    this.#attempt(() => this.wal(name).commit(next, options));
    if (syncs) this.timeline.promise();
  }

  drop(name: string): void {
    this.closeClient(name);
    this.#change({ [name]: undefined }, () => {
      const { store } = this.node.engine;
      this.node.answer(() => store.remove(name));
    });
  }

  /** The last connection to a database ends. */
  closeClient(name: string): void {
    if (this.isWal(name)) this.wal(name).closeLast();
    this.#wals.delete(name);
    this.#clients.get(name)?.close();
    this.#clients.delete(name);
  }

  /** `cp file MOUNT/name`. */
  copyIn(name: string): void {
    const image = this.#image();
    const { engine } = this.node;
    this.#change({ [name]: this.#replaced(name, image) }, () => {
      const file = this.node.request(() =>
        engine.store.find(name) === undefined
          ? engine.store.create(name, 'write', OWNER)
          : engine.store.open(name, 'write'),
      );
      file.opened();
      try {
        this.#copy(bytesOf(image), (piece, at) => file.write(piece, 0, piece.length, at));
        this.node.answer(() => file.flush(0));
      } finally {
        this.node.request(() => file.release());
      }
    });
  }

  /** `rsync file MOUNT/name`: into a file with another name, then renamed. */
  renameInto(name: string): void {
    this.closeClient(name);
    const image = this.#image();
    const { store } = this.node.engine;
    this.#change({ [name]: this.#replaced(name, image) }, () => {
      const staging = `.${name}.Xy12`;
      const file = this.node.request(() => store.create(staging, 'write', OWNER));
      file.opened();
      try {
        this.#copy(bytesOf(image), (piece, at) => file.write(piece, 0, piece.length, at));
      } finally {
        this.node.request(() => file.release());
      }
      this.node.answer(() => store.rename(staging, name, OWNER));
    });
  }

  anyEnd(): JournalEnd {
    return this.random.pick(JOURNAL_ENDS);
  }

  #copy(bytes: Uint8Array, write: (piece: Uint8Array, at: number) => undefined | object): void {
    for (let at = 0; at < bytes.length; at += COPY_BYTES) {
      this.node.request(() => write(bytes.slice(at, at + COPY_BYTES), at));
    }
  }

  #change(changes: Readonly<Record<string, Pages | undefined>>, act: () => void): void {
    this.timeline.begin(changes);
    this.#attempt(act);
    this.timeline.promise();
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof PowerCut) throw error;
      this.doubtful = this.timeline.revoke();
      throw error;
    }
  }

  #pages(name: string): Pages {
    return this.timeline.last.get(name)!;
  }

  #next(name: string): Pages {
    const before = this.timeline.last.get(name);
    return before === undefined
      ? samplePages(this.random, this.pageSize, this.random.int(2, 12))
      : changedPages(this.random, before);
  }

  #image(): Pages {
    return samplePages(this.random, this.pageSize, this.random.int(2, 30));
  }

  /** Counters of a database that replaces another go on where that was (src/commit/image.ts). */
  #replaced(name: string, image: Pages): Pages {
    const before = this.timeline.last.get(name);
    return before === undefined ? image : replacing(before, image);
  }
}

/** How an image looks once it has replaced a database that had these pages. */
function replacing(before: Pages, image: Pages): Pages {
  const page = image[0]!.slice();
  const view = new DataView(page.buffer);
  const old = new DataView(before[0]!.buffer, before[0]!.byteOffset);
  for (const at of [24, 40]) {
    view.setUint32(at, Math.max(view.getUint32(at), old.getUint32(at)) + 1);
  }
  view.setUint32(92, view.getUint32(24));
  return [page, ...image.slice(1)];
}
