// Data folders with a known content, and what a failing disk does to a file of one.

import { SeededRandom, SimDisk } from '@skein/testkit';

import { Actor } from './actor.ts';
import { DATA_FOLDER, SimNode } from './sim-node.ts';
import { type NodeState, Timeline } from './timeline.ts';

/** What becomes of a file. `zero`: a block of 4 KiB. */
export type Damage =
  | { readonly kind: 'flip'; readonly file: string; readonly offset: number; readonly bit: number }
  | { readonly kind: 'zero'; readonly file: string; readonly offset: number }
  | { readonly kind: 'cut'; readonly file: string; readonly sizeBytes: number }
  | { readonly kind: 'delete'; readonly file: string };

export interface SampleFolder {
  /** Copied for every use: copyDisk(). */
  readonly disk: SimDisk;
  readonly state: NodeState;
  /** All files but those without meaning, relative to the data folder. */
  readonly files: readonly string[];
}

const BLOCK_BYTES = 4096;

/** Small segments, so that the log has several. */
const ENGINE = { segmentBytes: 16 * 1024, checkpointBytes: 1024 * 1024, retentionMs: 600_000 };

/** `crashed`: the process was killed, so that the log has what the databases do not. */
export function makeFolder(
  act: (actor: Actor) => void,
  seed: number,
  end: 'closed' | 'crashed',
): SampleFolder {
  const disk = new SimDisk({ seed });
  const node = new SimNode({ seed, disk, ...ENGINE });
  const timeline = new Timeline();
  act(new Actor({ node, random: new SeededRandom(seed), timeline }));
  if (end === 'closed') node.close();
  const copy = copyDisk(disk);
  return { disk: copy, state: timeline.last, files: listFiles(copy, DATA_FOLDER) };
}

/**
 * Databases in both modes, one that was dropped and one made again, a transaction over two of them,
 * and a log of several segments; in the middle all is brought up to date.
 */
export function actMuch(actor: Actor): void {
  for (let n = 0; n < 4; n++) actor.commit('app.db', actor.anyEnd());
  actor.copyIn('copied.db');
  actor.commit('wal.db', 'delete');
  actor.switchToWal('wal.db');
  for (let n = 0; n < 5; n++) actor.commitWal('wal.db', true);
  actor.wal('wal.db').checkpoint();
  actor.commit('gone.db', 'truncate');
  actor.drop('gone.db');
  actor.node.pass(61_000);
  for (let n = 0; n < 4; n++) {
    actor.commit('app.db', actor.anyEnd());
    actor.commitWal('wal.db', true);
  }
  actor.commitTogether(['app.db', 'copied.db'], 'delete');
  actor.commit('again.db', 'delete');
  actor.drop('again.db');
  actor.commit('again.db', 'persist');
  actor.commit('app.db', 'delete');
}

/** One database, one segment. */
export function actLittle(actor: Actor): void {
  actor.commit('app.db', 'delete');
  actor.node.pass(61_000);
  actor.commit('app.db', 'truncate');
}

/** A disk with the same files, as after the end of the process. */
export function copyDisk(disk: SimDisk): SimDisk {
  return disk.powerCut(new SeededRandom(1), 'keep-all');
}

/** Does it. False when nothing is different then. */
export function applyDamage(disk: SimDisk, damage: Damage): boolean {
  const path = `${DATA_FOLDER}/${damage.file}`;
  if (damage.kind === 'delete') {
    disk.remove('damage', path);
    return true;
  }
  const file = disk.open('damage', path, 'update');
  try {
    const size = file.size('damage');
    if (damage.kind === 'cut') {
      file.truncate('damage', Math.min(damage.sizeBytes, size));
      return damage.sizeBytes < size;
    }
    const length = damage.kind === 'flip' ? 1 : Math.min(BLOCK_BYTES, size - damage.offset);
    const bytes = new Uint8Array(length);
    file.read('damage', bytes, 0, length, damage.offset);
    const before = bytes.slice();
    if (damage.kind === 'flip') bytes[0]! ^= 1 << damage.bit;
    else bytes.fill(0);
    file.write('damage', bytes, 0, length, damage.offset);
    return Buffer.compare(before, bytes) !== 0;
  } finally {
    file.close();
  }
}

export function listFiles(disk: SimDisk, folder: string): string[] {
  return disk.list('list', folder).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (disk.stat('stat', path)?.isDirectory !== true) {
      return name === 'lock' || name === 'spare' ? [] : [path.slice(DATA_FOLDER.length + 1)];
    }
    return name === 'scratch' || name === 'damaged' ? [] : listFiles(disk, path);
  });
}

export function readFile(disk: SimDisk, file: string): Uint8Array | undefined {
  const path = `${DATA_FOLDER}/${file}`;
  if (disk.stat('read', path) === undefined) return undefined;
  const opened = disk.open('read', path, 'read');
  try {
    const bytes = new Uint8Array(opened.size('read'));
    opened.read('read', bytes, 0, bytes.length, 0);
    return bytes;
  } finally {
    opened.close();
  }
}
