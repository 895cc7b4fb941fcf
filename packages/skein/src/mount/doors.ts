// Names by which the node itself opens files of its mount that clients must not find yet: a
// database that comes from the primary is hidden until the node takes part in its locks.
//
// A door is a name of chance in the root of the mount, known to this process alone. It leads to the
// same node as the name of the file, so that locks meet, and is shut as soon as the file is open.

import type { Random } from '@skein/host';

const CHANCE_BYTES = 16;

export class Doors {
  readonly #random: Random;
  /** What is behind each: the name of a file. */
  readonly #open = new Map<string, string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes a door to the file that has this name, or will have it. */
  open(name: string): string {
    const chance = new Uint8Array(CHANCE_BYTES);
    this.#random.fill(chance);
    const door = `.skein-${Buffer.from(chance).toString('hex')}`;
    this.#open.set(door, name);
    return door;
  }

  shut(door: string): void {
    this.#open.delete(door);
  }

  find(door: string): string | undefined {
    return this.#open.get(door);
  }
}
