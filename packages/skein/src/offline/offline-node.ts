// NodeControl for a data folder that nobody serves: opens its engine, in this process, for as long
// as a command takes. There are no clients then, so what the engine asks about them has simple
// answers.

import { statSync } from 'node:fs';

import {
  type ClientMemory,
  DEFAULT_ENGINE_OPTIONS,
  Engine,
  EngineError,
  type Job,
} from '@skein/engine';
import {
  createNodeLog,
  formatPrometheus,
  type Log,
  NodeBackgroundIo,
  nodeDisk,
  nodeFileLocks,
  NodeMetrics,
  readMetrics,
  systemClock,
  systemRandom,
} from '@skein/host';

import { databaseStatus, engineStatus } from '../api/engine-status.ts';
import type { DatabaseStatus, NodeControl, NodeStatus, OnProgress } from '../api/node-control.ts';
import { isLitefsFolder, LITEFS_FOLDER_HINT } from '../config/litefs-folder.ts';
import type { MountConfig } from '../config/mount-config.ts';
import { SKEIN_VERSION } from '../version.ts';

export type OfflineOptions = Pick<
  MountConfig,
  | 'dataFolder'
  | 'retentionMs'
  | 'retentionBytesMax'
  | 'segmentBytes'
  | 'overlayBytes'
  | 'checkpointBytes'
> & {
  /** Whether a data folder is made where there is none. */
  readonly mayCreate: boolean;
  /** Default: warnings and errors to stderr. */
  readonly log?: Log;
};

export class OfflineNode implements NodeControl {
  readonly #dataFolder: string;
  readonly #engine: Engine;
  readonly #background: NodeBackgroundIo;
  readonly #metrics: NodeMetrics;
  readonly #startedMs = systemClock.wallMs();
  #scratchCount = 0;

  private constructor(parts: OfflineParts) {
    this.#dataFolder = parts.dataFolder;
    this.#engine = parts.engine;
    this.#background = parts.background;
    this.#metrics = parts.metrics;
  }

  /** Throws EngineError: in use, damaged, not there, somebody else's. */
  static open(options: OfflineOptions): OfflineNode {
    const { dataFolder } = options;
    checkFolder(dataFolder, options.mayCreate);
    const background = new NodeBackgroundIo();
    const metrics = new NodeMetrics();
    try {
      const engine = Engine.open(
        {
          disk: nodeDisk,
          background,
          clock: systemClock,
          random: systemRandom,
          log: options.log ?? createNodeLog({ level: 'warn' }),
          metrics,
          fileLocks: nodeFileLocks,
          ...NO_CLIENTS,
        },
        { ...DEFAULT_ENGINE_OPTIONS, ...options, canPassThrough: false },
      );
      return new OfflineNode({ dataFolder, engine, background, metrics });
    } catch (error) {
      background.close();
      throw error;
    }
  }

  status(): Promise<NodeStatus> {
    const startedMs = this.#startedMs;
    return Promise.resolve({
      version: SKEIN_VERSION,
      mountpoint: undefined,
      dataFolder: this.#dataFolder,
      startedMs,
      uptimeMs: systemClock.wallMs() - startedMs,
      passthrough: { isActive: false, reason: 'no mount is being served' },
      warnings: [],
      ...engineStatus(this.#engine),
    });
  }

  importDatabase(name: string, path: string): Promise<DatabaseStatus> {
    const owner = { uid: process.geteuid!(), gid: process.getegid!(), mode: 0o644 };
    const engine = this.#engine;
    return this.#finish(
      (function* run() {
        return databaseStatus(yield* engine.importFile({ name, path, owner }));
      })(),
    );
  }

  exportDatabase(name: string, path: string, onProgress?: OnProgress): Promise<DatabaseStatus> {
    const engine = this.#engine;
    return this.#finish(
      (function* run() {
        const state = yield* engine.exportFile(name, path, onProgress);
        return databaseStatus(engine.store.findDatabase(name)!, state);
      })(),
    );
  }

  newScratchPath(purpose: string): string {
    // The engine's own names begin with their number.
    this.#scratchCount += 1;
    return `${this.#engine.folder.scratch}/offline-${this.#scratchCount}.${purpose}`;
  }

  metrics(): string {
    return formatPrometheus(readMetrics(this.#metrics.buffer));
  }

  /** Ends the engine: the next start has nothing to recover. */
  close(): void {
    this.#engine.close();
    this.#background.close();
  }

  /** Runs a job to its end as the thread of a mount would, with nothing else to do in between. */
  async #finish<T>(job: Job<T>): Promise<T> {
    let result: T | undefined;
    const run = function* run(): Job<void> {
      result = yield* job;
    };
    const pending = this.#engine.run(run());
    const outcome: { isOpen: boolean; error?: Error | undefined } = {
      isOpen: pending !== undefined,
    };
    pending?.onSettled((error) => {
      outcome.error = error;
      outcome.isOpen = false;
    });
    while (outcome.isOpen) {
      this.#engine.idle();
      this.#background.settle();
      // A progress bar is drawn, Ctrl-C is heard.
      await new Promise(setImmediate);
    }
    if (outcome.error !== undefined) throw outcome.error;
    return result!;
  }
}

interface OfflineParts {
  readonly dataFolder: string;
  readonly engine: Engine;
  readonly background: NodeBackgroundIo;
  readonly metrics: NodeMetrics;
}

const NO_MEMORY: ClientMemory = {
  map: () => {
    throw new Error('Nobody has mapped a file of a data folder that is not mounted');
  },
};

const NO_CLIENTS = {
  kernel: {
    forgetContent: (_name: string, done?: () => void): void => done?.(),
    forgetRanges: (_name: string, _ranges: unknown, done: () => void): void => done(),
    store: (_name: string, _pieces: unknown, done?: () => void): void => done?.(),
    forgetName: (): void => {},
    removed: (): void => {},
  },
  locks: {
    holdsExclusively: (): boolean => false,
    exclude: (_name: string, done: (exclusion: { end(): void }) => void): void =>
      done({ end: () => {} }),
  },
  memory: NO_MEMORY,
  replicaLocks: {
    hasEnded: false,
    join: (): void => {
      throw new Error('Nobody follows a primary without a mount');
    },
  },
};

/** What we make there belongs to us: in the folder of another user his node could not use it. */
function checkFolder(path: string, mayCreate: boolean): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined && !mayCreate) {
    throw new EngineError('DATABASE_NOT_FOUND', `There is no data folder ${path}`, {
      hint: 'Say which one: --data FOLDER. A mount makes its own',
    });
  }
  if (stat === undefined) return;
  if (stat.uid !== process.geteuid!()) {
    const message = `Cannot use data folder ${path}: it belongs to another user`;
    const hint = `Run this as the user who runs the node (uid ${stat.uid})`;
    throw new EngineError('DATA_DIRECTORY_FORMAT', message, { hint });
  }
  if (!isLitefsFolder(path)) return;
  const message = `Cannot use data folder ${path}: it is one of LiteFS`;
  throw new EngineError('DATA_DIRECTORY_FORMAT', message, { hint: LITEFS_FOLDER_HINT });
}
