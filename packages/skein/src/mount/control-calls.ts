// What the main thread asks of the node, answered between the kernel's requests: the engine's half
// of NodeControl. Long work runs as jobs, so that the mount stays alive meanwhile.

import type { Engine, FileOwner, Job } from '@skein/engine';

import { databaseStatus, engineStatus } from '../api/engine-status.ts';
import type { DatabaseStatus, PassthroughStatus } from '../api/node-control.ts';
import {
  type Call,
  type CallName,
  type Calls,
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
    const { send, engine } = this.#options;
    try {
      const answer: { result?: unknown } = {};
      const pending = engine.run(keepResult(this.#answer(call), answer));
      if (pending === undefined) return send({ kind: 'answer', id, result: answer.result });
      pending.onSettled((error) => {
        if (error === undefined) send({ kind: 'answer', id, result: answer.result });
        else send({ kind: 'refusal', id, error: toErrorData(error) });
      });
    } catch (error) {
      send({ kind: 'refusal', id, error: toErrorData(error) });
    }
  }

  *#answer(call: Call): Job<Calls[CallName]['result']> {
    const { engine } = this.#options;
    switch (call.name) {
      case 'status':
        return this.#status();
      case 'import':
        return yield* this.#import(...call.args);
      case 'export':
        return yield* this.#export(call.id, ...call.args);
      case 'followed-states':
        return engine.followedStates();
      case 'begin-snapshot':
        return yield* engine.snapshots.begin(...call.args);
      case 'release-snapshot':
        engine.snapshots.release(...call.args);
        return undefined;
      case 'set-role':
        engine.setRole(...call.args);
        return undefined;
      case 'raise-epoch': {
        const [epoch] = call.args;
        if (epoch > engine.epoch) engine.raiseEpoch(epoch);
        return undefined;
      }
      case 'settle-log':
        engine.log.sync();
        return undefined;
    }
  }

  #status(): ThreadStatus {
    const { engine, passthrough } = this.#options;
    return { ...engineStatus(engine), passthrough: passthrough() };
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
