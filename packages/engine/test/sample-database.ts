// Databases for tests, as SQLite would see them from outside: a first page with a header that holds
// together, and pages of noise. What a transaction does to one is drawn from a seed.

import { encodeDatabaseHeader } from './database-header.ts';
import type { SeededRandom } from '@skein/testkit';

/** The pages of a database, the first one first. Never changed: a transaction makes another. */
export type Pages = readonly Uint8Array[];

export interface ChangeOptions {
  /** Pages that change besides the first. */
  readonly changesMax?: number;
  readonly pageCountMax?: number;
  readonly mode?: 'rollback' | 'wal';
}

/** A database of `pageCount` pages. */
export function samplePages(random: SeededRandom, pageSize: number, pageCount: number): Pages {
  const pages = Array.from({ length: pageCount }, () => randomPage(random, pageSize));
  return withHeader(pages, { changeCounter: 1, mode: 'rollback' });
}

/** The same database after one more transaction: some pages changed, some added or cut off. */
export function changedPages(
  random: SeededRandom,
  before: Pages,
  options: ChangeOptions = {},
): Pages {
  const { changesMax = 6, pageCountMax = 40 } = options;
  const pageSize = before[0]!.length;
  const pages = [...before];
  for (let count = random.int(0, changesMax); count > 0; count--) {
    pages[random.int(0, pages.length - 1)] = randomPage(random, pageSize);
  }
  const growth = random.pick([0, 0, 1, 3, 9, -1, -4]);
  const pageCount = Math.min(Math.max(before.length + growth, 2), pageCountMax);
  while (pages.length < pageCount) pages.push(randomPage(random, pageSize));
  pages.length = pageCount;
  return withHeader(pages, {
    changeCounter: counterOf(before) + 1,
    mode: options.mode ?? modeOf(before),
  });
}

/** The same content under the header of the other mode, as SQLite switches it. */
export function inMode(before: Pages, mode: 'rollback' | 'wal'): Pages {
  return withHeader([...before], { changeCounter: counterOf(before) + 1, mode });
}

/** The file as one piece. */
export function bytesOf(pages: Pages): Uint8Array {
  return new Uint8Array(Buffer.concat(pages));
}

export function equalPages(one: Pages | undefined, other: Pages | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((page, n) => isEqual(page, other[n]!));
}

export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** Noise at the start, for the rest one byte again and again: large pages are made quickly. */
function randomPage(random: SeededRandom, pageSize: number): Uint8Array {
  const page = new Uint8Array(pageSize).fill(random.int(0, 255));
  page.set(random.bytes(Math.min(pageSize, 600)));
  return page;
}

function withHeader(
  pages: Uint8Array[],
  { changeCounter, mode }: { changeCounter: number; mode: 'rollback' | 'wal' },
): Pages {
  const page = pages[0]!.slice();
  encodeDatabaseHeader(page, { pageCount: pages.length, changeCounter, mode });
  pages[0] = page;
  return pages;
}

function counterOf(pages: Pages): number {
  return Buffer.from(pages[0]!.buffer, pages[0]!.byteOffset).readUInt32BE(24);
}

function modeOf(pages: Pages): 'rollback' | 'wal' {
  return pages[0]![18] === 2 ? 'wal' : 'rollback';
}
