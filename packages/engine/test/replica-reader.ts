// A client of a replica that reads in WAL mode as SQLite does (src/wal.c, walTryBeginRead and
// walFindFrame): marks, locks, the wal-index, frames, and a kernel that remembers pages of the
// database file.

import assert from 'node:assert/strict';

import {
  findWalFrame,
  READ_MARK_NOT_USED,
  readWalCheckpointInfo,
  readWalIndexHeader,
  WAL_DMS_LOCK,
  WAL_FRAME_HEADER_SIZE,
  WAL_INDEX_BLOCK_SIZE,
  WAL_READ_LOCK_COUNT,
  WAL_READ_LOCK_FIRST,
  WAL_READ_MARKS_OFFSET,
  walFrameOffset,
  walIndexBlock,
  type WalIndexBlock,
  type WalIndexHeader,
} from '@skein/sqlite-file';

import type { MountFile } from '../src/files/mount-file.ts';
import type { Pages } from './sample-database.ts';
import type { SimLockOwner } from './sim-locks.ts';
import type { SimNode } from './sim-node.ts';

/** What a read transaction has found when it began. */
interface Snapshot {
  readonly header: WalIndexHeader;
  readonly minFrame: number;
  /** Number of the read lock; 0: only the database file is read. */
  readonly lock: number;
}

export class ReplicaReader {
  readonly name: string;
  readonly #node: SimNode;
  readonly #owner: SimLockOwner;
  readonly #main: MountFile;
  readonly #wal: MountFile;
  readonly #shm: MountFile;
  #snapshot: Snapshot | undefined;

  constructor(node: SimNode, name: string, pid = 77) {
    this.name = name;
    this.#node = node;
    this.#owner = { pid };
    const { store } = node.engine;
    this.#main = store.open(name, 'read');
    this.#wal = store.open(`${name}-wal`, 'read');
    this.#shm = store.open(`${name}-shm`, 'read-write');
    for (const file of [this.#main, this.#wal, this.#shm]) file.opened();
    assert(node.shmLocks.tryLock(this.#owner, name, WAL_DMS_LOCK, 'shared'));
  }

  /** Whether the node has made the index: before, SQLite would by itself. */
  get hasIndex(): boolean {
    return this.#shm.sizeBytes > 0 && readWalIndexHeader(this.#blocks(1)[0]!) !== undefined;
  }

  begin(): void {
    if (!this.hasIndex) return;
    for (let tries = 0; tries < 100; tries++) {
      this.#snapshot = this.#tryBegin();
      if (this.#snapshot !== undefined) return;
    }
    assert.fail(`${this.name}: a reader cannot begin`);
  }

  /** All pages as this transaction sees them. */
  pages(): Pages {
    const snapshot = this.#snapshot;
    const pageSize = snapshot?.header.pageSize ?? this.#pageSizeOfFile();
    const pageCount = snapshot?.header.pageCount ?? this.#main.sizeBytes / pageSize;
    return Array.from({ length: pageCount }, (_, n) => this.#page(n + 1, pageSize));
  }

  end(): void {
    if (this.#snapshot !== undefined) this.#unlock(this.#snapshot.lock);
    this.#snapshot = undefined;
  }

  close(): void {
    this.end();
    this.#node.shmLocks.release(this.#owner);
    for (const file of [this.#main, this.#wal, this.#shm]) file.release();
  }

  #tryBegin(): Snapshot | undefined {
    const [first] = this.#blocks(1);
    const header = readWalIndexHeader(first!);
    if (header === undefined) return undefined;
    const info = readWalCheckpointInfo(first!);
    if (info.nBackfill === header.mxFrame && this.#tryLock(0, 'shared')) {
      return this.#confirmed(header, 0);
    }
    const lock = this.#chooseMark(header.mxFrame, info.readMarks);
    if (lock === undefined || !this.#tryLock(lock, 'shared')) return undefined;
    return this.#confirmed(header, lock);
  }

  /** The newest mark that does; one is moved to the end of the WAL if nobody has it. */
  #chooseMark(mxFrame: number, marks: readonly number[]): number | undefined {
    let best: number | undefined;
    for (let n = 1; n < WAL_READ_LOCK_COUNT; n++) {
      const mark = marks[n]!;
      if (mark <= mxFrame && mark !== READ_MARK_NOT_USED && mark >= (marks[best ?? 0] ?? 0)) {
        best = n;
      }
    }
    if (best !== undefined && marks[best] === mxFrame) return best;
    for (let n = 1; n < WAL_READ_LOCK_COUNT; n++) {
      if (!this.#tryLock(n, 'exclusive')) continue;
      const mark = new Uint8Array(new Uint32Array([mxFrame]).buffer);
      this.#shm.write(mark, 0, 4, WAL_READ_MARKS_OFFSET + n * 4);
      this.#unlock(n);
      return n;
    }
    return best;
  }

  /** The index may have changed between the look and the lock. */
  #confirmed(header: WalIndexHeader, lock: number): Snapshot | undefined {
    const [first] = this.#blocks(1);
    const now = readWalIndexHeader(first!);
    if (now?.changeCounter !== header.changeCounter || now.salt2 !== header.salt2) {
      this.#unlock(lock);
      return undefined;
    }
    return { header, minFrame: readWalCheckpointInfo(first!).nBackfill + 1, lock };
  }

  #page(pgno: number, pageSize: number): Uint8Array {
    const frame = this.#frameOf(pgno);
    if (frame === 0) {
      return this.#node.pageCache.read(this.name, this.#main, (pgno - 1) * pageSize, pageSize);
    }
    const at = walFrameOffset(frame, pageSize) + WAL_FRAME_HEADER_SIZE;
    assert(at + pageSize <= this.#wal.sizeBytes, `Frame ${frame} is not there`);
    // Where the kernel does not read the file behind it by itself.
    return this.#node.pageCache.read(`${this.name}-wal`, this.#wal, at, pageSize);
  }

  #frameOf(pgno: number): number {
    if (this.#snapshot === undefined || this.#snapshot.lock === 0) return 0;
    const { header, minFrame } = this.#snapshot;
    const { mxFrame } = header;
    if (minFrame > mxFrame) return 0;
    const count = this.#shm.sizeBytes / WAL_INDEX_BLOCK_SIZE;
    return findWalFrame(this.#blocks(count), pgno, { mxFrame, minFrame });
  }

  #pageSizeOfFile(): number {
    const page = this.#node.pageCache.read(this.name, this.#main, 0, 100);
    const size = new DataView(page.buffer).getUint16(16);
    return size === 1 ? 65_536 : size;
  }

  #blocks(count: number): WalIndexBlock[] {
    return Array.from({ length: count }, (_, n) => {
      const bytes = new Uint8Array(WAL_INDEX_BLOCK_SIZE);
      this.#shm.read(bytes, 0, bytes.length, n * WAL_INDEX_BLOCK_SIZE);
      return walIndexBlock(bytes, n);
    });
  }

  #tryLock(n: number, kind: 'shared' | 'exclusive'): boolean {
    const { shmLocks } = this.#node;
    return shmLocks.tryLock(this.#owner, this.name, WAL_READ_LOCK_FIRST + n, kind);
  }

  #unlock(n: number): void {
    this.#node.shmLocks.unlock(this.#owner, this.name, WAL_READ_LOCK_FIRST + n);
  }
}
