// What the main thread asks of the node, answered between the kernel's requests: the engine's half
// of NodeControl. Long work runs as jobs, so that the mount stays alive meanwhile.

import type { Engine, FileOwner, Job, Pending } from '@skein/engine';

import { databaseStatus, engineStatus } from '../api/engine-status.ts';
import type { DatabaseStatus, PassthroughStatus } from '../api/node-control.ts';
import {
  type Call,
  type FromMountThread,
  type ThreadStatus,
  toErrorData,
} from './thread-messages.ts';

export interface ControlCallsOptions {
  readonly engine: Engine;
  readonly send: (message: FromMountThread) => void;
  readonly passthrough: () => PassthroughStatus;
  /** Whose a database is that did not exist before it was imported. */
  readonly newOwner: () => FileOwner;
}

/** Progress is told after so many bytes; who asks sees it at most a few times a second. */
const PROGRESS_BYTES = 16 * 1024 * 1024;

export class ControlCalls {
  readonly #options: ControlCallsOptions;

  constructor(options: ControlCallsOptions) {
    this.#options = options;
  }

  take(call: Call): void {
    const { id } = call;
    const { send } = this.#options;
    try {
      if (call.name === 'status') {
        send({ kind: 'answer', id, result: this.#status() });
        return;
      }
      const answer: { result?: DatabaseStatus } = {};
      const pending = this.#run(call, answer);
      if (pending === undefined) return send({ kind: 'answer', id, result: answer.result });
      pending.onSettled((error) => {
        if (error === undefined) send({ kind: 'answer', id, result: answer.result });
        else send({ kind: 'refusal', id, error: toErrorData(error) });
      });
    } catch (error) {
      send({ kind: 'refusal', id, error: toErrorData(error) });
    }
  }

  #status(): ThreadStatus {
    const { engine, passthrough } = this.#options;
    return { ...engineStatus(engine), passthrough: passthrough() };
  }

  #run(
    call: Exclude<Call, { readonly name: 'status' }>,
    answer: { result?: DatabaseStatus },
  ): Pending | undefined {
    const [name, path] = call.args;
    const job =
      call.name === 'import' ? this.#import(name, path) : this.#export(call.id, name, path);
    return this.#options.engine.run(keepResult(job, answer));
  }

  *#import(name: string, path: string): Job<DatabaseStatus> {
    const { engine, newOwner } = this.#options;
    return databaseStatus(yield* engine.importFile({ name, path, owner: newOwner() }));
  }

  *#export(id: number, name: string, path: string): Job<DatabaseStatus> {
    const { engine, send } = this.#options;
    let toldBytes = 0;
    const state = yield* engine.exportFile(name, path, (doneBytes, totalBytes) => {
      if (doneBytes < toldBytes + PROGRESS_BYTES && doneBytes < totalBytes) return;
      toldBytes = doneBytes;
      send({ kind: 'progress', id, doneBytes, totalBytes });
    });
    return databaseStatus(engine.store.findDatabase(name)!, state);
  }
}

function* keepResult<T>(job: Job<T>, answer: { result?: T }): Job<void> {
  answer.result = yield* job;
}
