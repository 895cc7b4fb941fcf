// The wal-index of a database (-shm): memory that clients share, of which the node keeps the file.
//
// A client that dies between its commit frame, which is in the log by then, and its update of the
// index leaves the others ignorant of the transaction. The kernel reports that the client closes
// the file before it drops the client's locks: that is the moment to enter the transaction on its
// behalf.

import { assert } from '@skein/bytes';
import type { DiskFile } from '@skein/host';
import {
  commitToWalIndex,
  readWalIndexHeader,
  restartWalIndex,
  WAL_INDEX_BLOCK_SIZE,
  WAL_WRITE_LOCK,
  walIndexBlock,
  walIndexBlockOf,
} from '@skein/sqlite-file';

import type { EngineContext } from '../context.ts';
import type { Pending } from '../jobs/pending.ts';
import type { MountFile } from './mount-file.ts';
import { OpenScratch } from './open-scratch.ts';
import type { WalFile } from './wal-file.ts';

export interface ShmFileOptions {
  readonly context: EngineContext;
  /** Its name on the mount. */
  readonly name: string;
  readonly file: DiskFile;
  readonly canPassThrough: boolean;
  /** The WAL beside it, where there is one. */
  readonly wal: () => WalFile | undefined;
}

export class ShmFile implements MountFile {
  readonly bypassesCache = false;
  readonly wantsFlush = true;
  readonly #context: EngineContext;
  readonly #name: string;
  readonly #file: DiskFile;
  readonly #scratch: OpenScratch;
  readonly #canPassThrough: boolean;
  readonly #wal: () => WalFile | undefined;

  constructor(options: ShmFileOptions) {
    this.#context = options.context;
    this.#name = options.name;
    this.#file = options.file;
    this.#scratch = new OpenScratch(options.context.disk, options.file);
    this.#canPassThrough = options.canPassThrough;
    this.#wal = options.wal;
  }

  get sizeBytes(): number {
    return this.#file.size('shm.size');
  }

  get backing(): DiskFile | undefined {
    return this.#canPassThrough ? this.#file : undefined;
  }

  opened(): void {
    this.#scratch.opened();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#file.read('shm.read', into, offset, length, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): undefined {
    this.#file.write('shm.write', from, offset, length, position);
    return undefined;
  }

  truncate(sizeBytes: number): undefined {
    this.#file.truncate('shm.truncate', sizeBytes);
    return undefined;
  }

  sync(): undefined {
    return undefined;
  }

  /** What the client has in memory has been written here by the time that this is called. */
  flush(pid: number): Pending | undefined {
    const wal = this.#wal();
    if (!this.#scratch.hasName || wal === undefined || !this.#isBehind(wal)) return undefined;
    const { locks, log } = this.#context;
    // Else somebody is about to do it himself: he lives, and has the lock.
    if (!locks.holdsExclusively(this.#name, WAL_WRITE_LOCK, pid)) return undefined;
    log.info('Completing the commit of a client that died', { file: this.#name, pid });
    return this.completeIndex();
  }

  release(): void {
    this.#scratch.released();
  }

  /** Its name is gone; clients that have it open keep it. */
  unlink(): void {
    this.#scratch.unlink();
  }

  close(): void {
    this.#scratch.close();
  }

  /** Enters into the index what is in the log. Some client must hold WAL_WRITE_LOCK meanwhile. */
  completeIndex(): Pending | undefined {
    const wal = this.#wal();
    if (wal === undefined || !this.#isBehind(wal)) return undefined;
    const { header, frames, loggedSums } = wal.committed!;
    const blockCount = walIndexBlockOf(frames.count) + 1;
    const length = blockCount * WAL_INDEX_BLOCK_SIZE;
    this.#growTo(length);
    const mapping = this.#context.memory.map(this.#name, this.#file, length);
    const blocks = Array.from({ length: blockCount }, (_, n) => {
      const start = n * WAL_INDEX_BLOCK_SIZE;
      return walIndexBlock(mapping.bytes.subarray(start, start + WAL_INDEX_BLOCK_SIZE), n);
    });
    const previous = readWalIndexHeader(blocks[0]!);
    assert(previous !== undefined, 'The wal-index has lost its header');
    commitToWalIndex(blocks, previous, header, {
      pgnos: frames.pagesFrom(previous.mxFrame + 1),
      pageCount: frames.lastPageCount,
      sums: loggedSums,
    });
    return mapping.publish();
  }

  /**
   * The WAL is empty, the database in `pageCount` pages of its file: clients read everything anew.
   * Nobody may be reading or writing meanwhile.
   */
  reset(pageCount: number): Pending | undefined {
    if (this.sizeBytes < WAL_INDEX_BLOCK_SIZE) return undefined;
    const mapping = this.#context.memory.map(this.#name, this.#file, WAL_INDEX_BLOCK_SIZE);
    const first = walIndexBlock(mapping.bytes, 0);
    const previous = readWalIndexHeader(first);
    // Without a header it is made anew from the WAL by whoever comes next.
    if (previous === undefined) return undefined;
    const salt = new Uint8Array(4);
    this.#context.random.fill(salt);
    restartWalIndex(first, previous, { pageCount, salt2: new DataView(salt.buffer).getUint32(0) });
    return mapping.publish();
  }

  /**
   * The WAL is void: whoever uses the index next makes it anew. It keeps its size, since clients
   * have it mapped, and would get SIGBUS.
   */
  invalidate(): Pending | undefined {
    if (this.sizeBytes < WAL_INDEX_BLOCK_SIZE) return undefined;
    const mapping = this.#context.memory.map(this.#name, this.#file, WAL_INDEX_BLOCK_SIZE);
    mapping.bytes.fill(0);
    return mapping.publish();
  }

  /** With zeros, not with a hole: on a full disk that fails here, and not where it is mapped. */
  #growTo(length: number): void {
    const { sizeBytes } = this;
    if (sizeBytes >= length) return;
    const zeros = new Uint8Array(length - sizeBytes);
    this.#file.write('shm.grow', zeros, 0, zeros.length, sizeBytes);
  }

  /** Whether frames are in the log that the index does not know. */
  #isBehind(wal: WalFile): boolean {
    const { committed } = wal;
    if (committed === undefined || committed.frames.count === 0) return false;
    const block = new Uint8Array(WAL_INDEX_BLOCK_SIZE);
    this.read(block, 0, block.length, 0);
    const index = readWalIndexHeader(walIndexBlock(block, 0));
    // An index without a sound header is made anew from the WAL by whoever comes next. One that is
    // empty gets the salts of the WAL with the first transaction.
    return (
      index !== undefined &&
      index.mxFrame < committed.frames.count &&
      (index.mxFrame === 0 || isOfSameWal(index, committed.header))
    );
  }
}

interface Salts {
  readonly salt1: number;
  readonly salt2: number;
}

function isOfSameWal(one: Salts, other: Salts): boolean {
  return one.salt1 === other.salt1 && one.salt2 === other.salt2;
}
