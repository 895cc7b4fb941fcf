// A database file that is being written by a program that only writes: cp, a shell's redirection.
// SQLite always opens for reading too.
//
// What it writes is kept aside, past the kernel's cache, so that others see the database as it was.
// When it is closed and whole it replaces the database in one transaction; if it is not, nothing
// changes.

import { type DatabaseImage, openImage } from '../commit/image.ts';
import { EngineError } from '../errors.ts';
import type { Pending } from '../jobs/pending.ts';
import { afterwards } from '../jobs/pending.ts';
import type { MountFile } from './mount-file.ts';
import type { ScratchFile } from './scratch-file.ts';

export interface CopyTarget {
  readonly name: string;
  /** Size of the database as it is; what others see meanwhile. */
  readonly sizeBytes: number;
  replaceWith(image: DatabaseImage): Pending | undefined;
  copyEnded(copy: CopyIn): void;
}

export class CopyIn implements MountFile {
  readonly backing: undefined;
  readonly bypassesCache = true;
  readonly wantsFlush = true;
  readonly #target: CopyTarget;
  readonly #content: ScratchFile;
  /** Whether something was written that is not committed. */
  #isOpen = false;
  /** What is written is being put into the database. */
  #replacing: Pending | undefined;

  constructor(target: CopyTarget, content: ScratchFile) {
    this.#target = target;
    this.#content = content;
  }

  get sizeBytes(): number {
    return this.#target.sizeBytes;
  }

  /** Whether nothing has been written yet. */
  get isEmpty(): boolean {
    return this.#content.sizeBytes === 0;
  }

  /** Whether it ends without having been whole. */
  get isIncomplete(): boolean {
    return this.#isOpen;
  }

  opened(): void {}

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#content.read(into, offset, length, position);
  }

  write(from: Uint8Array, offset: number, length: number, position: number): undefined {
    this.#assertNotReplacing();
    if (position === 0) this.#checkMagic(from.subarray(offset, offset + length));
    this.#content.write(from, offset, length, position);
    this.#isOpen = true;
    return undefined;
  }

  /** The kernel cuts a file that is opened with O_TRUNC: only the copy begins anew. */
  truncate(sizeBytes: number): undefined {
    this.#assertNotReplacing();
    this.#content.truncate(sizeBytes);
    return undefined;
  }

  sync(): undefined {
    return undefined;
  }

  /** A descriptor may be closed while its duplicate goes on writing: an error ends nothing yet. */
  flush(): Pending | undefined {
    if (!this.#isOpen) return undefined;
    const image = openImage(this.#content.file, this.#target.name);
    this.#replacing = this.#target.replaceWith(image);
    return afterwards(this.#replacing, () => {
      this.#isOpen = false;
    });
  }

  release(): void {
    this.#content.close();
    this.#target.copyEnded(this);
  }

  /** The bytes that were compared are those that have to be stored. */
  #assertNotReplacing(): void {
    if (this.#replacing === undefined || this.#replacing.isSettled) return;
    const message = `Cannot write to the copy of ${this.#target.name}: it is being stored`;
    throw new EngineError('DATABASE_IN_USE', message);
  }

  /** Says so at once, not when gigabytes have been copied. */
  #checkMagic(bytes: Uint8Array): void {
    const magic = 'SQLite format 3\0';
    const found = String.fromCharCode(...bytes.subarray(0, magic.length));
    if (magic.startsWith(found) && found !== '') return;
    throw new EngineError(
      'IMAGE_FORMAT',
      `Cannot store ${this.#target.name}: it is no SQLite database`,
      { hint: 'Only SQLite databases can be stored on the mount' },
    );
  }
}
