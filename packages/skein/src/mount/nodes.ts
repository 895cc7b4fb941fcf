// What the kernel calls nodes: the files of the mount, by the numbers that it knows them by.
//
// A node stands for one file for as long as the kernel remembers it. When the name goes to another
// file (a journal that was removed and made again, a database that was dropped) the old node is
// detached: who has it open keeps it, nobody finds it any more.
//
// The number is also the inode number that clients see, and by which /proc/locks names the file.
// Numbers are never used twice.

import { assert } from '@skein/bytes';
import { type FileKind, type FileOwner, type MountFile, parseFileName } from '@skein/engine';

export const ROOT_ID = 1;

/** Lower ones are those of files that tell of the node itself (status-files.ts). */
const FIRST_ID = 16;

export interface MountNode {
  readonly id: number;
  readonly kind: FileKind;
  readonly file: MountFile;
  name: string;
  isDetached: boolean;
  /** Detached by the node itself, and read on until it is closed. */
  isKept: boolean;
  /** Replies that named it and that the kernel has not given back. */
  lookupCount: number;
  openCount: number;
  modifiedMs: number;
  /** Of a file that belongs to no database. */
  owner: FileOwner | undefined;
  /** Of a WAL: up to here the kernel's pages are complete (wal-pages.ts). */
  completeBytes: number;
  /** Of a WAL: the kernel may take it for so long. */
  knownBytes: number;
  /** Set while it is open and the kernel reads and writes it by itself. */
  backingId: number | undefined;
}

/**
 * Whether what is left of the file belongs to nobody. A journal that was removed is read and
 * written until it is closed; so is a wal-index, which clients have in their memory: where that
 * cannot be read they get a SIGBUS.
 */
export function isGone({ isDetached, isKept, kind }: MountNode): boolean {
  return isDetached && !isKept && kind !== 'journal' && kind !== 'shm';
}

export class Nodes {
  readonly #byId = new Map<number, MountNode>();
  readonly #byName = new Map<string, MountNode>();
  #nextId = FIRST_ID;

  /** Undefined only for a number that the kernel was never given, or has given back. */
  get(id: number): MountNode | undefined {
    return this.#byId.get(id);
  }

  /** The node that stands for a name now, if the kernel knows one. */
  find(name: string): MountNode | undefined {
    return this.#byName.get(name);
  }

  /** The node of the file that has this name; the kernel is about to be told its number. */
  lookUp(name: string, file: MountFile, modifiedMs: number): MountNode {
    const known = this.#byName.get(name);
    if (known?.file === file) {
      known.lookupCount++;
      return known;
    }
    this.detach(name);
    const node: MountNode = {
      id: this.#nextId++,
      kind: parseFileName(name).kind,
      file,
      name,
      isDetached: false,
      isKept: false,
      lookupCount: 1,
      openCount: 0,
      modifiedMs,
      owner: undefined,
      completeBytes: 0,
      knownBytes: 0,
      backingId: undefined,
    };
    this.#byId.set(node.id, node);
    this.#byName.set(name, node);
    return node;
  }

  forget(id: number, count: number): void {
    const node = this.#byId.get(id);
    if (node === undefined) return;
    node.lookupCount -= count;
    assert(node.lookupCount >= 0, 'The kernel gives back more than it was given');
    if (node.lookupCount > 0) return;
    this.#byId.delete(id);
    if (!node.isDetached) this.#byName.delete(node.name);
  }

  /** The name leads to nothing any more, or to another file. */
  detach(name: string, { isKept = false }: { readonly isKept?: boolean } = {}): void {
    const node = this.#byName.get(name);
    if (node === undefined) return;
    node.isDetached = true;
    node.isKept = isKept;
    this.#byName.delete(name);
  }

  rename(from: string, to: string): void {
    const node = this.#byName.get(from);
    this.detach(to);
    if (node === undefined) return;
    this.#byName.delete(from);
    this.#byName.set(to, node);
    node.name = to;
  }
}
