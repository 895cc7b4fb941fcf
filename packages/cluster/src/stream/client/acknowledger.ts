// Tells the primary how far this replica is: what has arrived, what is durable, what is applied.
//
// One message for each database that has moved, at most once in a turn of the event loop, and none
// while the last is not written: a primary that does not read costs nothing but its own knowledge.

import { type Position, POSITION_ZERO, type Txid } from '@skein/ltx';

import type { LogSink, ReceivedTransaction } from '../../ports.ts';
import { FrameWriter } from '../../wire/frame-writer.ts';
import { maxTxidOf, positionAfter } from './ltx-fields.ts';

interface Progress {
  received: Txid;
  durable: Position;
  applied: Position;
}

export interface AcknowledgerOptions {
  readonly sink: LogSink;
  /** False: not now; write() is called again after resume(). */
  readonly write: (bytes: Uint8Array) => boolean;
}

export class Acknowledger {
  readonly #sink: LogSink;
  readonly #write: (bytes: Uint8Array) => boolean;
  readonly #writer = new FrameWriter();
  readonly #progress = new Map<string, Progress>();
  /** Whose progress the primary does not know yet. */
  readonly #news = new Set<string>();
  /** What is durable and not applied yet. */
  readonly #unapplied = new Set<string>();
  readonly #stop: () => void;
  #turn: NodeJS.Immediate | undefined;
  #isHeld = false;

  constructor({ sink, write }: AcknowledgerOptions) {
    this.#sink = sink;
    this.#write = write;
    for (const [database, position] of sink.positions()) this.#start(database, position);
    this.#noteApplied();
    this.#stop = sink.onApplied(() => this.#noteApplied());
  }

  received({ database, bytes }: ReceivedTransaction): void {
    this.#of(database).received = maxTxidOf(bytes);
    this.#tell(database);
  }

  /** These transactions are durable here. */
  durable(transactions: readonly ReceivedTransaction[]): void {
    for (const { database, bytes } of transactions) {
      this.#setDurable(database, positionAfter(bytes));
    }
    this.#noteApplied();
  }

  /** A file of this database is. */
  durableFile(database: string): void {
    const position = this.#sink.positions().get(database) ?? POSITION_ZERO;
    this.#of(database).received = position.txid;
    this.#setDurable(database, position);
    this.#noteApplied();
  }

  /** What was written has gone out. */
  resume(): void {
    this.#isHeld = false;
    if (this.#news.size > 0) this.#schedule();
  }

  stop(): void {
    this.#stop();
    clearImmediate(this.#turn);
  }

  #start(database: string, position: Position): Progress {
    const progress = { received: position.txid, durable: position, applied: position };
    this.#progress.set(database, progress);
    this.#unapplied.add(database);
    return progress;
  }

  #of(database: string): Progress {
    return this.#progress.get(database) ?? this.#start(database, POSITION_ZERO);
  }

  #setDurable(database: string, position: Position): void {
    this.#of(database).durable = position;
    this.#unapplied.add(database);
    this.#tell(database);
  }

  #noteApplied(): void {
    if (this.#unapplied.size === 0) return;
    const positions = this.#sink.appliedPositions();
    for (const database of this.#unapplied) {
      const progress = this.#progress.get(database)!;
      const applied = positions.get(database) ?? POSITION_ZERO;
      const isNews =
        applied.txid !== progress.applied.txid || applied.checksum !== progress.applied.checksum;
      progress.applied = applied;
      if (applied.txid >= progress.durable.txid) this.#unapplied.delete(database);
      if (isNews) this.#tell(database);
    }
  }

  #tell(database: string): void {
    this.#news.add(database);
    if (!this.#isHeld) this.#schedule();
  }

  #schedule(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#send();
    });
  }

  #send(): void {
    for (const database of this.#news) {
      this.#writer.acknowledgement({ database, ...this.#progress.get(database)! });
    }
    this.#news.clear();
    this.#isHeld = !this.#write(this.#writer.take());
  }
}
