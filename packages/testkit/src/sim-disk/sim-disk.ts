// A disk in memory that behaves like a disk with a volatile cache: it can lose what was not synced,
// tear pages, fill up, fail, and stop the world at any operation. All chance comes from one seed.
//
// What a power cut leaves (details where they are decided):
// - contents: sim-content.ts. Synced bytes are never harmed; of later writes any subset of 512-byte
//   sectors survives; sizes in order.
// - names: sim-folder.ts. Synced names are never harmed; later changes survive up to some moment,
//   every folder for itself; a rename is atomic.
// - fate.ts: which of these possibilities is drawn.
// A write past the capacity writes what fits and then reports ENOSPC. A sync that fails leaves its
// changes readable but not durable, and later syncs say nothing of it.
//
// Misuse (a closed file used again, a range outside a buffer) is a bug and fails an assertion.

import {
  type Clock,
  type Disk,
  DiskError,
  type DiskSpace,
  type DiskStat,
  type OpenMode,
} from '@skein/host';

import { SeededRandom } from '../seeded-random.ts';
import {
  type Failure,
  type FaultPoint,
  Faults,
  type Operation,
  type OperationKind,
  PowerCut,
  type Stop,
} from './faults.ts';
import { createFate, type Fate, type PowerCutMode } from './fate.ts';
import { SimContent } from './sim-content.ts';
import { type DiskInside, SimFile, type Steps } from './sim-file.ts';
import { SimFolder, treeAfterPowerCut } from './sim-folder.ts';
import { SimTree, type Target } from './sim-tree.ts';
import { BLOCK_SIZE_BYTES } from './sparse-bytes.ts';

/** Reported as the size of a disk that was made without a capacity. */
const NOMINAL_CAPACITY_BYTES = 2 ** 40;

export interface SimDiskOptions {
  /** Decides what a failed sync leaves. */
  readonly seed?: number;
  /** Room for the contents of files, in whole blocks of 4 KiB. Unlimited by default. */
  readonly capacityBytes?: number;
  /** Dates the files; without it every file is from 1970. */
  readonly clock?: Clock;
}

export class SimDisk implements Disk {
  /** Everything that was called, in order. The n-th call is the one that `n` of a fault counts. */
  readonly operations: Operation[] = [];
  /** May be changed at any time, to fill the disk up or to give it room. */
  capacityBytes: number | undefined;
  readonly #clock: Clock | undefined;
  readonly #random: SeededRandom;
  readonly #faults = new Faults();
  readonly #open = new Set<SimFile>();
  readonly #tree: SimTree;
  readonly #inside: DiskInside;
  #seq = 0;
  #powerCut: PowerCut | undefined;

  constructor(options: SimDiskOptions = {}, root: SimFolder = new SimFolder()) {
    this.capacityBytes = options.capacityBytes;
    this.#clock = options.clock;
    this.#random = new SeededRandom(options.seed ?? 0);
    this.#inside = {
      perform: (operation, steps) => this.#perform(operation, steps),
      takeSeq: () => this.#seq++,
      peekSeq: () => this.#seq,
      nowMs: () => this.#clock?.wallMs() ?? 0,
      failedSyncFate: (when) => this.#failedSyncFate(when),
      countFreeBlocks: () => this.#countFreeBlocks(),
      onClose: (file) => this.#open.delete(file),
    };
    this.#tree = new SimTree(root, this.#inside);
  }

  /** The n-th matching operation from now on fails. */
  failAt(failure: Failure): void {
    this.#faults.planFailure(failure);
  }

  /**
   * The power goes out at the n-th matching operation from now on: PowerCut, there and ever after.
   */
  stopAt(stop: Stop): void {
    this.#faults.planStop(stop);
  }

  /** Planned faults that have not happened: a test that ends with some has tested nothing. */
  get unusedFaults(): readonly FaultPoint[] {
    return this.#faults.unused;
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** Paths of the files that are open, sorted: what leaks if the test is over. */
  openFiles(): string[] {
    return [...this.#open].map((file) => file.path).sort();
  }

  /**
   * The disk as it is found when the power fails now. This disk stays as it is, so that one crash
   * can be looked at with many outcomes.
   */
  powerCut(random: SeededRandom, mode: PowerCutMode = 'random'): SimDisk {
    const root = treeAfterPowerCut(this.#tree.root, createFate(random, mode, this.#seq));
    const options = {
      seed: random.uint32(),
      ...(this.capacityBytes !== undefined && { capacityBytes: this.capacityBytes }),
      ...(this.#clock !== undefined && { clock: this.#clock }),
    };
    return new SimDisk(options, root);
  }

  open(op: string, path: string, mode: OpenMode): SimFile {
    return this.#call('open', { op, path }, (target) => {
      const content = this.#openContent(target, mode);
      const file = new SimFile(this.#inside, { content, path, isWritable: mode !== 'read' });
      this.#open.add(file);
      return file;
    });
  }

  rename(op: string, from: string, to: string): void {
    this.#call('rename', { op, path: from }, (target) => {
      this.#tree.rename(target, { op, path: to });
    });
  }

  remove(op: string, path: string): void {
    this.#call('remove', { op, path }, (target) => {
      const node = this.#tree.tryFind(path);
      if (node instanceof SimFolder) throw new DiskError(op, path, 'EISDIR');
      if (node !== undefined) this.#tree.remove(target);
    });
  }

  removeDirectory(op: string, path: string): void {
    this.#call('remove-directory', { op, path }, (target) => {
      const node = this.#tree.tryFind(path);
      if (node instanceof SimContent) throw new DiskError(op, path, 'ENOTDIR');
      if (node !== undefined) this.#tree.removeTree(target, node);
    });
  }

  makeDirectory(op: string, path: string): void {
    this.#call('make-directory', { op, path }, (target) => this.#tree.makeDirectories(target));
  }

  list(op: string, path: string): string[] {
    return this.#call('list', { op, path }, (target) =>
      [...this.#tree.findFolder(target).visible.keys()].sort(),
    );
  }

  stat(op: string, path: string): DiskStat | undefined {
    return this.#call('stat', { op, path }, () => {
      const node = this.#tree.tryFind(path);
      if (node === undefined) return undefined;
      const isDirectory = node instanceof SimFolder;
      const sizeBytes = isDirectory ? BLOCK_SIZE_BYTES : node.visible.size;
      return { sizeBytes, isDirectory, modifiedMs: node.modifiedMs };
    });
  }

  syncDirectory(op: string, path: string): void {
    const folder = (): SimFolder => this.#tree.findFolder({ op, path });
    this.#perform(
      { kind: 'sync-directory', op, path },
      {
        act: () => folder().sync(),
        failBefore: () => folder().failSync(this.#failedSyncFate('before')),
        failMidway: () => folder().failSync(this.#failedSyncFate('midway')),
      },
    );
  }

  space(op: string, path: string): DiskSpace {
    return this.#call('space', { op, path }, (target) => {
      this.#tree.findExisting(target);
      const totalBytes = this.capacityBytes ?? NOMINAL_CAPACITY_BYTES;
      const usedBytes = this.#countUsedBlocks() * BLOCK_SIZE_BYTES;
      return { totalBytes, availableBytes: Math.max(0, totalBytes - usedBytes) };
    });
  }

  #call<T>(kind: OperationKind, target: Target, act: (target: Target) => T): T {
    return this.#perform({ kind, ...target }, { act: () => act(target) });
  }

  /** Every call comes through here, those on open files and background jobs too. */
  #perform<T>(operation: Operation, steps: Steps<T>): T {
    if (this.#powerCut !== undefined) throw this.#powerCut;
    this.operations.push(operation);
    const { stop, failure } = this.#faults.judge(operation);
    if (stop === 'before') this.#stopWorld(operation);
    if (failure !== undefined) {
      if (failure.when === 'after') steps.act();
      else if (failure.when === 'midway' && steps.failMidway !== undefined) steps.failMidway();
      else steps.failBefore?.();
      throw new DiskError(operation.op, operation.path, failure.error);
    }
    const result = steps.act();
    if (stop === 'after') this.#stopWorld(operation);
    return result;
  }

  #stopWorld(operation: Operation): never {
    this.#powerCut = new PowerCut(operation);
    throw this.#powerCut;
  }

  #failedSyncFate(when: 'before' | 'midway'): Fate {
    return createFate(this.#random, when === 'before' ? 'lose-all' : 'random', this.#seq);
  }

  #openContent(target: Target, mode: OpenMode): SimContent {
    const node = this.#tree.find(target);
    if (node instanceof SimFolder) throw new DiskError(target.op, target.path, 'EISDIR');
    if (node === undefined) {
      if (mode === 'read' || mode === 'update') {
        throw new DiskError(target.op, target.path, 'ENOENT');
      }
      const content = new SimContent();
      this.#tree.add(target, content);
      return content;
    }
    if (mode === 'create' && node.visible.size > 0) {
      node.resize(this.#inside.takeSeq(), 0);
      node.modifiedMs = this.#inside.nowMs();
    }
    return node;
  }

  #countFreeBlocks(): number {
    if (this.capacityBytes === undefined) return Infinity;
    return Math.floor(this.capacityBytes / BLOCK_SIZE_BYTES) - this.#countUsedBlocks();
  }

  /** A removed file takes room until it is closed. */
  #countUsedBlocks(): number {
    const contents = new Set([...this.#open].map((file) => file.content));
    this.#tree.visitContents((content) => contents.add(content));
    return [...contents].reduce((sum, content) => sum + content.visible.blockCount, 0);
  }
}
