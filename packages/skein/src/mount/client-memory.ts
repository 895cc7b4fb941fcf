// The engine's ClientMemory: the wal-index, which clients map into their memory.
//
// With passthrough their pages are those of our file: we map it too. Without, their pages are the
// kernel's for the mount, which a notification changes; the file keeps a copy, from which the
// kernel reads what it has dropped.
//
// Invariant: the file has a new header only when all that it speaks of is in the kernel's pages, or
// comes there from the file: a client that gets the header from there finds the rest.

import { type ByteRange, type ClientMapping, type ClientMemory, Pending } from '@skein/engine';
import { type DiskFile, mapFile } from '@skein/host';
import { WAL_INDEX_HEADER_SIZE } from '@skein/sqlite-file';

import type { Notifiers } from './notifiers.ts';

/** The two copies of the header, by which readers see that there is something new. */
const COPIES_BYTES = 96;

type Store = Pick<Notifiers, 'store'>;

export function createClientMemory(notifiers: Store, passesThrough: () => boolean): ClientMemory {
  return {
    map: (name, file, length) =>
      passesThrough() ? mapShared(file, length) : mapCopied(notifiers, name, file, length),
  };
}

function mapShared(file: DiskFile, length: number): ClientMapping {
  const mapped = mapFile(file.fd!, length);
  const publish = (): undefined => {
    mapped.unmap();
    return undefined;
  };
  return { bytes: mapped.bytes, publish, publishRanges: publish };
}

function mapCopied(notifiers: Store, name: string, file: DiskFile, length: number): ClientMapping {
  const bytes = new Uint8Array(length);
  file.read('shm.read', bytes, 0, length, 0);
  const put = (ranges: readonly ByteRange[], done: () => void): void => {
    const pieces = ranges.map((range) => ({
      offset: range.offset,
      bytes: bytes.subarray(range.offset, range.offset + range.length),
    }));
    for (const piece of pieces) {
      file.write('shm.write', piece.bytes, 0, piece.bytes.length, piece.offset);
    }
    notifiers.store(name, pieces, done);
  };
  const publishRanges = (ranges: readonly ByteRange[]): Pending => {
    const published = new Pending();
    const isHeader = ({ offset }: ByteRange): boolean => offset < WAL_INDEX_HEADER_SIZE;
    const putHeader = (): void => {
      try {
        put(ranges.filter(isHeader), () => published.settle());
      } catch (error) {
        published.settle(error as Error);
      }
    };
    const others = ranges.filter((range) => !isHeader(range));
    if (others.length === 0) putHeader();
    else put(others, putHeader);
    return published;
  };
  return {
    bytes,
    publish: () =>
      publishRanges([
        { offset: WAL_INDEX_HEADER_SIZE, length: length - WAL_INDEX_HEADER_SIZE },
        { offset: COPIES_BYTES, length: WAL_INDEX_HEADER_SIZE - COPIES_BYTES },
        { offset: 0, length: COPIES_BYTES },
      ]),
    publishRanges,
  };
}
