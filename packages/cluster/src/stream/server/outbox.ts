// What a primary writes into one stream, in LiteFS's words or in Skein's.
//
// One write is under way at a time, of at most BATCH_BYTES: this is all that a slow replica costs.
// A heartbeat is written only between frames, and only when no write is under way. Nothing of an
// item is used any more when send() has resolved.

import type { Writable } from 'node:stream';

import type { Clock } from '@skein/host';
import type { Txid } from '@skein/ltx';

import { ReplicationError } from '../../errors.ts';
import type { LogItem, SentFile, SentTransaction } from '../../ports.ts';
import { FrameWriter } from '../../wire/frame-writer.ts';
import { FILE_PIECE_BYTES_MAX, LITEFS_CHUNK_BYTES } from '../../wire/limits.ts';
import type { Dialect } from '../../wire/server-decoder.ts';
import type { ResumePoint } from '../hello.ts';
import { untilAborted } from '../until-aborted.ts';

/** Small transactions are put together up to here, large ones and files are cut. */
const BATCH_BYTES = 256 * 1024;

/** LiteFS's replicas keep files for a backup up to this mark; without a backup it is 0. */
const NO_HIGH_WATER_MARK = 0n as Txid;

export interface OutboxOptions {
  readonly stream: Writable;
  readonly dialect: Dialect;
  readonly clock: Clock;
  /** A file of which the peer has a part. */
  readonly resume: ResumePoint | undefined;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #writer = new FrameWriter();
  #isMidFrame = false;
  #isWriting = false;
  #hasWritten = false;
  #rejectWrite: ((error: Error) => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.stream.on('close', () => this.#rejectWrite?.(closed()));
  }

  /** Resolves when the item is on its way; rejects when the stream is closed, or at the signal. */
  async send(item: LogItem, signal: AbortSignal): Promise<void> {
    switch (item.kind) {
      case 'transactions':
        await this.#sendTransactions(item.transactions);
        break;
      case 'file':
        await this.#sendFile(item.file, signal);
        break;
      case 'unknown-database':
        this.#writer.dropDatabase(item.database);
        break;
      case 'caught-up':
        this.#writer.ready();
        this.#writer.heartbeat(this.#options.clock.wallMs());
        break;
    }
    await this.#flush();
  }

  /** To be called at the pace of heartbeats: writes one unless something was written since. */
  tick(): void {
    const isIdle = !this.#hasWritten && !this.#isWriting && !this.#isMidFrame;
    this.#hasWritten = false;
    if (!isIdle || this.#writer.length > 0) return;
    const { stream, clock } = this.#options;
    if (stream.destroyed || stream.writableEnded) return;
    this.#writer.heartbeat(clock.wallMs());
    stream.write(this.#writer.take());
  }

  /** Ends the stream, with an End frame where one can stand. */
  end(): void {
    const { stream } = this.#options;
    if (this.#isMidFrame || stream.writableEnded || stream.destroyed) {
      stream.destroy();
      return;
    }
    const writer = new FrameWriter();
    writer.end();
    stream.end(writer.take());
  }

  async #sendTransactions(transactions: readonly SentTransaction[]): Promise<void> {
    const byteCount = transactions.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#writer.reserve(Math.min(byteCount, BATCH_BYTES));
    for (const transaction of transactions) {
      if (this.#options.dialect === 'skein') await this.#sendTransaction(transaction);
      else await this.#sendLtx(transaction, [transaction.bytes]);
      if (this.#writer.length >= BATCH_BYTES) await this.#flush();
    }
  }

  async #sendTransaction({ database, epoch, bytes }: SentTransaction): Promise<void> {
    const writer = this.#writer;
    writer.transactionHead(database, epoch, bytes.length);
    this.#isMidFrame = true;
    await this.#pour(bytes, BATCH_BYTES, (piece) => writer.raw(piece));
    this.#isMidFrame = false;
  }

  async #sendFile(file: SentFile, signal: AbortSignal): Promise<void> {
    try {
      if (this.#options.dialect === 'litefs') await this.#sendLtx(file, piecesOf(file, 0, signal));
      else await this.#sendPieces(file, signal);
    } finally {
      file.release();
    }
  }

  async #sendPieces(file: SentFile, signal: AbortSignal): Promise<void> {
    const { resume } = this.#options;
    const writer = this.#writer;
    const offset = resume?.id === file.id ? resume.offset : 0;
    const { database, epoch, id, position } = file;
    writer.fileBegin({ database, epoch, id, offset, position });
    await this.#flush();
    for await (const bytes of piecesOf(file, offset, signal)) {
      for (let at = 0; at < bytes.length; at += FILE_PIECE_BYTES_MAX) {
        const piece = bytes.subarray(at, at + FILE_PIECE_BYTES_MAX);
        writer.filePieceHead(piece.length);
        await this.#flush(piece);
      }
    }
    writer.fileEnd();
  }

  /** As LiteFS sends an LTX file, whatever its size. */
  async #sendLtx(
    ltx: { readonly database: string; readonly minTxid: Txid },
    parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const writer = this.#writer;
    writer.ltx(ltx.database);
    this.#isMidFrame = true;
    for await (const bytes of parts) {
      await this.#pour(bytes, LITEFS_CHUNK_BYTES, (piece) => writer.chunk(piece));
    }
    writer.chunksEnd();
    this.#isMidFrame = false;
    // LiteFS sends no mark after a snapshot.
    if (ltx.minTxid !== 1n) writer.highWaterMark(ltx.database, NO_HIGH_WATER_MARK);
  }

  async #pour(
    bytes: Uint8Array,
    pieceBytes: number,
    write: (piece: Uint8Array) => void,
  ): Promise<void> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      write(bytes.subarray(at, at + pieceBytes));
      if (this.#writer.length >= BATCH_BYTES) await this.#flush();
    }
  }

  /** Writes what was encoded, and behind it bytes that are not worth copying. */
  async #flush(behind?: Uint8Array): Promise<void> {
    if (this.#writer.length === 0) return;
    const { stream } = this.#options;
    this.#hasWritten = true;
    this.#isWriting = true;
    try {
      await new Promise<void>((resolve, reject) => {
        if (stream.destroyed || stream.writableEnded) throw closed();
        this.#rejectWrite = reject;
        const written = (error?: Error | null): void => (error ? reject(closed(error)) : resolve());
        if (behind === undefined) {
          stream.write(this.#writer.take(), written);
          return;
        }
        stream.cork();
        stream.write(this.#writer.take());
        stream.write(behind, written);
        stream.uncork();
      });
    } finally {
      this.#rejectWrite = undefined;
      this.#isWriting = false;
    }
  }
}

/** The bytes of a file; stops to wait for more when the signal comes. */
async function* piecesOf(
  file: SentFile,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = file.read(offset)[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await untilAborted(iterator.next(), signal);
    if (done === true) return;
    yield value;
  }
}

function closed(cause?: Error): ReplicationError {
  const message = 'Cannot send to the replica: the connection is closed';
  return new ReplicationError('PEER_UNREACHABLE', message, { cause });
}
