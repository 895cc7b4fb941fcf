// The originals of what a repair replaces: `damaged/<time>/`, with the layout of the data folder.
//
// Of a file that changes only the parts that do are kept, each at its place, with nothing around
// it. A file that goes is moved. What is kept is durable before anything changes.

import type { Disk } from '@skein/host';

const PIECE_BYTES = 1024 * 1024;

export class Originals {
  readonly #disk: Disk;
  /** The data folder. */
  readonly #path: string;
  /** Relative to the data folder. */
  readonly #folder: string;
  readonly #unsynced = new Set<string>();
  #isUsed = false;

  constructor(disk: Disk, path: string, nowMs: number) {
    this.#disk = disk;
    this.#path = path;
    this.#folder = freeName(disk, path, nowMs);
  }

  /** The folder, relative to the data folder; undefined while nothing was saved. */
  get savedTo(): string | undefined {
    return this.#isUsed ? this.#folder : undefined;
  }

  /** Keeps a part of a file, as far as there is one; durable after sync(). */
  keep(file: string, offset = 0, length: number = Number.MAX_SAFE_INTEGER): void {
    const sizeBytes = this.#disk.stat('repair.stat', `${this.#path}/${file}`)?.sizeBytes ?? 0;
    const end = Math.min(offset + length, sizeBytes);
    if (offset >= end) return;
    const source = this.#disk.open('repair.open', `${this.#path}/${file}`, 'read');
    const target = this.#disk.open('repair.keep', this.#place(file), 'open-or-create');
    try {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, end - offset));
      for (let at = offset; at < end; at += piece.length) {
        const count = Math.min(piece.length, end - at);
        source.read('repair.read', piece, 0, count, at);
        target.write('repair.keep', piece, 0, count, at);
      }
    } finally {
      target.close();
      source.close();
    }
    this.#unsynced.add(file);
  }

  sync(): void {
    for (const file of this.#unsynced) {
      const kept = this.#disk.open('repair.keep', this.#place(file), 'update');
      try {
        kept.sync('repair.keep.sync');
      } finally {
        kept.close();
      }
      this.#syncFolders(file);
    }
    this.#unsynced.clear();
  }

  /** Takes a file out of its place; it stays gone. One that is missing is no error. */
  move(file: string): void {
    const disk = this.#disk;
    if (disk.stat('repair.stat', `${this.#path}/${file}`) === undefined) return;
    disk.rename('repair.move', `${this.#path}/${file}`, this.#place(file));
    this.#syncFolders(file);
    disk.syncDirectory('repair.move.sync', parentOf(`${this.#path}/${file}`));
  }

  /** Where the original of a file goes; makes the folder for it. */
  #place(file: string): string {
    this.#isUsed = true;
    const place = `${this.#path}/${this.#folder}/${file}`;
    this.#disk.makeDirectory('repair.folder', parentOf(place));
    return place;
  }

  /** The names of all folders from the original of a file up to the data folder. */
  #syncFolders(file: string): void {
    let folder = parentOf(`${this.#folder}/${file}`);
    for (; folder !== ''; folder = parentOf(folder)) {
      this.#disk.syncDirectory('repair.keep.name', `${this.#path}/${folder}`);
    }
    this.#disk.syncDirectory('repair.keep.name', this.#path);
  }
}

/** '' for a name without a folder. */
function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** `damaged/20260131T120000Z`, or with a number behind it when that is taken. */
function freeName(disk: Disk, path: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/\.\d+|[-:]/gu, '');
  for (let n = 1; ; n++) {
    const name = `damaged/${time}${n === 1 ? '' : `-${n}`}`;
    if (disk.stat('repair.stat', `${path}/${name}`) === undefined) return name;
  }
}
