// What a simulated kernel keeps of files that it has read once: until it is told to forget it, it
// never asks again.

import type { MountFile } from '../src/files/mount-file.ts';
import type { ByteRange, ContentPiece } from '../src/ports.ts';

/** Pages of memory on most machines. */
const PAGE_BYTES = 4096;

interface CachedFile {
  /** Undefined when the name leads to another file by now. */
  name: string | undefined;
  readonly pages: Map<number, Uint8Array>;
}

export class SimPageCache {
  /** By file: another one that has its name later has pages of its own. */
  readonly #files = new Map<MountFile, CachedFile>();

  /** Reads as a client does, through what is remembered. */
  read(name: string, file: MountFile, position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = position; at < position + length;) {
      const number = Math.floor(at / PAGE_BYTES);
      const within = at % PAGE_BYTES;
      const page = this.#page(name, file, number);
      const count = Math.min(PAGE_BYTES - within, position + length - at);
      bytes.set(page.subarray(within, within + count), at - position);
      at += count;
    }
    return bytes;
  }

  /** Bytes that the kernel is given; a page that it does not have it reads when it is asked. */
  store(name: string, { offset, bytes }: ContentPiece): void {
    for (const cached of this.#files.values()) {
      if (cached.name !== name) continue;
      for (const [number, page] of cached.pages) {
        const start = number * PAGE_BYTES;
        const from = Math.max(offset, start);
        const to = Math.min(offset + bytes.length, start + PAGE_BYTES);
        if (from < to) page.set(bytes.subarray(from - offset, to - offset), from - start);
      }
    }
  }

  forget(name: string): void {
    for (const cached of this.#files.values()) if (cached.name === name) cached.pages.clear();
  }

  /** The name is gone; who has the file open reads it on. */
  detach(name: string): void {
    for (const cached of this.#files.values()) if (cached.name === name) cached.name = undefined;
  }

  forgetRanges(name: string, ranges: readonly ByteRange[]): void {
    for (const cached of this.#files.values()) {
      if (cached.name !== name) continue;
      for (const { offset, length } of ranges) {
        const last = Math.floor((offset + length - 1) / PAGE_BYTES);
        for (let n = Math.floor(offset / PAGE_BYTES); n <= last; n++) cached.pages.delete(n);
      }
    }
  }

  #page(name: string, file: MountFile, number: number): Uint8Array {
    const cached = this.#files.get(file) ?? { name, pages: new Map<number, Uint8Array>() };
    this.#files.set(file, cached);
    const { pages } = cached;
    const known = pages.get(number);
    if (known !== undefined) return known;
    const page = new Uint8Array(PAGE_BYTES);
    file.read(page, 0, PAGE_BYTES, number * PAGE_BYTES);
    pages.set(number, page);
    return page;
  }
}
