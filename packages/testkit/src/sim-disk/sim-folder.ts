// Names in simulated folders: as programs see them, and as they are on the medium.
//
// A change of names waits until its folder is synced. When the power fails the changes of each
// folder survive up to some moment, every folder for itself. A rename is one change: it survives
// whole or not at all, also where it concerns two folders. A file whose name did not survive is
// lost, however well it was synced; a removed file whose removal did not survive is back.

import type { SimContent } from './sim-content.ts';
import type { Fate } from './fate.ts';

export type SimNode = SimContent | SimFolder;

/** Sets a name in a folder, or removes it if `node` is undefined. */
export interface NameEdit {
  readonly folder: SimFolder;
  readonly name: string;
  readonly node: SimNode | undefined;
}

/** Edits that happen at once. */
export interface NameChange {
  readonly seq: number;
  readonly edits: readonly NameEdit[];
}

export class SimFolder {
  readonly visible: Map<string, SimNode>;
  readonly durable: Map<string, SimNode>;
  pending: NameChange[] = [];
  /** After a failed sync nothing more becomes durable here, and no later sync reports it. */
  isSyncBroken = false;
  modifiedMs = 0;

  constructor(durable: ReadonlyMap<string, SimNode> = new Map()) {
    this.durable = new Map(durable);
    this.visible = new Map(durable);
  }

  sync(): void {
    if (!this.isSyncBroken) makeDurable(this, Infinity);
  }

  /** A sync that failed: some of the changes reached the medium. */
  failSync(fate: Fate): void {
    const seqs = this.pending.map((change) => change.seq);
    const kept = fate.countKept(seqs);
    if (kept > 0) makeDurable(this, seqs[kept - 1]!);
    this.isSyncBroken = true;
  }
}

export function applyNameChange(change: NameChange): void {
  for (const { folder, name, node } of change.edits) setName(folder.visible, name, node);
  for (const folder of foldersOf(change)) folder.pending.push(change);
}

/** The tree below `root` as it is found when the power fails now. */
export function treeAfterPowerCut(root: SimFolder, fate: Fate): SimFolder {
  const folders = collectFolders(root);
  const survivors = chooseSurvivors(folders, fate);
  const rebuilt = new Map<SimNode, SimNode>();
  const rebuild = (node: SimNode): SimNode => {
    const known = rebuilt.get(node);
    if (known !== undefined) return known;
    const copy = node instanceof SimFolder ? new SimFolder() : node.afterPowerCut(fate);
    copy.modifiedMs = node.modifiedMs;
    rebuilt.set(node, copy);
    if (node instanceof SimFolder && copy instanceof SimFolder) {
      for (const [name, child] of namesAfter(node, survivors)) {
        const found = rebuild(child);
        copy.durable.set(name, found);
        copy.visible.set(name, found);
      }
    }
    return copy;
  };
  return rebuild(root) as SimFolder;
}

/**
 * Makes the changes of `folder` up to number `seq` durable, and what must come before them: the
 * other side of a rename keeps its own order too. False if that goes no further.
 */
function makeDurable(folder: SimFolder, seq: number): boolean {
  for (let change = folder.pending[0]; change !== undefined; change = folder.pending[0]) {
    if (change.seq > seq) return true;
    const { seq: changeSeq, edits } = change;
    const folders = foldersOf(change);
    const others = [...folders].filter((other) => other !== folder);
    const isReached = others.every(
      (other) => !other.isSyncBroken && makeDurable(other, changeSeq - 1),
    );
    if (!isReached) return false;
    for (const each of folders) each.pending.shift();
    for (const edit of edits) setName(edit.folder.durable, edit.name, edit.node);
  }
  return true;
}

/** Every folder that the medium or a program knows, also those whose name is not durable yet. */
function collectFolders(root: SimFolder): Set<SimFolder> {
  const folders = new Set<SimFolder>([root]);
  // A set is iterated in the order of insertion, new members included.
  for (const folder of folders) {
    const edited = folder.pending.flatMap((change) => change.edits);
    const nodes = [folder.durable.values(), folder.visible.values(), edited.map((e) => e.node)];
    for (const node of nodes.flatMap((list) => [...list])) {
      if (node instanceof SimFolder) folders.add(node);
    }
    for (const edit of edited) folders.add(edit.folder);
  }
  return folders;
}

/** A prefix of each folder's changes, cut back until no rename survives on one side only. */
function chooseSurvivors(folders: Set<SimFolder>, fate: Fate): Set<NameChange> {
  const prefixes = new Map<SimFolder, readonly NameChange[]>();
  for (const folder of folders) {
    const kept = fate.countKept(folder.pending.map((change) => change.seq));
    prefixes.set(folder, folder.pending.slice(0, kept));
  }
  const survivesIn = (folder: SimFolder, change: NameChange): boolean =>
    prefixes.get(folder)!.includes(change);
  for (let isStable = false; !isStable;) {
    isStable = true;
    for (const [folder, prefix] of prefixes) {
      const torn = prefix.findIndex((change) =>
        [...foldersOf(change)].some((other) => !survivesIn(other, change)),
      );
      if (torn === -1) continue;
      prefixes.set(folder, prefix.slice(0, torn));
      isStable = false;
    }
  }
  return new Set([...prefixes.values()].flat());
}

function namesAfter(folder: SimFolder, survivors: ReadonlySet<NameChange>): Map<string, SimNode> {
  const names = new Map(folder.durable);
  for (const change of folder.pending) {
    if (!survivors.has(change)) break;
    for (const edit of change.edits) {
      if (edit.folder === folder) setName(names, edit.name, edit.node);
    }
  }
  return names;
}

function foldersOf(change: NameChange): Set<SimFolder> {
  return new Set(change.edits.map((edit) => edit.folder));
}

function setName(names: Map<string, SimNode>, name: string, node: SimNode | undefined): void {
  if (node === undefined) names.delete(name);
  else names.set(name, node);
}
