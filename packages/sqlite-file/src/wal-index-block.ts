// The blocks of a wal-index (-shm): which frame of the WAL holds which page, and where a page is
// found (https://sqlite.org/fileformat2.html section 4.5, https://sqlite.org/walformat.html section
// 2, src/wal.c: walHashGet, walIndexAppend, walCleanupHash, walFindFrame).
//
// A block is 32 KiB: the page numbers of 4096 frames in the order of the frames, then a hash table
// of
// 8192 slots, each the number of a frame within the block (from 1), or 0. In the first block the
// header takes the place of the first 34 page numbers, which leaves 4062. Collisions go to the next
// free slot. A page in several frames has several slots, of which the one met last is the newest.
//
// Invariant: entries up to mxFrame are never changed, for readers use them without a lock; entries
// above belong to the holder of WAL_WRITE_LOCK. Integers are in the machine's own byte order, which
// typed arrays use too.

import { assert } from '@skein/bytes';

import { SqliteFormatError } from './errors.ts';

export const WAL_INDEX_BLOCK_SIZE = 32_768;

const FRAMES_A_BLOCK = 4096;
const HEADER_WORDS = 34;
const FRAMES_IN_FIRST_BLOCK: number = FRAMES_A_BLOCK - HEADER_WORDS;
const SLOTS = 8192;
const HASH_FACTOR = 383;

/** One block, as the views in which it is used. All are onto the bytes that it was made from. */
export interface WalIndexBlock {
  /** The whole block, the header of the wal-index included. */
  readonly words: Uint32Array;
  /** The page numbers of its frames; 0 if there is no such frame. */
  readonly pgnos: Uint32Array;
  /** The hash table. */
  readonly slots: Uint16Array;
  /** The number of frames in the blocks before. */
  readonly framesBefore: number;
}

/** What a reader may see of the WAL. */
export interface WalSnapshot {
  readonly mxFrame: number;
  /** The first frame that is not in the database file yet (nBackfill + 1). */
  readonly minFrame: number;
}

/**
 * Block number `index` (from 0) of a wal-index. `bytes` are its 32 KiB, at an address that is a
 * multiple of 4, as those of mapped memory are.
 */
export function walIndexBlock(bytes: Uint8Array, index: number): WalIndexBlock {
  assert(bytes.length === WAL_INDEX_BLOCK_SIZE, 'A block of a wal-index has 32 KiB');
  assert(bytes.byteOffset % 4 === 0, 'A block of a wal-index is aligned as its words are');
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, WAL_INDEX_BLOCK_SIZE / 4);
  const slotsAt = bytes.byteOffset + FRAMES_A_BLOCK * 4;
  return {
    words,
    pgnos: words.subarray(index === 0 ? HEADER_WORDS : 0, FRAMES_A_BLOCK),
    slots: new Uint16Array(bytes.buffer, slotsAt, SLOTS),
    framesBefore: index === 0 ? 0 : FRAMES_IN_FIRST_BLOCK + (index - 1) * FRAMES_A_BLOCK,
  };
}

/** The number of the block (from 0) that holds the entry of `frame` (from 1). */
export function walIndexBlockOf(frame: number): number {
  return Math.floor((frame - 1 + HEADER_WORDS) / FRAMES_A_BLOCK);
}

/** Where the search for a page begins. */
export function walHashSlot(pgno: number): number {
  return Math.imul(pgno, HASH_FACTOR) & (SLOTS - 1);
}

/**
 * Enters that `frame` holds page `pgno`, in the block of that frame. Frames are entered in order;
 * the caller holds WAL_WRITE_LOCK. What a writer that died left behind at or above `frame` is
 * removed first. Throws SqliteFormatError if the hash table is damaged. Allocates nothing.
 */
export function appendToWalIndex(block: WalIndexBlock, frame: number, pgno: number): void {
  const { pgnos, slots, framesBefore } = block;
  const entry = frame - framesBefore;
  assert(entry >= 1 && entry <= pgnos.length, 'A frame is entered in its own block');
  assert(pgno >= 1, 'A frame holds a page');

  if (entry === 1) {
    pgnos.fill(0);
    slots.fill(0);
  } else if (pgnos[entry - 1] !== 0) {
    removeFromWalIndex(block, frame - 1);
  }
  let slot = walHashSlot(pgno);
  for (let occupied = 0; slots[slot] !== 0; occupied++) {
    // More slots in a row than there are entries: some are garbage.
    if (occupied === entry) throw damaged(block, slot);
    slot = nextSlot(slot);
  }
  // The slot is what readers follow: it may not be seen before the page number it leads to.
  pgnos[entry - 1] = pgno;
  Atomics.store(slots, slot, entry);
}

/**
 * Removes the entries of frames above `mxFrame`, which lies in this block: what is left after a
 * rollback, or after the death of a writer. Later blocks need nothing: they are emptied when their
 * first frame is entered. The caller holds WAL_WRITE_LOCK.
 */
export function removeFromWalIndex(block: WalIndexBlock, mxFrame: number): void {
  const { pgnos, slots, framesBefore } = block;
  const last = mxFrame - framesBefore;
  assert(last >= 1 && last <= pgnos.length, 'The last frame to stay lies in the block');
  for (let slot = 0; slot < SLOTS; slot++) {
    if (slots[slot]! > last) slots[slot] = 0;
  }
  pgnos.fill(0, last);
}

/**
 * The newest frame in `snapshot` that holds page `pgno`; 0 if there is none, and the page is to be
 * read from the database file. `blocks` are those of the wal-index, from the first, at least as
 * many as mxFrame needs. Throws SqliteFormatError if a hash table is damaged. Allocates nothing.
 */
export function findWalFrame(
  blocks: readonly WalIndexBlock[],
  pgno: number,
  snapshot: WalSnapshot,
): number {
  const { mxFrame, minFrame } = snapshot;
  if (mxFrame === 0) return 0;
  const oldest = walIndexBlockOf(minFrame);
  for (let index = walIndexBlockOf(mxFrame); index >= oldest; index--) {
    const block = blocks[index];
    assert(block !== undefined, 'All blocks up to mxFrame are there');
    const frame = findInBlock(block, pgno, snapshot);
    if (frame !== 0) return frame;
  }
  return 0;
}

function findInBlock(block: WalIndexBlock, pgno: number, snapshot: WalSnapshot): number {
  const { pgnos, slots, framesBefore } = block;
  let found = 0;
  let slot = walHashSlot(pgno);
  for (let probed = 0; ; probed++) {
    const entry = Atomics.load(slots, slot);
    if (entry === 0) return found;
    if (probed === SLOTS) throw damaged(block, slot);
    // A writer may be entering frames right now: those above mxFrame are no business of ours.
    const frame = framesBefore + entry;
    const isVisible = frame >= snapshot.minFrame && frame <= snapshot.mxFrame;
    if (isVisible && pgnos[entry - 1] === pgno) found = frame;
    slot = nextSlot(slot);
  }
}

function nextSlot(slot: number): number {
  return (slot + 1) & (SLOTS - 1);
}

function damaged(block: WalIndexBlock, slot: number): SqliteFormatError {
  return new SqliteFormatError({
    code: 'SQLITE_FILE_BAD_FIELD',
    file: 'wal-index',
    what: `hash table of the block from frame ${block.framesBefore + 1} on`,
    offset: FRAMES_A_BLOCK * 4 + slot * 2,
    expected: 'a free slot',
    actual: block.slots[slot]!,
  });
}
