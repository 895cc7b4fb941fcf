// What comes over a stream on its way into the engine of a replica, and how far the databases have
// come on its way back. Moves are told together, once between two requests: a replica that catches
// up moves thousands of times a second.

import type { Engine, Job, Reception, Replica } from '@skein/engine';
import type { Position } from '@skein/ltx';

import { type ReceivedBatch, unpackBatch } from '../replication/received-batch.ts';
import type { FileToReceive, NamedPosition } from '../replication/replica-thread.ts';
import { type FromMountThread, toErrorData } from './thread-messages.ts';

export interface ReplicaFeedOptions {
  readonly engine: Engine;
  readonly replica: Replica;
  readonly send: (message: FromMountThread) => void;
}

export class ReplicaFeed {
  readonly #options: ReplicaFeedOptions;
  readonly #durable = new Set<string>();
  readonly #applied = new Set<string>();

  constructor(options: ReplicaFeedOptions) {
    this.#options = options;
    const { replica } = options;
    replica.onApplied((name) => this.#applied.add(name));
    for (const name of replica.databases.keys()) {
      this.#durable.add(name);
      this.#applied.add(name);
    }
  }

  receive(id: number, batch: ReceivedBatch): void {
    const received = unpackBatch(batch);
    this.#run(id, this.#take(received));
  }

  receiveFile(id: number, file: FileToReceive): void {
    this.#run(id, this.#takeFile(file));
  }

  /** Tells what has moved since it was last called. */
  tellMoves(): void {
    if (this.#durable.size === 0 && this.#applied.size === 0) return;
    const { replica, send } = this.#options;
    const durable = this.#drain(this.#durable, (name) => replica.databases.get(name)?.durableState);
    const applied = this.#drain(this.#applied, (name) => replica.databases.get(name)?.visibleState);
    send({ kind: 'moved', moved: { durable, applied } });
  }

  *#take(received: ReturnType<typeof unpackBatch>): Job<void> {
    const reception: Reception = yield* this.#options.replica.receive(received);
    for (const { database } of received.slice(0, reception.takenCount)) this.#durable.add(database);
    if (reception.refusal !== undefined) throw reception.refusal;
  }

  *#takeFile(file: FileToReceive): Job<void> {
    yield* this.#options.replica.receiveFile(file);
    this.#durable.add(file.database);
  }

  #run(id: number, job: Job<void>): void {
    const { engine, send } = this.#options;
    const answer = (error?: unknown): void => {
      // Whoever waits for this finds the positions moved.
      this.tellMoves();
      if (error === undefined) send({ kind: 'answer', id, result: undefined });
      else send({ kind: 'refusal', id, error: toErrorData(error) });
    };
    try {
      const pending = engine.run(job);
      if (pending === undefined) answer();
      else pending.onSettled(answer);
    } catch (error) {
      answer(error);
    }
  }

  #drain(names: Set<string>, stateOf: (name: string) => Position | undefined): NamedPosition[] {
    const moved: NamedPosition[] = [];
    for (const database of names) {
      const state = stateOf(database);
      // A database that was made for a transaction which was refused has none.
      if (state === undefined || state.txid === 0n) continue;
      moved.push({ database, txid: state.txid, checksum: state.checksum });
    }
    names.clear();
    return moved;
  }
}
