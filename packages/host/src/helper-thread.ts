// A small thread beside one that does the work.
//
// Node stops a thread wherever it is. One that is still loading its modules may be inside koffi,
// which cannot be stopped there: the whole process would abort. So whoever ends the threads, by
// stopping one or by the end of the process, first waits until they have loaded.

import { type TransferListItem, Worker, workerData } from 'node:worker_threads';

/** Saves 4 MB of memory a thread, measured on Node 24. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 };

/** Loading takes a tenth of a second. A thread that failed to load is not waited for forever. */
const LOADING_TIMEOUT_MS = 10_000;

export interface HelperThreadOptions {
  readonly name: string;
  readonly data: object;
  readonly transferList?: TransferListItem[];
}

interface WorkerData {
  /** In shared memory: 1 as soon as the thread has loaded. */
  readonly loaded: Int32Array<SharedArrayBuffer>;
  readonly data: object;
}

export class HelperThread {
  readonly #loaded = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  constructor(script: URL, options: HelperThreadOptions) {
    const { name, data, transferList = [] } = options;
    const threadData: WorkerData = { loaded: this.#loaded, data };
    const resourceLimits = RESOURCE_LIMITS;
    this.#worker = new Worker(script, {
      workerData: threadData,
      transferList,
      resourceLimits,
      name,
    });
  }

  /** It does not hold up the end of the process, and what it throws ends only itself. */
  detach(): this {
    this.#worker.on('error', () => undefined);
    this.#worker.unref();
    return this;
  }

  /** Blocks until the thread has loaded: it can be stopped then. */
  waitUntilLoaded(): void {
    Atomics.wait(this.#loaded, 0, 0, LOADING_TIMEOUT_MS);
  }

  /** Stops it wherever it is. */
  stop(): void {
    this.waitUntilLoaded();
    void this.#worker.terminate();
  }
}

/** For the thread itself, when all its modules have loaded: what it was given. */
export function helperThreadData(): unknown {
  const { loaded, data } = workerData as WorkerData;
  Atomics.store(loaded, 0, 1);
  Atomics.notify(loaded, 0);
  return data;
}
