// Reads a WAL the way SQLite's recovery does (src/wal.c, walIndexRecover): frame after frame, to
// the first that does not verify. Whether a frame counts is for the caller to say: a transaction is
// committed once a frame with a commit field follows, and only then.

import { assert, type ByteSource, readWhole } from '@skein/bytes';

import {
  walFrameCommit,
  walFrameOffset,
  walFramePgno,
  WAL_FRAME_HEADER_SIZE,
  type WalChain,
} from './wal-frame.ts';

export interface WalFrame {
  readonly frame: number;
  readonly pgno: number;
  /** Size of the database in pages if this frame ends a transaction, else 0. */
  readonly commit: number;
  /** Valid until the next frame is asked for. */
  readonly page: Uint8Array;
}

/**
 * Yields the valid frames from number `firstFrame` on. `chain` must stand at the frame before (a
 * new one stands before frame 1) and has moved past each frame when it is yielded.
 */
export function* readWalFrames(
  source: ByteSource,
  chain: WalChain,
  firstFrame = 1,
): Generator<WalFrame, void, undefined> {
  assert(firstFrame >= 1, 'Frames are numbered from 1');
  const { pageSize } = chain.header;
  const bytes = new Uint8Array(WAL_FRAME_HEADER_SIZE + pageSize);
  const view = new DataView(bytes.buffer);
  const page = bytes.subarray(WAL_FRAME_HEADER_SIZE);
  for (let frame = firstFrame; ; frame++) {
    if (!readWhole(source, bytes, walFrameOffset(frame, pageSize))) return;
    if (!chain.accept(view, 0)) return;
    yield { frame, pgno: walFramePgno(view, 0), commit: walFrameCommit(view, 0), page };
  }
}
