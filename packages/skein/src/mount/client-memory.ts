// The engine's ClientMemory: the wal-index, which clients map into their memory.
//
// With passthrough their pages are those of our file: we map it too. Without, their pages are the
// kernel's for the mount, which a notification changes; the file keeps a copy.

import { type ByteRange, type ClientMapping, type ClientMemory, Pending } from '@skein/engine';
import { type DiskFile, mapFile } from '@skein/host';

import type { Notifiers } from './notifiers.ts';

/** The two copies of the header, by which readers see that there is something new. */
const HEADER_BYTES = 96;

export function createClientMemory(
  notifiers: Notifiers,
  passesThrough: () => boolean,
): ClientMemory {
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

function mapCopied(
  notifiers: Notifiers,
  name: string,
  file: DiskFile,
  length: number,
): ClientMapping {
  const bytes = new Uint8Array(length);
  file.read('shm.read', bytes, 0, length, 0);
  const publishRanges = (ranges: readonly ByteRange[]): Pending => {
    const published = new Pending();
    const pieces = ranges.map((range) => ({
      offset: range.offset,
      bytes: bytes.subarray(range.offset, range.offset + range.length),
    }));
    for (const piece of pieces) {
      file.write('shm.write', piece.bytes, 0, piece.bytes.length, piece.offset);
    }
    notifiers.store(name, pieces, () => published.settle());
    return published;
  };
  return {
    bytes,
    publish: () =>
      publishRanges([
        { offset: HEADER_BYTES, length: length - HEADER_BYTES },
        { offset: 0, length: HEADER_BYTES },
      ]),
    publishRanges,
  };
}
