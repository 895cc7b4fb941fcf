// An engine in a simulated world: disk, background work, clock, and a kernel that forgets what it
// is told to forget a little later. All of it is deterministic; chance comes from one seed.

import assert from 'node:assert/strict';

import type { DiskFile } from '@skein/host';
import {
  nullFileLocks,
  nullMetrics,
  RecordingLog,
  SeededRandom,
  SimBackgroundIo,
  SimClock,
  SimDisk,
} from '@skein/testkit';

import { DEFAULT_ENGINE_OPTIONS, Engine, type EngineOptions } from '../src/engine.ts';
import type { Pending } from '../src/jobs/pending.ts';
import type { ClientLocks, ClientMapping, ClientMemory, KernelCache } from '../src/ports.ts';
import { SimLocks } from './sim-locks.ts';
import { SimPageCache } from './sim-page-cache.ts';

export const DATA_FOLDER = '/data';

export interface SimNodeOptions extends Partial<EngineOptions> {
  readonly seed?: number;
  readonly disk?: SimDisk;
  readonly clock?: SimClock;
}

/** Small, so that short runs fill segments and overlays. */
const SMALL: Partial<EngineOptions> = {
  segmentBytes: 32 * 1024,
  overlayBytes: 64 * 1024,
  checkpointBytes: 24 * 1024,
};

/** A round of work that ends nothing is a hang. */
const ROUNDS_MAX = 10_000;

export class SimNode {
  readonly disk: SimDisk;
  readonly clock: SimClock;
  readonly background: SimBackgroundIo = new SimBackgroundIo();
  readonly log: RecordingLog = new RecordingLog();
  readonly engine: Engine;
  /** What clients hold of SQLite's locks on wal-indexes, on a replica. */
  readonly shmLocks: SimLocks = new SimLocks();
  /** What the kernel has of files, for clients that read through it. */
  readonly pageCache: SimPageCache = new SimPageCache();
  /** Names that the engine took away by itself, in order. */
  readonly removed: string[] = [];
  /** Names whose content the kernel was told to forget, in order. */
  readonly forgotten: string[] = [];
  /** The process that holds a lock exclusively, by `<file>:<byte>`. */
  readonly lockHolders: Map<string, number> = new Map();
  /** What exclude() ends with; undefined: at once, with success. */
  exclusionFailure: Error | undefined;
  readonly #kernelQueue: (() => void)[] = [];
  readonly #seed: number;
  #requestsToLive = Infinity;
  #nonce = 0;

  /** What a client puts into the header of a journal, other than any before. */
  newNonce(): number {
    return ++this.#nonce;
  }

  constructor(options: SimNodeOptions = {}) {
    const { seed = 1, disk, clock, ...engineOptions } = options;
    this.#seed = seed;
    this.clock = clock ?? new SimClock();
    this.disk = disk ?? new SimDisk({ seed, clock: this.clock });
    this.engine = Engine.open(
      {
        disk: this.disk,
        background: this.background,
        clock: this.clock,
        random: new SeededRandom(seed),
        log: this.log,
        metrics: nullMetrics,
        kernel: this.#kernelCache(),
        locks: this.#clientLocks(),
        memory: clientMemory,
        replicaLocks: this.shmLocks.replicaLocks(this),
        fileLocks: nullFileLocks,
      },
      {
        ...DEFAULT_ENGINE_OPTIONS,
        ...SMALL,
        dataFolder: DATA_FOLDER,
        canPassThrough: false,
        ...engineOptions,
      },
    );
  }

  /** Another engine on a disk that this one, or a power cut, has left behind. */
  reopen(disk: SimDisk, options: SimNodeOptions = {}): SimNode {
    return new SimNode({ seed: this.#seed + 1, clock: this.clock, ...options, disk });
  }

  /** What a request answers: does it, and what the engine has to do before the reply. */
  request<T>(act: () => T): T {
    if (this.#requestsToLive === 0) throw new ClientDied();
    this.#requestsToLive--;
    const result = act();
    this.engine.served();
    return result;
  }

  /** A request whose answer may come later: works until it is there, and throws its error. */
  answer(act: () => Pending | undefined): void {
    const pending = this.request(act);
    if (pending !== undefined) this.settle(pending);
    this.#turn();
  }

  /** Runs a client that gets an answer to this many requests, and is killed before the next one. */
  killAfter(requestCount: number, client: () => void): 'killed' | 'done' {
    this.#requestsToLive = requestCount;
    try {
      client();
      return 'done';
    } catch (error) {
      if (error instanceof ClientDied) return 'killed';
      throw error;
    } finally {
      this.#requestsToLive = Infinity;
    }
  }

  /** Works until `pending` is settled; throws its error. */
  settle(pending: Pending): void {
    for (let round = 0; !pending.isSettled; round++) {
      assert(round < ROUNDS_MAX, 'The answer never comes');
      this.#turn();
    }
    if (pending.error !== undefined) throw pending.error;
  }

  /** Works until there is nothing left to do. */
  rest(): void {
    for (let round = 0; ; round++) {
      assert(round < ROUNDS_MAX, 'The work never ends');
      this.#turn();
      const { hasWork } = this.engine;
      const isWaiting = this.background.waitingCount > 0 || this.#kernelQueue.length > 0;
      if (!hasWork && !isWaiting) return;
    }
  }

  /** Lets time pass, and does what is due then. */
  pass(ms: number): void {
    this.clock.advance(ms);
    this.engine.tick();
    this.rest();
  }

  close(): void {
    this.engine.close();
    this.background.runBackground();
  }

  /** As what another thread does: in the next round. */
  later(act: () => void): void {
    this.#kernelQueue.push(act);
  }

  #turn(): void {
    this.engine.idle();
    this.background.runBackground();
    for (const forget of this.#kernelQueue.splice(0)) forget();
  }

  #kernelCache(): KernelCache {
    return {
      forgetContent: (name, done) => {
        this.forgotten.push(name);
        this.later(() => {
          this.pageCache.forget(name);
          done?.();
        });
      },
      forgetRanges: (name, ranges, done) => {
        this.later(() => {
          this.pageCache.forgetRanges(name, ranges);
          done();
        });
      },
      store: (name, pieces, done) => {
        for (const piece of pieces) this.pageCache.store(name, piece);
        if (done !== undefined) this.later(done);
      },
      forgetName: () => {},
      removed: (name) => {
        this.removed.push(name);
        this.pageCache.detach(name);
      },
    };
  }

  #clientLocks(): ClientLocks {
    return {
      holdsExclusively: (name, byte, pid) => this.lockHolders.get(`${name}:${byte}`) === pid,
      exclude: (_database, done) => {
        this.#kernelQueue.push(() => done(this.exclusionFailure ?? { end: () => {} }));
      },
    };
  }
}

class ClientDied extends Error {
  override readonly name = 'ClientDied';
}

/** Shared memory is what is in the file: clients of a test write it there at once. */
const clientMemory: ClientMemory = {
  map: (_name: string, file: DiskFile, length: number): ClientMapping => {
    const bytes = new Uint8Array(length);
    file.read('memory.map', bytes, 0, length, 0);
    const publish = (): undefined => file.write('memory.publish', bytes, 0, length, 0) as undefined;
    const publishRanges: ClientMapping['publishRanges'] = (ranges) => {
      for (const range of ranges) {
        file.write('memory.publish', bytes, range.offset, range.length, range.offset);
      }
      return undefined;
    };
    return { bytes, publish, publishRanges };
  },
};
