// The entries of a READDIR or READDIRPLUS reply.
//
//   struct fuse_dirent, then the name, padded with zeros to a multiple of 8 bytes
//    0 u64 ino
//    8 u64 off       what the next READDIR sends to go on behind this entry
//   16 u32 namelen
//   20 u32 type      upper four bits of the mode: DIRENT_TYPE
//
//   struct fuse_direntplus: struct fuse_entry_out (128 bytes), then a struct fuse_dirent

import { encodeEntryOut, ENTRY_OUT_BYTES, type EntryOut, setU64 } from './structs.ts';

/** DT_*: the S_IFMT bits of a mode, shifted right by 12. */
export const DIRENT_TYPE = {
  UNKNOWN: 0,
  FIFO: 1,
  CHR: 2,
  DIR: 4,
  BLK: 6,
  REG: 8,
  LNK: 10,
  SOCK: 12,
} as const;

const DIRENT_BYTES = 24;

export interface Dirent {
  readonly ino: number;
  /** Where the next request goes on; greater than 0 and different for every entry. */
  readonly off: number;
  readonly type: number;
  readonly name: string;
}

const utf8 = new TextEncoder();

/**
 * Writes an entry at `at` if it fits before `end`. Returns the bytes it took, 0 when it does not
 * fit. An entry whose `entry` is given is one of READDIRPLUS.
 */
export function encodeDirent(
  bytes: Uint8Array<ArrayBuffer>,
  range: { readonly at: number; readonly end: number },
  dirent: Dirent,
  entry?: EntryOut,
): number {
  const name = utf8.encode(dirent.name);
  const prefix = entry === undefined ? 0 : ENTRY_OUT_BYTES;
  const length = prefix + ((DIRENT_BYTES + name.length + 7) & ~7);
  if (range.at + length > range.end) return 0;

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (entry !== undefined) encodeEntryOut(view, range.at, entry);
  const start = range.at + prefix;
  setU64(view, start, dirent.ino);
  setU64(view, start + 8, dirent.off);
  view.setUint32(start + 16, name.length, true);
  view.setUint32(start + 20, dirent.type, true);
  bytes.set(name, start + DIRENT_BYTES);
  bytes.fill(0, start + DIRENT_BYTES + name.length, range.at + length);
  return length;
}
