// One block of an object as a file of the cache (docs/formats.md, "Blocks of a lake's cache"):
//   0   4 bytes   "SKB1"
//   4   u32 le    CRC-32 of the content
//   8   u32 le    length of the content
//   12  u32 le    0
//   16            the content
//
// A block is written beside its place and renamed. It is not synced: after a power cut it may be
// there without its content, which the checksum tells.

import { open, rename, rm, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

import { assert } from '@skein/bytes';

const MAGIC = 'SKB1';
const HEAD_BYTES = 16;
const CRC_OFFSET = 4;
const LENGTH_OFFSET = 8;

export const BLOCK_OVERHEAD_BYTES: number = HEAD_BYTES;

let nextTemporary = 0;

/** Replaces what is there. */
export async function writeBlock(path: string, content: Buffer): Promise<void> {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, 'latin1');
  head.writeUInt32LE(crc32(content), CRC_OFFSET);
  head.writeUInt32LE(content.length, LENGTH_OFFSET);
  const temporary = `${path}.${process.pid}-${nextTemporary++}${TEMPORARY_ENDING}`;
  try {
    await writeFile(temporary, Buffer.concat([head, content]));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Of files that a crash has left; nobody looks for them. */
export const TEMPORARY_ENDING = '.tmp';

/** All of a block that nobody has checked yet; undefined when it is not as it was written. */
export async function maybeReadWhole(path: string): Promise<Buffer | undefined> {
  return maybeWithFile(path, async (file) => {
    const { size } = await file.stat();
    if (size < HEAD_BYTES) return undefined;
    const bytes = Buffer.allocUnsafe(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    if (bytesRead !== size || bytes.toString('latin1', 0, CRC_OFFSET) !== MAGIC) return undefined;
    const content = bytes.subarray(HEAD_BYTES);
    const isWhole =
      bytes.readUInt32LE(LENGTH_OFFSET) === content.length &&
      bytes.readUInt32LE(CRC_OFFSET) === crc32(content);
    return isWhole ? content : undefined;
  });
}

/** A part of a block that was checked; undefined when it is gone. */
export async function maybeReadPart(
  path: string,
  start: number,
  end: number,
): Promise<Buffer | undefined> {
  assert(start < end, 'Reads nothing of a block');
  return maybeWithFile(path, async (file) => {
    const bytes = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, HEAD_BYTES + start);
    return bytesRead === bytes.length ? bytes : undefined;
  });
}

type FileHandle = Awaited<ReturnType<typeof open>>;

async function maybeWithFile(
  path: string,
  use: (file: FileHandle) => Promise<Buffer | undefined>,
): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch {
    // Evicted, or the disk: either way it has to be fetched.
    return undefined;
  }
  try {
    return await use(file);
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
