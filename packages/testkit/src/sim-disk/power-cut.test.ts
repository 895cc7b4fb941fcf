// The simulated power cut against a dumb model: whole snapshots of every file after every change,
// and a list of every change of names. What is found must be explained by them, whatever the seed.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { SeededRandom } from '../seeded-random.ts';
import { POWER_CUT_MODES, type PowerCutMode } from './fate.ts';
import { SECTOR_SIZE_BYTES } from './sim-content.ts';
import { SimDisk } from './sim-disk.ts';

const FOLDERS = ['/a', '/b', '/c'];
const NAMES = ['x', 'y'];

type Command =
  | { readonly kind: 'write'; readonly path: string; readonly at: number; readonly length: number }
  | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
  | { readonly kind: 'sync' | 'create' | 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'sync-directory'; readonly folder: string };

const path = fc
  .tuple(fc.constantFrom(...FOLDERS), fc.constantFrom(...NAMES))
  .map(([folder, name]) => `${folder}/${name}`);

// Some three sectors, with borders that are and that are not the sectors' own.
const size = fc.oneof(fc.nat(3 * SECTOR_SIZE_BYTES), fc.constantFrom(0, 512, 1024));

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write'), path, at: size, length: size }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate'), path, size }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('sync', 'create', 'remove'), path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rename'), path, to: path }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('sync-directory'),
      folder: fc.constantFrom(...FOLDERS),
    }),
  },
);

/** Only names, from a start at which most renames find a file: long chains across folders. */
const nameCommands: fc.Arbitrary<Command[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('rename'), path, to: path }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('sync-directory'),
          folder: fc.constantFrom(...FOLDERS),
        }),
      },
    ),
    { maxLength: 10 },
  )
  .map((commands) => [
    ...FOLDERS.flatMap((folder, index): Command[] => [
      { kind: 'create', path: `${folder}/x` },
      { kind: 'write', path: `${folder}/x`, at: 0, length: index + 1 },
    ]),
    ...commands,
  ]);

/** A file as the dumb model knows it: how it was synced, and how it was after each change since. */
interface ModelFile {
  snapshots: Uint8Array[];
}

type ModelNames = ReadonlyMap<string, ModelFile>;

/** A change of names: the folders concerned, and how all names were after it. */
interface ModelChange {
  readonly folders: ReadonlySet<string>;
  readonly names: ModelNames;
}

class Model {
  names: ModelNames = new Map();
  readonly changes: ModelChange[] = [];
  /** Numbers of the changes that must survive. */
  readonly durable = new Set<number>();

  apply(command: Command, value: number): void {
    const names = new Map(this.names);
    if (command.kind === 'sync-directory') {
      this.#makeDurable(command.folder, this.changes.length);
      return;
    }
    const file = names.get(command.path);
    if (command.kind === 'create' && file === undefined) {
      names.set(command.path, { snapshots: [new Uint8Array(0)] });
      this.#change(names, command.path);
    }
    if (file === undefined) return;
    if (command.kind === 'remove') {
      names.delete(command.path);
      this.#change(names, command.path);
    } else if (command.kind === 'rename' && command.to !== command.path) {
      names.delete(command.path);
      names.set(command.to, file);
      this.#change(names, command.path, command.to);
    } else if (command.kind === 'sync') {
      file.snapshots = file.snapshots.slice(-1);
    } else {
      file.snapshots.push(changed(file.snapshots.at(-1)!, command, value));
    }
  }

  #change(names: ModelNames, ...paths: readonly string[]): void {
    this.names = names;
    this.changes.push({ folders: new Set(paths.map(folderOf)), names });
  }

  /** The changes before number `end` in a folder, and in turn what those of other folders need. */
  #makeDurable(folder: string, end: number): void {
    for (let index = end - 1; index >= 0; index -= 1) {
      const change = this.changes[index]!;
      if (!change.folders.has(folder) || this.durable.has(index)) continue;
      this.durable.add(index);
      for (const other of change.folders) this.#makeDurable(other, index);
    }
  }

  /** Every possible outcome for the names: those of each folder after one of its changes. */
  *outcomes(): Generator<ModelNames> {
    for (const kept of this.#keptSets(0, new Set())) {
      const names = new Map<string, ModelFile>();
      for (const folder of FOLDERS) {
        const last = [...kept].findLast((index) => this.changes[index]!.folders.has(folder));
        if (last === undefined) continue;
        for (const [path, file] of this.changes[last]!.names) {
          if (folderOf(path) === folder) names.set(path, file);
        }
      }
      yield names;
    }
  }

  /** Sets of changes in which no folder misses one that came before another. */
  *#keptSets(index: number, broken: ReadonlySet<string>): Generator<ReadonlySet<number>> {
    const change = this.changes[index];
    if (change === undefined) {
      yield new Set();
      return;
    }
    if ([...change.folders].every((folder) => !broken.has(folder))) {
      for (const rest of this.#keptSets(index + 1, broken)) yield new Set([index, ...rest]);
    }
    if (!this.durable.has(index)) {
      yield* this.#keptSets(index + 1, new Set([...broken, ...change.folders]));
    }
  }
}

describe('powerCut()', () => {
  for (const mode of POWER_CUT_MODES) {
    test(`finds what a disk may leave (${mode})`, () => {
      const commands = fc.array(command, { maxLength: 16 });
      fc.assert(
        fc.property(commands, fc.nat(), (commands, seed) => checkPowerCut(commands, seed, mode)),
        { numRuns: 300 },
      );
    });
  }

  test('finds every rename whole, through chains of folders', () => {
    fc.assert(
      fc.property(nameCommands, fc.nat(), (commands, seed) => {
        checkPowerCut(commands, seed, 'random');
      }),
      { numRuns: 1500 },
    );
  });

  test('keep-all and lose-all are what they say', () => {
    const disk = newDisk();
    apply(disk, { kind: 'create', path: '/a/x' }, 1);
    apply(disk, { kind: 'write', path: '/a/x', at: 0, length: 700 }, 2);
    disk.syncDirectory('test.sync', '/a');
    apply(disk, { kind: 'sync', path: '/a/x' }, 3);
    const synced = contents(disk);
    apply(disk, { kind: 'write', path: '/a/x', at: 600, length: 700 }, 4);
    apply(disk, { kind: 'create', path: '/b/y' }, 5);
    const random = new SeededRandom(1);
    assert.deepEqual(contents(disk.powerCut(random, 'lose-all')), synced);
    assert.deepEqual(contents(disk.powerCut(random, 'keep-all')), contents(disk));
  });
});

function checkPowerCut(commands: readonly Command[], seed: number, mode: PowerCutMode): void {
  const disk = newDisk();
  const model = new Model();
  commands.forEach((command, index) => {
    apply(disk, command, index + 1);
    model.apply(command, index + 1);
  });
  assert.deepEqual(contents(disk), lastSnapshots(model.names), 'what programs see');
  const found = contents(disk.powerCut(new SeededRandom(seed), mode));
  const isExplained = [...model.outcomes()].some((names) => explains(names, found));
  assert.ok(isExplained, 'what is found after the power cut');
  // One crash may be looked at many times: looking changes nothing, and chance is the seed's.
  assert.deepEqual(contents(disk), lastSnapshots(model.names), 'what programs still see');
  assert.deepEqual(contents(disk.powerCut(new SeededRandom(seed), mode)), found, 'again');
}

function newDisk(): SimDisk {
  const disk = new SimDisk();
  for (const folder of FOLDERS) disk.makeDirectory('test.mkdir', folder);
  disk.syncDirectory('test.sync', '/');
  return disk;
}

function apply(disk: SimDisk, command: Command, value: number): void {
  if (command.kind === 'sync-directory') {
    disk.syncDirectory('test.sync', command.folder);
    return;
  }
  if (command.kind === 'create') {
    disk.open('test.open', command.path, 'open-or-create').close();
    return;
  }
  if (disk.stat('test.stat', command.path) === undefined) return;
  if (command.kind === 'remove') disk.remove('test.remove', command.path);
  else if (command.kind === 'rename') disk.rename('test.rename', command.path, command.to);
  else changeFile(disk, command, value);
}

function changeFile(disk: SimDisk, command: Command & { path: string }, value: number): void {
  const file = disk.open('test.open', command.path, 'update');
  if (command.kind === 'sync') file.sync('test.sync');
  if (command.kind === 'truncate') file.truncate('test.truncate', command.size);
  if (command.kind === 'write') {
    const bytes = new Uint8Array(command.length).fill(value);
    file.write('test.write', bytes, 0, bytes.length, command.at);
  }
  file.close();
}

function changed(before: Uint8Array, command: Command, value: number): Uint8Array {
  if (command.kind === 'truncate') return resized(before, command.size);
  if (command.kind !== 'write' || command.length === 0) return before;
  const after = resized(before, Math.max(before.length, command.at + command.length));
  return after.fill(value, command.at, command.at + command.length);
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function contents(disk: SimDisk): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const folder of FOLDERS) {
    for (const name of disk.list('test.list', folder)) {
      const file = disk.open('test.open', `${folder}/${name}`, 'read');
      const bytes = new Uint8Array(file.size('test.size'));
      file.read('test.read', bytes, 0, bytes.length, 0);
      file.close();
      found.set(`${folder}/${name}`, bytes);
    }
  }
  return found;
}

function lastSnapshots(names: ModelNames): Map<string, Uint8Array> {
  const sorted = [...names].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([path, file]) => [path, file.snapshots.at(-1)!]));
}

function explains(names: ModelNames, found: ReadonlyMap<string, Uint8Array>): boolean {
  return (
    names.size === found.size &&
    [...found].every(([path, bytes]) => {
      const file = names.get(path);
      return file !== undefined && explainsContent(file.snapshots, bytes);
    })
  );
}

/**
 * The size is one of the sizes; each sector is as it was at some moment, or cut by a later size.
 */
function explainsContent(snapshots: readonly Uint8Array[], found: Uint8Array): boolean {
  if (!snapshots.some((snapshot) => snapshot.length === found.length)) return false;
  for (let start = 0; start < found.length; start += SECTOR_SIZE_BYTES) {
    const sector = found.subarray(start, start + SECTOR_SIZE_BYTES);
    const isExplained = snapshots.some((snapshot, index) =>
      [Infinity, ...snapshots.slice(index).map((later) => later.length)].some((cut) =>
        sector.every((byte, offset) => {
          const at = start + offset;
          return byte === (at < cut ? (snapshot[at] ?? 0) : 0);
        }),
      ),
    );
    if (!isExplained) return false;
  }
  return true;
}
