// A connection to one database on the mount, below SQL: it reads and writes the files as SQLite's
// pager does, in its order, with its syncs (src/pager.c), and takes what comes back as it would.

import assert from 'node:assert/strict';

import type { DiskFile } from '@skein/host';

import type { FileOwner } from '../src/data-folder/owner-file.ts';
import { EngineError } from '../src/errors.ts';
import type { MountFile } from '../src/files/mount-file.ts';
import type { Access } from '../src/store/file-store.ts';
import type { Pages } from './sample-database.ts';
import type { SimNode } from './sim-node.ts';

export const OWNER: FileOwner = { uid: 1000, gid: 1000, mode: 0o644 };

export class SqliteClient {
  readonly node: SimNode;
  readonly name: string;
  readonly pageSize: number;
  readonly main: MountFile;
  /** Files that the kernel writes by itself (FUSE_PASSTHROUGH): the node is not told. */
  readonly #passedThrough = new Map<MountFile, DiskFile>();

  constructor(node: SimNode, name: string, pageSize = 512) {
    this.node = node;
    this.name = name;
    this.pageSize = pageSize;
    this.main = this.#openMain();
  }

  /** Opens a file of the mount; what the kernel does for open(2) with O_CREAT. */
  openOrCreate(name: string): MountFile {
    return (
      this.maybeOpen(name) ?? this.#opened(() => this.#store.create(name, 'read-write', OWNER))
    );
  }

  /** Undefined when there is no such file. */
  maybeOpen(name: string, access: Access = 'read-write'): MountFile | undefined {
    if (!this.exists(name)) return undefined;
    return this.#opened(() => this.#store.open(name, access));
  }

  exists(name: string): boolean {
    return this.#store.find(name) !== undefined;
  }

  remove(name: string): void {
    this.node.answer(() => this.#store.remove(name));
  }

  /** close(2): the kernel waits for the flush, not for the release. */
  closeFile(file: MountFile, pid = 0): void {
    if (file.wantsFlush) this.node.answer(() => file.flush(pid));
    this.node.request(() => file.release());
  }

  write(file: MountFile, bytes: Uint8Array, position: number): void {
    const backing = this.#passedThrough.get(file);
    if (backing !== undefined) return backing.write('kernel', bytes, 0, bytes.length, position);
    this.node.answer(() => file.write(bytes, 0, bytes.length, position));
  }

  truncate(file: MountFile, sizeBytes: number): void {
    this.node.answer(() => file.truncate(sizeBytes));
  }

  sync(file: MountFile): void {
    this.node.answer(() => file.sync());
  }

  read(file: MountFile, position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const count = this.node.request(() => file.read(bytes, 0, length, position));
    return bytes.subarray(0, count);
  }

  /** All of the database file, as a reader without a WAL sees it. */
  pages(): Pages {
    const { sizeBytes } = this.main;
    assert.equal(sizeBytes % this.pageSize, 0, `${this.name} ends within a page`);
    const bytes = this.read(this.main, 0, sizeBytes);
    assert.equal(bytes.length, sizeBytes, `${this.name} is shorter than its size`);
    const count = sizeBytes / this.pageSize;
    return Array.from({ length: count }, (_, n) =>
      bytes.subarray(n * this.pageSize, (n + 1) * this.pageSize),
    );
  }

  writePage(pgno: number, page: Uint8Array): void {
    this.write(this.main, page, (pgno - 1) * this.pageSize);
  }

  close(): void {
    this.closeFile(this.main);
  }

  get #store(): SimNode['engine']['store'] {
    return this.node.engine.store;
  }

  /** For reading and writing, or, where that is refused, for reading alone. */
  #openMain(): MountFile {
    try {
      return this.openOrCreate(this.name);
    } catch (error) {
      if (!(error instanceof EngineError) || !this.exists(this.name)) throw error;
      return this.#opened(() => this.#store.open(this.name, 'read'));
    }
  }

  #opened(open: () => MountFile): MountFile {
    const file = this.node.request(open);
    file.opened();
    const { backing } = file;
    if (backing === undefined) this.#passedThrough.delete(file);
    else this.#passedThrough.set(file, backing);
    return file;
  }
}
