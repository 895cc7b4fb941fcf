// Takes what a primary sends and hands it to the sink, in order, with as few syncs as possible.
//
// Two halves: take() is called with every piece that comes and never waits; run() hands on what is
// there and waits for the sink. Whatever either throws ends the stream.

import { formatHex64 } from '@skein/bytes';

import { ReplicationError } from '../../errors.ts';
import type { LogSink, ReceivedFile, ReceivedTransaction } from '../../ports.ts';
import { malformed } from '../../wire/fields.ts';
import type { FileHead, ServerFrame } from '../../wire/frames.ts';
import { type Dialect, ServerDecoder } from '../../wire/server-decoder.ts';
import { Inbox, type InboxItem } from './inbox.ts';
import { LitefsLtx } from './litefs-ltx.ts';
import { checkLtxLength, maxTxidOf } from './ltx-fields.ts';

export interface ReceiverEvents {
  /** A transaction has arrived whole, and is not durable yet. */
  onReceived(transaction: ReceivedTransaction): void;
  onDurable(transactions: readonly ReceivedTransaction[]): void;
  onFile(database: string): void;
  /** All that the primary had when it began is durable here. */
  onReady(): void;
  /** What the primary had sent until then, by its clock, is durable here. */
  onHeartbeat(wallMs: number): void;
  /** The database did not take a transaction: it does not fit where that is. */
  onMisfit(database: string): void;
  /** The primary does not know this database. */
  onUnknownDatabase(database: string): void;
}

export interface ReceiverOptions {
  readonly dialect: Dialect;
  /** The primary's term of leadership: it has committed nothing in a later one. */
  readonly epoch: number;
  readonly sink: LogSink;
  readonly events: ReceiverEvents;
  /** Part of the name of a file that LiteFS sends without one. */
  readonly fileTag: bigint;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #decoder: ServerDecoder;
  readonly #inbox = new Inbox();
  #ltx: LitefsLtx | undefined;
  #isLtxFile = false;
  #fileCount = 0;
  #file: { readonly database: string; readonly target: ReceivedFile } | undefined;
  #isReady = false;
  #isEnded = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#decoder = new ServerDecoder(options.dialect);
  }

  /** Whether nothing more should be read for now. */
  get isFull(): boolean {
    return this.#inbox.isFull;
  }

  /**
   * Whether the primary is a LiteFS that is in the middle of a file, or has not sent all yet: it
   * verifies files and makes snapshots then, and sends no heartbeats.
   */
  get isBusyLitefs(): boolean {
    return this.#options.dialect === 'litefs' && (!this.#isReady || this.#decoder.isInLtx);
  }

  /** Whether the primary has said that it ends the stream. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Takes what came. Throws ReplicationError. */
  take(bytes: Uint8Array): void {
    for (const frame of this.#decoder.push(bytes)) this.#takeFrame(frame);
  }

  /** To be called when the stream has ended: throws if that was inside of a frame. */
  finish(): void {
    this.#decoder.finish();
  }

  /** Nothing more will be taken: run() ends when it has handed on what has come. */
  end(): void {
    this.#inbox.add({ kind: 'end' });
  }

  /**
   * Hands on until end(). Rejects when the sink refuses, and when the signal comes, which does not
   * wait for what has come. `drained` is called after each step.
   */
  async run(signal: AbortSignal, drained: () => void): Promise<void> {
    try {
      for (;;) {
        const item = await this.#inbox.next(signal);
        if (item.kind === 'end') return;
        await this.#hand(item);
        drained();
      }
    } finally {
      this.#file?.target.interrupt();
    }
  }

  #takeFrame(frame: ServerFrame): void {
    const { events, epoch } = this.#options;
    switch (frame.kind) {
      case 'transaction':
        this.#checkEpoch(frame.transaction.epoch);
        // It is taken on the word of this primary, in whosever term it was committed.
        return this.#addTransaction({ ...frame.transaction, epoch });
      case 'file-begin':
        return this.#beginFile(frame.head);
      case 'file-bytes':
      case 'file-end':
        return this.#inbox.add(frame);
      case 'ltx-begin':
        this.#ltx = new LitefsLtx(frame.database);
        this.#isLtxFile = false;
        return;
      case 'ltx-bytes':
        this.#ltx!.push(frame.bytes);
        return this.#passLtx(epoch);
      case 'ltx-end':
        return this.#endLtx(epoch);
      case 'ready':
        this.#isReady = true;
        return this.#inbox.add(frame);
      case 'heartbeat':
        return this.#inbox.add(frame);
      case 'drop-database':
        return events.onUnknownDatabase(frame.database);
      case 'end':
      case 'handoff':
        // What LiteFS hands over is a session of Consul, which no leaser here can take.
        this.#isEnded = true;
        return;
      case 'high-water-mark':
    }
  }

  #addTransaction(transaction: ReceivedTransaction): void {
    checkLtxLength(transaction.bytes);
    this.#inbox.addTransaction(transaction);
    this.#options.events.onReceived(transaction);
  }

  #beginFile({ database, epoch, id, offset }: FileHead): void {
    this.#checkEpoch(epoch);
    const { epoch: own } = this.#options;
    this.#inbox.add({ kind: 'file-begin', database, epoch: own, id, offset });
  }

  #checkEpoch(epoch: number): void {
    if (epoch > this.#options.epoch) throw malformed('a transaction of a later epoch');
  }

  /** Passes on what there is of a large file of LiteFS. */
  #passLtx(epoch: number): void {
    const ltx = this.#ltx!;
    if (!ltx.isFile) return;
    if (!this.#isLtxFile) {
      this.#isLtxFile = true;
      this.#fileCount += 1;
      const id = `litefs-${formatHex64(this.#options.fileTag)}-${this.#fileCount}`;
      this.#inbox.add({ kind: 'file-begin', database: ltx.database, epoch, id, offset: 0 });
    }
    const bytes = ltx.take();
    if (bytes.length > 0) this.#inbox.add({ kind: 'file-bytes', bytes });
  }

  #endLtx(epoch: number): void {
    const ltx = this.#ltx!;
    ltx.finish();
    this.#ltx = undefined;
    if (this.#isLtxFile) this.#inbox.add({ kind: 'file-end' });
    else this.#addTransaction({ database: ltx.database, epoch, bytes: ltx.take() });
  }

  async #hand(item: Exclude<InboxItem, { readonly kind: 'end' }>): Promise<void> {
    const { sink, events } = this.#options;
    switch (item.kind) {
      case 'transactions':
        return this.#receive(item.transactions);
      case 'file-begin': {
        const target = await sink.receiveFile(item.database, item.epoch, item.id);
        this.#file = { database: item.database, target };
        if (target.offset === item.offset) return;
        const reason = `it comes from byte ${item.offset}, ${target.offset} are there`;
        const message = `Cannot go on with a file: ${reason}`;
        throw new ReplicationError('STREAM_MALFORMED', message);
      }
      case 'file-bytes':
        return this.#file!.target.write(item.bytes);
      case 'file-end': {
        const { database, target } = this.#file!;
        // From here on the sink decides what becomes of it.
        this.#file = undefined;
        await this.#telling(() => database, target.finish());
        return events.onFile(database);
      }
      case 'ready':
        return events.onReady();
      case 'heartbeat':
        return events.onHeartbeat(item.wallMs);
    }
  }
  async #receive(transactions: readonly ReceivedTransaction[]): Promise<void> {
    const { sink, events } = this.#options;
    const findRefused = (): string | undefined => {
      const positions = sink.positions();
      const isMissing = ({ database, bytes }: ReceivedTransaction): boolean =>
        maxTxidOf(bytes) > (positions.get(database)?.txid ?? 0n);
      return transactions.find(isMissing)?.database;
    };
    await this.#telling(findRefused, sink.receive(transactions));
    events.onDurable(transactions);
  }

  /** Says which database it was that did not take what came. */
  async #telling(find: () => string | undefined, taking: Promise<void>): Promise<void> {
    try {
      await taking;
    } catch (error) {
      const isMisfit = error instanceof ReplicationError && error.code === 'POSITION_MISMATCH';
      const database = isMisfit ? find() : undefined;
      if (database !== undefined) this.#options.events.onMisfit(database);
      throw error;
    }
  }
}
