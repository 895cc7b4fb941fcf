// A connection in WAL mode, below SQL: frames into the WAL, entries into the wal-index, checkpoints
// (src/wal.c). What it knows is in the files alone, as with processes that share them.

import assert from 'node:assert/strict';

import {
  commitToWalIndex,
  encodeWalHeader,
  findWalFrame,
  readWalCheckpointInfo,
  readWalFrames,
  readWalHeader,
  readWalIndexHeader,
  restartWalIndex,
  WAL_FRAME_HEADER_SIZE,
  WAL_INDEX_BLOCK_SIZE,
  WalChain,
  walFrameOffset,
  walIndexBlock,
  type WalIndexBlock,
  walIndexBlockOf,
  type WalIndexHeader,
  writeWalCheckpointInfo,
  writeWalIndexHeader,
} from '@skein/sqlite-file';
import type { SeededRandom } from '@skein/testkit';

import type { MountFile } from '../src/files/mount-file.ts';
import { isEqual, type Pages } from './sample-database.ts';
import type { SqliteClient } from './sqlite-client.ts';

export interface WalCommitOptions {
  /** Whether the WAL is synced after the commit: synchronous=FULL. */
  readonly syncs: boolean;
  /** The client dies after its commit frame, before the wal-index says so. */
  readonly diesBeforeIndex?: boolean;
  /** Goes on with the WAL though all of it is in the database: somebody reads from it. */
  readonly keepsWal?: boolean;
}

/** What a read transaction may see. */
export interface ReadMark {
  readonly mxFrame: number;
  readonly minFrame: number;
  readonly pageCount: number;
}

export class WalClient {
  readonly client: SqliteClient;
  readonly wal: MountFile;
  readonly shm: MountFile;
  readonly #random: SeededRandom;
  readonly #memory = new Uint8Array(2 * WAL_INDEX_BLOCK_SIZE);
  readonly #blocks: readonly WalIndexBlock[];

  constructor(client: SqliteClient, random: SeededRandom) {
    this.client = client;
    this.#random = random;
    this.#blocks = [0, 1].map((n) => {
      const start = n * WAL_INDEX_BLOCK_SIZE;
      return walIndexBlock(this.#memory.subarray(start, start + WAL_INDEX_BLOCK_SIZE), n);
    });
    const isFirst = !client.exists(`${client.name}-shm`);
    this.shm = client.openOrCreate(`${client.name}-shm`);
    this.wal = client.openOrCreate(`${client.name}-wal`);
    if (isFirst) this.#recover();
  }

  /** Where a read transaction that begins now stands. */
  readMark(): ReadMark {
    const { mxFrame, pageCount } = this.#load();
    return { mxFrame, pageCount, minFrame: this.#info().nBackfill + 1 };
  }

  /** The database as somebody sees it who began to read at `mark`. */
  pages(mark: ReadMark = this.readMark()): Pages {
    const { pageSize, main } = this.client;
    this.#load();
    return Array.from({ length: mark.pageCount }, (_, n) => {
      const frame = findWalFrame(this.#blocks, n + 1, mark);
      if (frame > 0) return this.#framePage(frame);
      const page = new Uint8Array(pageSize);
      page.set(this.client.read(main, n * pageSize, pageSize));
      return page;
    });
  }

  /** One transaction. */
  commit(next: Pages, options: WalCommitOptions): void {
    const index = this.#begin(options.keepsWal === true);
    const before = this.pages();
    const pgnos = changedPgnos(before, next);
    const { header, chain } = this.#chainAt(index);
    for (const [n, pgno] of pgnos.entries()) {
      const isLast = n === pgnos.length - 1;
      const frame = new Uint8Array(WAL_FRAME_HEADER_SIZE + this.client.pageSize);
      frame.set(next[pgno - 1]!, WAL_FRAME_HEADER_SIZE);
      chain.seal(new DataView(frame.buffer), 0, pgno, isLast ? next.length : 0);
      const at = walFrameOffset(index.mxFrame + n + 1, this.client.pageSize);
      // SQLite writes header and page apart.
      this.client.write(this.wal, frame.subarray(0, WAL_FRAME_HEADER_SIZE), at);
      const page = frame.subarray(WAL_FRAME_HEADER_SIZE);
      this.client.write(this.wal, page, at + WAL_FRAME_HEADER_SIZE);
    }
    if (options.syncs) this.client.sync(this.wal);
    if (options.diesBeforeIndex === true) return;
    const transaction = { pgnos, pageCount: next.length, sums: chain.sums };
    commitToWalIndex(this.#blocks, index, header, transaction);
    this.#store();
  }

  /**
   * Copies frames up to `through` into the database, as a checkpoint does that readers hold up; all
   * of them by default.
   */
  checkpoint(through = Infinity): void {
    const { client } = this;
    const { pageSize } = client;
    const index = this.#load();
    const { nBackfill, ...info } = this.#info();
    const safe = Math.min(through, index.mxFrame);
    if (safe <= nBackfill) return;
    client.sync(this.wal);
    writeWalCheckpointInfo(this.#blocks[0]!, { ...info, nBackfill, nBackfillAttempted: safe });
    this.#store();
    for (let pgno = 1; pgno <= index.pageCount; pgno++) {
      const frame = findWalFrame(this.#blocks, pgno, { mxFrame: safe, minFrame: nBackfill + 1 });
      if (frame > 0) client.writePage(pgno, this.#framePage(frame));
    }
    if (safe === index.mxFrame) client.truncate(client.main, index.pageCount * pageSize);
    client.sync(client.main);
    writeWalCheckpointInfo(this.#blocks[0]!, {
      ...info,
      nBackfill: safe,
      nBackfillAttempted: safe,
    });
    this.#store();
  }

  /** wal_checkpoint(TRUNCATE), with nobody else there. */
  checkpointTruncate(): void {
    this.checkpoint();
    this.#restart();
    this.client.truncate(this.wal, 0);
  }

  /** The last connection closes: everything goes into the database, and the files go away. */
  closeLast(): void {
    this.checkpoint();
    const { client } = this;
    // SQLite removes the wal-index while it still has it open and mapped.
    client.remove(`${client.name}-shm`);
    client.write(this.shm, this.#memory.subarray(0, WAL_INDEX_BLOCK_SIZE), 0);
    client.closeFile(this.shm);
    client.closeFile(this.wal);
    client.remove(`${client.name}-wal`);
  }

  /** The process ends, `pid` with its locks: the kernel reports that before it drops them. */
  die(pid: number): void {
    this.client.closeFile(this.shm, pid);
    this.client.closeFile(this.wal);
    this.client.close();
  }

  #begin(keepsWal: boolean): WalIndexHeader {
    const index = this.#load();
    const isSpent = index.mxFrame > 0 && this.#info().nBackfill === index.mxFrame;
    return isSpent && !keepsWal ? this.#restart() : index;
  }

  #restart(): WalIndexHeader {
    const index = this.#load();
    const change = { pageCount: index.pageCount, salt2: this.#random.uint32() };
    const next = restartWalIndex(this.#blocks[0]!, index, change);
    this.#store();
    return next;
  }

  /**
   * The WAL's header, made if this is its first transaction, and the checksums behind `mxFrame`.
   */
  #chainAt(index: WalIndexHeader): { header: WalChain['header']; chain: WalChain } {
    if (index.mxFrame === 0) {
      const isNew = index.salt1 === 0 && index.salt2 === 0;
      const header = {
        bigEndianChecksums: false,
        pageSize: this.client.pageSize,
        checkpointSequence: 0,
        salt1: isNew ? this.#random.uint32() : index.salt1,
        salt2: isNew ? this.#random.uint32() : index.salt2,
      };
      this.client.write(this.wal, encodeWalHeader(header), 0);
      return { header, chain: new WalChain(header) };
    }
    const header = readWalHeader(this.#source())!;
    const chain = new WalChain(header);
    chain.sums[0] = index.frameChecksum1;
    chain.sums[1] = index.frameChecksum2;
    return { header, chain };
  }

  /** Builds the index from the WAL: what the first connection does. */
  #recover(): WalIndexHeader {
    this.#memory.fill(0);
    const { client } = this;
    let index: WalIndexHeader = {
      changeCounter: 0,
      bigEndianChecksums: false,
      pageSize: client.pageSize,
      mxFrame: 0,
      pageCount: client.main.sizeBytes / client.pageSize,
      frameChecksum1: 0,
      frameChecksum2: 0,
      salt1: 0,
      salt2: 0,
    };
    writeWalIndexHeader(this.#blocks[0]!, index);
    writeWalCheckpointInfo(this.#blocks[0]!, {
      nBackfill: 0,
      nBackfillAttempted: 0,
      readMarks: [0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff],
    });
    const header = readWalHeader(this.#source());
    if (header !== undefined) {
      const chain = new WalChain(header);
      let pgnos: number[] = [];
      for (const frame of readWalFrames(this.#source(), chain)) {
        pgnos.push(frame.pgno);
        if (frame.commit === 0) continue;
        const transaction = { pgnos, pageCount: frame.commit, sums: chain.sums };
        index = commitToWalIndex(this.#blocks, index, header, transaction);
        pgnos = [];
      }
    }
    this.#store();
    return index;
  }

  #load(): WalIndexHeader {
    this.#memory.set(this.client.read(this.shm, 0, this.#memory.length));
    const header = readWalIndexHeader(this.#blocks[0]!) ?? this.#recover();
    assert(walIndexBlockOf(header.mxFrame + 100) < this.#blocks.length, 'The WAL is too long');
    return header;
  }

  #store(): void {
    this.client.write(this.shm, this.#memory, 0);
  }

  #info(): ReturnType<typeof readWalCheckpointInfo> {
    return readWalCheckpointInfo(this.#blocks[0]!);
  }

  #framePage(frame: number): Uint8Array {
    const { pageSize } = this.client;
    const at = walFrameOffset(frame, pageSize) + WAL_FRAME_HEADER_SIZE;
    const page = this.client.read(this.wal, at, pageSize).slice();
    assert.equal(page.length, pageSize, `Frame ${frame} is not in the WAL`);
    return page;
  }

  #source(): { read(into: Uint8Array, offset: number, length: number, at: number): number } {
    return {
      read: (into, offset, length, at) =>
        this.client.node.request(() => this.wal.read(into, offset, length, at)),
    };
  }
}

/** Every page that differs, in order, the last of which is there in any case. */
function changedPgnos(before: Pages, next: Pages): number[] {
  const pgnos = next.flatMap((page, n) =>
    n < before.length && isEqual(page, before[n]!) ? [] : [n + 1],
  );
  return pgnos.length === 0 ? [1] : pgnos;
}
