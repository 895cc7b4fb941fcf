// The replica's side of replication (LogSink of @skein/cluster) on the engine of this node: what
// comes over a stream goes to the thread of the engine, and where the databases stand comes back.
//
// Invariant: positions() never says more than what is durable, and says it by the time that the
// call which brought it resolves.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import {
  type LogSink,
  type PositionMap,
  type ReceivedFile,
  type ReceivedTransaction,
  ReplicationError,
  type ReplicationErrorCode,
} from '@skein/cluster';
import type { Position } from '@skein/ltx';

import { ByteBudget } from './byte-budget.ts';
import { PartialFile } from './partial-file.ts';
import { packBatch } from './received-batch.ts';
import type { MovedPositions, NamedPosition, ReplicaThread } from './replica-thread.ts';

/** Enough that the engine never waits for the stream, and no more than a few large transactions. */
const UNDER_WAY_BYTES_MAX = 32 * 1024 * 1024;

export interface EngineLogSinkOptions {
  readonly thread: ReplicaThread;
  /** The scratch folder of the data folder: emptied at each start. */
  readonly scratchFolder: string;
}

export class EngineLogSink implements LogSink {
  readonly #thread: ReplicaThread;
  readonly #scratchFolder: string;
  readonly #durable = new Map<string, Position>();
  readonly #applied = new Map<string, Position>();
  readonly #listeners = new Set<() => void>();
  readonly #budget = new ByteBudget(UNDER_WAY_BYTES_MAX);
  #partial: PartialFile | undefined;
  #fileCount = 0;

  constructor({ thread, scratchFolder }: EngineLogSinkOptions) {
    this.#thread = thread;
    this.#scratchFolder = scratchFolder;
    thread.onMoved((moved) => this.#move(moved));
  }

  positions(): PositionMap {
    return this.#durable;
  }

  appliedPositions(): PositionMap {
    return this.#applied;
  }

  async receive(transactions: readonly ReceivedTransaction[]): Promise<void> {
    const bytes = transactions.reduce((sum, transaction) => sum + transaction.bytes.length, 0);
    const batch = packBatch(transactions);
    await this.#budget.take(bytes);
    try {
      await this.#thread.receive(batch);
    } catch (error) {
      rethrow(error);
    } finally {
      this.#budget.give(bytes);
    }
  }

  async receiveFile(database: string, epoch: number, id: string): Promise<ReceivedFile> {
    const file = await this.#partialOf(database, id);
    return {
      offset: file.sizeBytes,
      write: (bytes) => file.append(bytes).catch(rethrow),
      finish: () => this.#finish(file, epoch),
      interrupt: () => {
        this.#partial = file;
      },
    };
  }

  resumable(): { readonly id: string; readonly offset: number } | undefined {
    const partial = this.#partial;
    return partial && { id: partial.id, offset: partial.sizeBytes };
  }

  /** Nothing more will come. */
  async close(): Promise<void> {
    await this.#partial?.discard();
    this.#partial = undefined;
  }

  onApplied(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What came of this file before, or a new one. What came of another is of no use any more. */
  async #partialOf(database: string, id: string): Promise<PartialFile> {
    const partial = this.#partial;
    this.#partial = undefined;
    if (partial?.id === id && partial.database === database) return partial;
    await partial?.discard();
    await mkdir(this.#scratchFolder, { recursive: true });
    // The engine numbers its own scratch files without a prefix.
    const path = join(this.#scratchFolder, `received-${++this.#fileCount}.ltx`);
    return PartialFile.create({ id, database, path });
  }

  async #finish(file: PartialFile, epoch: number): Promise<void> {
    const { database, path } = file;
    try {
      await file.complete();
      await this.#thread.receiveFile({ database, epoch, path });
    } catch (error) {
      await file.discard();
      rethrow(error);
    }
  }

  #move({ durable, applied }: MovedPositions): void {
    enter(this.#durable, durable);
    enter(this.#applied, applied);
    if (applied.length > 0) for (const listener of this.#listeners) listener();
  }
}

function enter(map: Map<string, Position>, moved: readonly NamedPosition[]): void {
  for (const { database, txid, checksum } of moved) map.set(database, { txid, checksum });
}

/** The engine's words for what a stream has to deal with. */
const CODES: Readonly<Record<string, ReplicationErrorCode>> = {
  EPOCH_TOO_LOW: 'STALE_EPOCH',
  POSITION_MISMATCH: 'POSITION_MISMATCH',
  RECEIVED_CORRUPT: 'STREAM_MALFORMED',
};

function rethrow(error: unknown): never {
  const { message, code, hint } = error as Error & { code?: string; hint?: string };
  throw new ReplicationError(CODES[code ?? ''] ?? 'RECEIVE_FAILED', message, {
    cause: error,
    hint,
  });
}
