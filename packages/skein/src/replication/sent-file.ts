// LTX files that are too large for memory, on their way to a peer: read in pieces, as fast as the
// peer takes them.

import type { SentFile } from '@skein/cluster';
import {
  EngineError,
  type FollowedFile,
  SnapshotProgress,
  type SnapshotTicket,
} from '@skein/engine';
import type { Disk, DiskFile } from '@skein/host';
import { formatHex64 } from '@skein/bytes';
import { type Position, type Txid, toTxid } from '@skein/ltx';

/** What the main thread reads at once. */
const PIECE_BYTES = 256 * 1024;

export type OnRelease = (file: SentFile) => void;

/** A transaction that lies beside the log; whole, and ours as long as it is open. */
export class SentBeside implements SentFile {
  readonly database: string;
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
  readonly epoch: number;
  readonly timestampMs: number;
  readonly position: Position;
  readonly id: string;
  readonly #followed: FollowedFile;
  readonly #onRelease: OnRelease;
  #isReleased = false;

  constructor(followed: FollowedFile, onRelease: OnRelease) {
    this.database = followed.database;
    this.minTxid = followed.minTxid;
    this.maxTxid = followed.maxTxid;
    this.epoch = followed.epoch;
    this.timestampMs = followed.timestampMs;
    this.position = followed.position;
    this.id = `log-${formatHex64(followed.besideId)}`;
    this.#followed = followed;
    this.#onRelease = onRelease;
  }

  async *read(offset: number): AsyncGenerator<Uint8Array> {
    const { file, sizeBytes } = this.#followed;
    const room = new Uint8Array(PIECE_BYTES);
    for (let at = offset; at < sizeBytes; at += PIECE_BYTES) {
      yield readPiece(file, room, at, sizeBytes);
    }
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#followed.file.close();
    this.#onRelease(this);
  }
}

export interface SentSnapshotOptions {
  readonly disk: Disk;
  readonly epoch: number;
  readonly onRelease: OnRelease;
}

/** A snapshot, which the engine may still be writing. */
export class SentSnapshot implements SentFile {
  readonly database: string;
  readonly minTxid: Txid = toTxid(1);
  readonly maxTxid: Txid;
  readonly epoch: number;
  readonly timestampMs: number;
  readonly position: Position;
  readonly id: string;
  readonly #sizeBytes: number;
  readonly #progress: SnapshotProgress;
  readonly #file: DiskFile;
  readonly #onRelease: OnRelease;
  #isReleased = false;

  /** Throws DiskError. */
  constructor(ticket: SnapshotTicket, { disk, epoch, onRelease }: SentSnapshotOptions) {
    this.database = ticket.database;
    this.maxTxid = ticket.position.txid;
    this.epoch = epoch;
    this.timestampMs = ticket.timestampMs;
    this.position = ticket.position;
    this.id = ticket.id;
    this.#sizeBytes = ticket.sizeBytes;
    this.#progress = new SnapshotProgress(ticket.progress);
    this.#file = disk.open('snapshot.open', ticket.path, 'read');
    this.#onRelease = onRelease;
  }

  async *read(offset: number): AsyncGenerator<Uint8Array> {
    const room = new Uint8Array(PIECE_BYTES);
    for (let at = offset; at < this.#sizeBytes;) {
      const writtenBytes = this.#progress.writtenBytes;
      if (writtenBytes === undefined) throw this.#failed();
      if (at < writtenBytes) {
        const piece = readPiece(this.#file, room, at, writtenBytes);
        at += piece.length;
        yield piece;
      } else {
        await this.#progress.whenMoved(writtenBytes);
      }
    }
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#file.close();
    this.#onRelease(this);
  }

  #failed(): EngineError {
    const message = `Cannot send a snapshot of ${this.database}: it could not be written`;
    return new EngineError('SNAPSHOT_FAILED', message);
  }
}

function readPiece(file: DiskFile, room: Uint8Array, from: number, end: number): Uint8Array {
  const count = file.read('sent.read', room, 0, Math.min(room.length, end - from), from);
  return room.subarray(0, count);
}
