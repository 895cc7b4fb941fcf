// The tree of simulated folders and files as programs see it: paths, and the rules of POSIX for
// what may be created, replaced and removed.

import assert from 'node:assert/strict';

import { DiskError } from '@skein/host';

import { SimContent } from './sim-content.ts';
import { applyNameChange, type NameEdit, SimFolder, type SimNode } from './sim-folder.ts';

/** A call on a path: what an error names. */
export interface Target {
  readonly op: string;
  readonly path: string;
}

/** Numbers and dates changes. */
export interface Stamps {
  takeSeq(): number;
  nowMs(): number;
}

export class SimTree {
  readonly root: SimFolder;
  readonly #stamps: Stamps;

  constructor(root: SimFolder, stamps: Stamps) {
    this.root = root;
    this.#stamps = stamps;
  }

  /** Undefined if the last part of the path does not exist; throws if a part before it does not. */
  find(target: Target): SimNode | undefined {
    const parts = partsOf(target.path);
    const name = parts.pop();
    return name === undefined ? this.root : this.#walk(target, parts).visible.get(name);
  }

  /** Undefined if any part of the path does not exist. */
  tryFind(path: string): SimNode | undefined {
    let node: SimNode | undefined = this.root;
    for (const part of partsOf(path)) {
      node = node instanceof SimFolder ? node.visible.get(part) : undefined;
    }
    return node;
  }

  findExisting(target: Target): SimNode {
    const node = this.find(target);
    if (node === undefined) throw new DiskError(target.op, target.path, 'ENOENT');
    return node;
  }

  findFolder(target: Target): SimFolder {
    return this.#walk(target, partsOf(target.path));
  }

  add(target: Target, node: SimNode): void {
    node.modifiedMs = this.#stamps.nowMs();
    this.#change([{ ...this.#locate(target), node }]);
  }

  remove(target: Target): void {
    this.#change([{ ...this.#locate(target), node: undefined }]);
  }

  /**
   * Removes one name after the other, as unlink and rmdir would, so that a crash can leave some.
   */
  removeTree(target: Target, folder: SimFolder): void {
    for (const [name, node] of folder.visible) {
      const child = { op: target.op, path: `${target.path}/${name}` };
      if (node instanceof SimFolder) this.removeTree(child, node);
      else this.remove(child);
    }
    this.remove(target);
  }

  rename(from: Target, to: Target): void {
    const source = this.#locate(from);
    const target = this.#locate(to);
    const node = this.findExisting(from);
    if (source.folder === target.folder && source.name === target.name) return;
    const code = whyNotReplace(node, target.folder.visible.get(target.name));
    if (code !== undefined) throw new DiskError(to.op, to.path, code);
    if (isInside(partsOf(to.path), partsOf(from.path))) {
      throw new DiskError(to.op, to.path, 'EINVAL');
    }
    this.#change([
      { ...source, node: undefined },
      { ...target, node },
    ]);
  }

  makeDirectories(target: Target): void {
    const parts = partsOf(target.path);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const folder = { op: target.op, path: `/${parts.slice(0, depth).join('/')}` };
      const node = this.find(folder);
      if (node instanceof SimContent) {
        throw new DiskError(target.op, target.path, depth < parts.length ? 'ENOTDIR' : 'EEXIST');
      }
      if (node === undefined) this.add(folder, new SimFolder());
    }
  }

  visitContents(visit: (content: SimContent) => void, folder: SimFolder = this.root): void {
    for (const node of folder.visible.values()) {
      if (node instanceof SimFolder) this.visitContents(visit, node);
      else visit(node);
    }
  }

  #change(edits: readonly NameEdit[]): void {
    applyNameChange({ seq: this.#stamps.takeSeq(), edits });
    for (const edit of edits) edit.folder.modifiedMs = this.#stamps.nowMs();
  }

  /** The folder that holds the last part of the path, and that part. */
  #locate(target: Target): { folder: SimFolder; name: string } {
    const parts = partsOf(target.path);
    const name = parts.pop();
    assert(name !== undefined, 'The root folder cannot be changed');
    return { folder: this.#walk(target, parts), name };
  }

  #walk(target: Target, parts: readonly string[]): SimFolder {
    let folder = this.root;
    for (const part of parts) {
      const node = folder.visible.get(part);
      if (node === undefined) throw new DiskError(target.op, target.path, 'ENOENT');
      if (node instanceof SimContent) throw new DiskError(target.op, target.path, 'ENOTDIR');
      folder = node;
    }
    return folder;
  }
}

function whyNotReplace(node: SimNode, replaced: SimNode | undefined): string | undefined {
  if (replaced === undefined) return undefined;
  if (node instanceof SimContent) return replaced instanceof SimFolder ? 'EISDIR' : undefined;
  if (replaced instanceof SimContent) return 'ENOTDIR';
  return replaced.visible.size > 0 ? 'ENOTEMPTY' : undefined;
}

function isInside(inner: readonly string[], outer: readonly string[]): boolean {
  return inner.length > outer.length && outer.every((part, index) => part === inner[index]);
}

/** Absolute paths only: the simulated disk knows no working directory. */
function partsOf(path: string): string[] {
  assert(path.startsWith('/'), `Path must be absolute: ${path}`);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  assert(!parts.includes('..'), `Path must not contain "..": ${path}`);
  return parts;
}
