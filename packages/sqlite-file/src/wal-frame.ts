// Frames of a WAL: after the file's header, one 24-byte header and one page each
// (https://sqlite.org/fileformat2.html section 4.1; src/wal.c, walEncodeFrame and walDecodeFrame).
// Frames are numbered from 1. A frame is valid if its salts are those of the WAL's header, its page
// number is not 0, and its checksum continues that of the frame before. The first frame that is not
// ends the log; what lies behind it are remnants of older uses of the file.
//
//   offset size field
//        0    4 page number
//        4    4 commit: size of the database in pages after the transaction that this frame ends;
//               0 in all other frames
//        8    8 salts of the WAL's header
//       16    8 checksum: of the WAL's header, of all frames before, of bytes 0..8 of this header
//               and of the page

import { assert } from '@skein/bytes';

import { newWalChecksum, updateWalChecksum, type WalChecksum } from './wal-checksum.ts';
import { encodeWalHeader, WAL_HEADER_SIZE, type WalHeader } from './wal-header.ts';

export const WAL_FRAME_HEADER_SIZE = 24;

/** Where frame number `frame`, its header first, begins in the file. */
export function walFrameOffset(frame: number, pageSize: number): number {
  return WAL_HEADER_SIZE + (frame - 1) * (WAL_FRAME_HEADER_SIZE + pageSize);
}

/** The number of the frame in which byte `offset` of the file lies; 0 for the file's header. */
export function walFrameAt(offset: number, pageSize: number): number {
  return Math.floor((offset - WAL_HEADER_SIZE) / (WAL_FRAME_HEADER_SIZE + pageSize)) + 1;
}

/** The page number in the frame header at `at`. */
export function walFramePgno(view: DataView, at: number): number {
  return view.getUint32(at);
}

/** The commit field of the frame header at `at`: not 0 if the frame ends a transaction. */
export function walFrameCommit(view: DataView, at: number): number {
  return view.getUint32(at + 4);
}

/**
 * The checksum chain of one WAL, advanced frame by frame, to verify frames or to write them.
 * Nothing here allocates: header and page are wherever they happen to lie, together or apart
 * (SQLite writes them apart).
 */
export class WalChain {
  readonly header: WalHeader;
  /** The checksum so far: of the last frame, or of the WAL's header. May be saved and restored. */
  readonly sums: WalChecksum;
  readonly #next: WalChecksum;

  constructor(header: WalHeader) {
    this.header = header;
    this.sums = newWalChecksum();
    this.#next = newWalChecksum();
    this.restart();
  }

  /** Back to the start of the WAL. */
  restart(): void {
    const encoded = new DataView(encodeWalHeader(this.header).buffer);
    this.sums[0] = encoded.getUint32(24);
    this.sums[1] = encoded.getUint32(28);
  }

  /** Whether the frame is the chain's next; if so the chain moves on, else it stays. */
  accept(
    view: DataView,
    at: number,
    page: DataView = view,
    pageAt: number = at + WAL_FRAME_HEADER_SIZE,
  ): boolean {
    const { salt1, salt2 } = this.header;
    if (view.getUint32(at + 8) !== salt1 || view.getUint32(at + 12) !== salt2) return false;
    if (walFramePgno(view, at) === 0) return false;
    this.#compute(view, at, page, pageAt);
    const sum1 = this.#next[0]!;
    const sum2 = this.#next[1]!;
    if (view.getUint32(at + 16) !== sum1 || view.getUint32(at + 20) !== sum2) return false;
    this.sums.set(this.#next);
    return true;
  }

  /** Writes the header of the chain's next frame at `at`; its page is there already, behind it. */
  seal(view: DataView, at: number, pgno: number, commit: number): void {
    assert(pgno > 0, 'A WAL frame holds a page');
    view.setUint32(at, pgno);
    view.setUint32(at + 4, commit);
    this.#compute(view, at, view, at + WAL_FRAME_HEADER_SIZE);
    this.sums.set(this.#next);
    view.setUint32(at + 8, this.header.salt1);
    view.setUint32(at + 12, this.header.salt2);
    view.setUint32(at + 16, this.sums[0]!);
    view.setUint32(at + 20, this.sums[1]!);
  }

  /** Leaves in #next what the checksum is with this frame. */
  #compute(view: DataView, at: number, page: DataView, pageAt: number): void {
    const { bigEndianChecksums, pageSize } = this.header;
    this.#next[0] = this.sums[0]!;
    this.#next[1] = this.sums[1]!;
    updateWalChecksum(this.#next, bigEndianChecksums, view, at, at + 8);
    updateWalChecksum(this.#next, bigEndianChecksums, page, pageAt, pageAt + pageSize);
  }
}
