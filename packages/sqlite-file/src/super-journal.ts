// Super-journals: how SQLite commits a transaction over several databases in rollback modes at once
// (https://sqlite.org/atomiccommit.html section 5; src/vdbeaux.c, vdbeCommit; src/pager.c,
// writeSuperJournal, readSuperJournal and pagerIsSuperJrnlName).
//
// The super-journal is a file that lists the journals of all databases of the transaction, each
// path with a zero byte after it. Each of those journals ends in a pointer to it, and is hot only
// while the super-journal exists: deleting that file commits everywhere. The pointer, integers
// big-endian:
//
//   size field
//      4 number of the lock page, so that playback takes it for the end of the records
//      N path of the super-journal, without a zero byte
//      4 N
//      4 sum of the path's bytes, each taken as signed
//      8 magic of a journal
//
// Paths are bytes, as SQLite handed them to the file system: in whatever encoding, as the client
// saw its folders.

import { assert, type ByteSource, readWhole } from '@skein/bytes';

import { hasJournalMagic, JOURNAL_MAGIC } from './journal-header.ts';
import { lockPgno } from './lock-bytes.ts';

/** SQLite's limit for a path on unix (MAX_PATHNAME). */
const NAME_SIZE_MAX = 512;

/** What follows the path. */
const POINTER_TAIL_SIZE = 16;

/** The name of a database and 32 random bits, of which the last eight follow a fixed 9. */
const NAME_PATTERN = /^(.*)-mj[0-9A-Fa-f]{6}9[0-9A-Fa-f]{2}$/s;

/**
 * The name of the database whose connection made a super-journal of this name; undefined if it is
 * not a super-journal's name. (8.3 names, which no stock SQLite makes, are not known here.)
 */
export function parseSuperJournalName(name: string): string | undefined {
  return NAME_PATTERN.exec(name)?.[1];
}

/**
 * The path of the super-journal to which a journal file of `size` bytes points; undefined if it was
 * part of no such transaction, or if the pointer is damaged, which SQLite takes for the same.
 */
export function readSuperJournalName(source: ByteSource, size: number): Uint8Array | undefined {
  const tailAt = size - POINTER_TAIL_SIZE;
  const tail = new Uint8Array(POINTER_TAIL_SIZE);
  if (tailAt < 0 || !readWhole(source, tail, tailAt)) return undefined;
  if (!hasJournalMagic(tail.subarray(8))) return undefined;
  const view = new DataView(tail.buffer);
  const length = view.getUint32(0);
  if (length > Math.min(NAME_SIZE_MAX, tailAt)) return undefined;
  const name = new Uint8Array(length);
  if (!readWhole(source, name, tailAt - length)) return undefined;
  const isSound = isNameChecksum(name, view.getUint32(4)) && isSuperJournalPath(name);
  return isSound ? name : undefined;
}

/** The pointer to super-journal `name` that ends a journal of pages of `pageSize` bytes. */
export function encodeSuperJournalPointer(name: Uint8Array, pageSize: number): Uint8Array {
  assert(name.length <= NAME_SIZE_MAX, 'A path is at most 512 bytes long');
  assert(isSuperJournalPath(name), 'A pointer leads to a super-journal');
  const bytes = new Uint8Array(4 + name.length + POINTER_TAIL_SIZE);
  const view = new DataView(bytes.buffer);
  const tailAt = 4 + name.length;
  view.setUint32(0, lockPgno(pageSize));
  bytes.set(name, 4);
  view.setUint32(tailAt, name.length);
  view.setUint32(tailAt + 4, signedSum(name));
  bytes.set(JOURNAL_MAGIC, tailAt + 8);
  return bytes;
}

/** The paths of the journals that a super-journal lists. */
export function decodeSuperJournal(bytes: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const zero = bytes.indexOf(0, start);
    const end = zero < 0 ? bytes.length : zero;
    if (end > start) names.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return names;
}

/** The content of a super-journal that lists these journals. */
export function encodeSuperJournal(names: readonly Uint8Array[]): Uint8Array {
  const size = names.reduce((sum, name) => sum + name.length + 1, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const name of names) {
    bytes.set(name, at);
    at += name.length + 1;
  }
  return bytes;
}

/**
 * SQLite sums C's `char`, signed on x86 by its compilers' choice and unsigned on ARM: for names
 * beyond ASCII the sums differ, and either may come from a machine of either kind.
 */
function isNameChecksum(name: Uint8Array, checksum: number): boolean {
  const unsigned = name.reduce((sum, byte) => sum + byte, 0);
  return checksum === unsigned || checksum === signedSum(name) >>> 0;
}

function signedSum(name: Uint8Array): number {
  return name.reduce((sum, byte) => sum + ((byte << 24) >> 24), 0);
}

/** The pattern is ASCII, so that the encoding of what comes before does not matter. */
function isSuperJournalPath(path: Uint8Array): boolean {
  return !path.includes(0) && parseSuperJournalName(String.fromCharCode(...path)) !== undefined;
}
