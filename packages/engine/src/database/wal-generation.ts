// A WAL between two restarts: the frames that have one pair of salts.

import type { ByteSource } from '@skein/bytes';
import {
  readWalHeader,
  SqliteFormatError,
  WAL_HEADER_SIZE,
  WalChain,
  walFrameOffset,
  type WalHeader,
} from '@skein/sqlite-file';

import type { DatabaseState } from './database-state.ts';
import { WalFrames } from './wal-frames.ts';

/** The frames of a WAL that are in the log. */
export interface CommittedWal {
  readonly header: WalHeader;
  readonly frames: WalFrames;
  /** The checksum of the last of them. */
  readonly loggedSums: Uint32Array;
}

export interface WalGeneration extends CommittedWal {
  /** Of the database when the WAL began: all of that is in the database file. */
  readonly stateBefore: DatabaseState;
  /** The checksums up to the last verified frame. */
  readonly chain: WalChain;
  /** Pages of the frames behind those, verified but not committed, in order. */
  readonly open: number[];
  /** Nobody has written behind this place since the WAL began. */
  writtenEnd: number;
}

export function startGeneration(header: WalHeader, stateBefore: DatabaseState): WalGeneration {
  const chain = new WalChain(header);
  return {
    header,
    stateBefore,
    chain,
    loggedSums: chain.sums.slice(),
    frames: new WalFrames(),
    open: [],
    writtenEnd: WAL_HEADER_SIZE,
  };
}

/** Where the first frame begins that is not in the log. */
export function endOfFrames({ frames, header }: CommittedWal): number {
  return walFrameOffset(frames.count + 1, header.pageSize);
}

/** Undefined also for a format of the future: SQLite refuses to open the database then. */
export function maybeReadHeader(source: ByteSource): WalHeader | undefined {
  try {
    return readWalHeader(source);
  } catch (error) {
    if (error instanceof SqliteFormatError) return undefined;
    throw error;
  }
}
