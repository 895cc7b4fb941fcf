// The engine of a primary without a mount, in this thread, for tests of what reads its log: a
// transaction is a file that is imported.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import {
  DEFAULT_ENGINE_OPTIONS,
  Engine,
  type EngineOptions,
  type Job,
  type Pending,
} from '@skein/engine';
import { NodeBackgroundIo, nodeDisk, nodeFileLocks, systemClock, systemRandom } from '@skein/host';
import { nullMetrics, onTestEnd, RecordingLog, tempDir, type TestScope } from '@skein/testkit';

import { EngineLogSource, type LogSourceCalls } from '../src/replication/log-source.ts';

const NOBODY = (): never => {
  throw new Error('There are no clients');
};

export class PrimaryEngine {
  readonly engine: Engine;
  readonly log: RecordingLog = new RecordingLog();
  readonly #background = new NodeBackgroundIo();
  readonly #folder: string;
  readonly #databases = new Map<string, DatabaseSync>();
  #isClosed = false;
  #calls = 0;

  constructor(t: TestScope, options: Partial<EngineOptions> = {}) {
    this.#folder = tempDir(t);
    this.engine = Engine.open(
      {
        disk: nodeDisk,
        fileLocks: nodeFileLocks,
        background: this.#background,
        clock: systemClock,
        random: systemRandom,
        log: this.log,
        metrics: nullMetrics,
        kernel: {
          forgetContent: (_name, done) => done?.(),
          forgetRanges: (_name, _ranges, done) => done(),
          store: (_name, _pieces, done) => done?.(),
          forgetName: () => {},
          removed: () => {},
        },
        locks: {
          holdsExclusively: () => false,
          exclude: (_name, done) => done({ end: () => {} }),
        },
        memory: { map: NOBODY },
        replicaLocks: { hasEnded: false, join: NOBODY },
      },
      {
        ...DEFAULT_ENGINE_OPTIONS,
        dataFolder: join(this.#folder, 'data'),
        canPassThrough: false,
        segmentBytes: 1024 * 1024,
        ...options,
      },
    );
    onTestEnd(t, () => this.close());
  }

  /** How many calls there were of those that go to the thread of the engine. */
  get callCount(): number {
    return this.#calls;
  }

  get calls(): LogSourceCalls {
    const { engine } = this;
    return {
      followedStates: () => this.#call(() => engine.followedStates()),
      beginSnapshot: (name, txid) => this.#run(engine.snapshots.begin(name, txid)),
      releaseSnapshot: (id) => engine.snapshots.release(id),
    };
  }

  openSource(): Promise<EngineLogSource> {
    const { log, folder } = this.engine;
    return EngineLogSource.open({
      log: { disk: nodeDisk, folder: folder.log, published: log.published },
      clock: systemClock,
      messages: this.log,
      calls: this.calls,
    });
  }

  /** A transaction: what the statements make of the database is imported. */
  commit(name: string, sql: string): void {
    const path = join(this.#folder, name);
    const database = this.#databases.get(name) ?? new DatabaseSync(path);
    this.#databases.set(name, database);
    database.exec(sql);
    const owner = { uid: 0, gid: 0, mode: 0o644 };
    const { pending } = this.#begin(this.engine.importFile({ name, path, owner }));
    while (isWaiting(pending)) this.#turn();
    if (pending?.error !== undefined) throw pending.error;
    this.engine.log.sync();
  }

  /** What the engine's thread does between requests, until there is nothing left. */
  async rest(): Promise<void> {
    while (this.#turn()) await new Promise(setImmediate);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#background.settle();
    this.engine.close();
    this.#background.close();
    for (const database of this.#databases.values()) database.close();
  }

  #turn(): boolean {
    this.engine.served();
    this.engine.idle();
    this.#background.drain();
    return this.engine.hasWork;
  }

  async #call<T>(act: () => T): Promise<T> {
    this.#calls++;
    await new Promise(setImmediate);
    return act();
  }

  async #run<T>(job: Job<T>): Promise<T> {
    const { pending, result } = await this.#call(() => this.#begin(job));
    while (isWaiting(pending)) {
      this.#turn();
      await new Promise(setImmediate);
    }
    if (pending?.error !== undefined) throw pending.error;
    return result.value!;
  }

  #begin<T>(job: Job<T>): {
    readonly pending: Pending | undefined;
    readonly result: { value?: T };
  } {
    const result: { value?: T } = {};
    const pending = this.engine.run(
      (function* () {
        result.value = yield* job;
      })(),
    );
    return { pending, result };
  }
}

function isWaiting(pending: Pending | undefined): boolean {
  return pending !== undefined && !pending.isSettled;
}
