// The log of a node in memory: both ports of replication, with LiteFS's rules for what a replica
// needs. Verifies what it receives as a real one does, except for the pages.

import {
  bytesSource,
  compact,
  inspectLtx,
  LtxReader,
  type Position,
  POSITION_ZERO,
} from '@skein/ltx';

import { ReplicationError } from '../src/errors.ts';
import type {
  FollowOptions,
  LogCursor,
  LogItem,
  LogSink,
  LogSource,
  PositionMap,
  ReceivedFile,
  ReceivedTransaction,
  SentFile,
  SentTransaction,
} from '../src/ports.ts';
import { untilAborted } from '../src/stream/until-aborted.ts';

interface Entry extends SentTransaction {
  readonly before: Position;
  readonly after: Position;
}

export interface MemoryLogOptions {
  /** Snapshots come in pieces of this size. */
  readonly pieceBytes?: number;
  /** What each sync waits for. */
  readonly sync?: () => Promise<void>;
  /** What stands between two pieces of a file that is sent. */
  readonly betweenPieces?: () => Promise<void>;
}

export class MemoryLog implements LogSource, LogSink {
  readonly #options: MemoryLogOptions;
  readonly #entries: Entry[] = [];
  readonly #positions = new Map<string, Position>();
  readonly #listeners = new Set<() => void>();
  readonly #waiters = new Set<() => void>();
  #partial: { readonly id: string; bytes: Buffer } | undefined;
  /** Where each receive() ended, in transactions: how well they were batched. */
  readonly batches: number[] = [];
  /** What the primary was told to be durable at replicas. */
  readonly acknowledged = new Map<string, Position>();
  /** Transactions before this one, of any database, are not there any more. */
  trimmedTo = 0n;
  /** How often a file was received from how far. */
  readonly fileOffsets: number[] = [];
  openCursors = 0;

  constructor(options: MemoryLogOptions = {}) {
    this.#options = options;
  }

  get entries(): readonly SentTransaction[] {
    return this.#entries;
  }

  positions(): PositionMap {
    return this.#positions;
  }

  appliedPositions(): PositionMap {
    return this.#positions;
  }

  onApplied(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Appends an LTX file as a commit does. */
  append(database: string, bytes: Uint8Array, epoch = 1): void {
    const { header, trailer } = inspectLtx(bytesSource(bytes), { version: 1 });
    const { minTxid, maxTxid, timestampMs } = header;
    const own = this.#positions.get(database) ?? POSITION_ZERO;
    const follows = minTxid === own.txid + 1n && header.preApplyChecksum === own.checksum;
    if (minTxid !== 1n && !follows) {
      const message = `Cannot take transaction ${minTxid} of ${database} at ${own.txid}`;
      throw new ReplicationError('POSITION_MISMATCH', message);
    }
    const before = { txid: (minTxid - 1n) as Position['txid'], checksum: header.preApplyChecksum };
    const after = { txid: maxTxid, checksum: trailer.postApplyChecksum };
    this.#entries.push({ database, minTxid, maxTxid, epoch, timestampMs, bytes, before, after });
    this.#positions.set(database, after);
    for (const wake of this.#waiters) wake();
  }

  async receive(transactions: readonly ReceivedTransaction[]): Promise<void> {
    await this.#options.sync?.();
    this.batches.push(transactions.length);
    for (const { database, bytes, epoch } of transactions)
      this.append(database, bytes.slice(), epoch);
    for (const listener of this.#listeners) listener();
  }

  receiveFile(database: string, epoch: number, id: string): Promise<ReceivedFile> {
    const partial = this.#partial?.id === id ? this.#partial : { id, bytes: Buffer.alloc(0) };
    this.#partial = partial;
    this.fileOffsets.push(partial.bytes.length);
    return Promise.resolve({
      offset: partial.bytes.length,
      write: (bytes) => {
        partial.bytes = Buffer.concat([partial.bytes, bytes]);
        return Promise.resolve();
      },
      finish: async () => {
        this.#partial = undefined;
        await this.receive([{ database, epoch, bytes: new Uint8Array(partial.bytes) }]);
      },
      interrupt: () => undefined,
    });
  }

  resumable(): { readonly id: string; readonly offset: number } | undefined {
    return this.#partial && { id: this.#partial.id, offset: this.#partial.bytes.length };
  }

  follow(from: PositionMap, options: FollowOptions = {}): LogCursor {
    const wanted = (name: string): boolean => options.databases?.has(name) ?? true;
    const unknown = [...from.keys()].filter((name) => !this.#positions.has(name));
    const at = new Map(from);
    let isCaughtUp = false;
    let isClosed = false;
    this.openCursors += 1;
    return {
      next: async (signal) => {
        for (;;) {
          signal.throwIfAborted();
          const name = unknown.shift();
          if (name !== undefined) return { kind: 'unknown-database', database: name };
          const item = this.#step(at, wanted);
          if (item !== undefined) return item;
          if (!isCaughtUp) {
            isCaughtUp = true;
            return { kind: 'caught-up' };
          }
          await this.#change(signal);
        }
      },
      acknowledged: (database, position) => this.acknowledged.set(database, position),
      close: () => {
        if (!isClosed) this.openCursors -= 1;
        isClosed = true;
      },
    };
  }

  #step(at: Map<string, Position>, wanted: (name: string) => boolean): LogItem | undefined {
    const transactions: SentTransaction[] = [];
    for (const [database, own] of this.#positions) {
      if (!wanted(database)) continue;
      let position = at.get(database) ?? POSITION_ZERO;
      const isThere = position.txid === own.txid && position.checksum === own.checksum;
      if (isThere) continue;
      if (position.txid >= own.txid) position = POSITION_ZERO;
      const { txid, checksum } = position;
      const rest = this.#entries.filter(
        (entry) => entry.database === database && entry.before.txid >= txid,
      );
      const canFollow =
        txid >= this.trimmedTo && txid > 0n && rest[0]?.before.checksum === checksum;
      at.set(database, own);
      if (!canFollow) return { kind: 'file', file: this.#snapshot(database) };
      transactions.push(...rest);
    }
    return transactions.length === 0 ? undefined : { kind: 'transactions', transactions };
  }

  #snapshot(database: string): SentFile {
    const position = this.#positions.get(database)!;
    const files = this.#entries.filter((entry) => entry.database === database);
    const parts: Uint8Array[] = [];
    compact(
      files.map(({ bytes }) => new LtxReader(bytesSource(bytes))),
      (bytes, start, end) => parts.push(bytes.slice(start, end)),
      { version: 1 },
    );
    const bytes = Buffer.concat(parts);
    const { pieceBytes = 32_768, betweenPieces } = this.#options;
    return {
      database,
      minTxid: 1n as Position['txid'],
      maxTxid: position.txid,
      epoch: files.at(-1)!.epoch,
      timestampMs: files.at(-1)!.timestampMs,
      position,
      id: `${encodeURIComponent(database)}-${position.txid}`,
      async *read(offset) {
        for (let start = offset; start < bytes.length; start += pieceBytes) {
          yield bytes.subarray(start, start + pieceBytes);
          await betweenPieces?.();
        }
      },
      release: () => undefined,
    };
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    try {
      await untilAborted(promise, signal);
    } finally {
      this.#waiters.delete(resolve);
    }
  }
}
