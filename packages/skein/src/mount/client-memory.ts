// The engine's ClientMemory: the wal-index, which clients map into their memory.
//
// With passthrough their pages are those of our file: we map it too. Without, their pages are the
// kernel's for the mount, which a notification changes; the file keeps a copy.

import { type ClientMapping, type ClientMemory, Pending } from '@skein/engine';
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
  return {
    bytes: mapped.bytes,
    publish: () => {
      mapped.unmap();
      return undefined;
    },
  };
}

function mapCopied(
  notifiers: Notifiers,
  name: string,
  file: DiskFile,
  length: number,
): ClientMapping {
  const bytes = new Uint8Array(length);
  file.read('shm.read', bytes, 0, length, 0);
  return {
    bytes,
    publish: () => {
      file.write('shm.write', bytes, 0, length, 0);
      const published = new Pending();
      const pieces = [
        { offset: HEADER_BYTES, bytes: bytes.subarray(HEADER_BYTES) },
        { offset: 0, bytes: bytes.subarray(0, HEADER_BYTES) },
      ];
      notifiers.store(name, pieces, () => published.settle());
      return published;
    },
  };
}
