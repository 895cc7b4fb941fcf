// WASM functions in a thread beside the one that DuckDB calls back.
//
// DuckDB's callbacks are synchronous and run on the main thread, where an endless loop could never
// be stopped. So the work is done by another thread, and the callback waits for it in shared
// memory, for a limited time; after that the thread is stopped, the query fails, and the next call
// begins a new thread. While it waits nothing else is answered, which is why the time is short.

import { extname } from 'node:path';
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';

import type { FunctionDetails } from '../../sql/function-definition.ts';
import { LakeError } from '../errors.ts';
import type { PackValue } from './message-pack.ts';
import { wasm, type WasmModule } from './wasm-api.ts';
import { isNumeric } from './wasm-types.ts';
import type { WasmAnswer, WasmBatch, WasmFunctionSource, WasmWorkerData } from './wasm-worker.ts';

/** Of one batch, which has 2,048 rows at most. */
const BATCH_MS_MAX = 1000;
/** A thread that has just been begun also loads its modules. */
const FIRST_BATCH_MS_MAX = 5000;

interface Running {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly signal: Int32Array<SharedArrayBuffer>;
  /** Functions that it has. */
  readonly loaded: Set<string>;
}

export class WasmHost {
  readonly #sources = new Map<string, WasmFunctionSource>();
  #running: Running | undefined;

  /** Compiles it and looks whether it has what it says. Throws LAKE_FUNCTION. */
  async add(name: string, details: FunctionDetails): Promise<void> {
    const isPacked = details.language === 'wasmmessagepack';
    const types = [...details.input_types, details.return_type];
    if (!isPacked && !types.every(isNumeric)) {
      throw invalid('functions in raw WASM take and give numbers only');
    }
    let module: WasmModule;
    try {
      module = await wasm.compile(Buffer.from(details.data, 'base64'));
    } catch (cause) {
      throw invalid(cause instanceof Error ? cause.message : 'it is no WASM module', cause);
    }
    const exported = new Map(wasm.Module.exports(module).map((entry) => [entry.name, entry.kind]));
    const needed = [details.entrypoint, ...(isPacked ? ['alloc', 'dealloc'] : [])];
    for (const entry of needed) {
      if (exported.get(entry) !== 'function') throw invalid(`it exports no function ${entry}`);
    }
    if (isPacked && exported.get('memory') !== 'memory') throw invalid('it exports no memory');
    this.#sources.set(name, { module, entrypoint: details.entrypoint, isPacked });
  }

  /** Blocks. Throws LAKE_FUNCTION, also when the function takes too long. */
  call(name: string, rows: readonly (readonly PackValue[])[]): PackValue[] {
    const isFirst = this.#running === undefined;
    const running = (this.#running ??= begin());
    const source = running.loaded.has(name) ? undefined : this.#sources.get(name);
    running.loaded.add(name);
    const batch: WasmBatch = { name, source, rows };
    Atomics.store(running.signal, 0, 0);
    running.port.postMessage(batch);
    const timeoutMs = isFirst ? FIRST_BATCH_MS_MAX : BATCH_MS_MAX;
    if (Atomics.wait(running.signal, 0, 0, timeoutMs) === 'timed-out') {
      this.close();
      throw new LakeError('execution', 'LAKE_FUNCTION', 'The function took too long');
    }
    const received = receiveMessageOnPort(running.port);
    const answer: WasmAnswer = received?.message ?? { error: 'It gave no answer' };
    if ('values' in answer) return answer.values;
    // A trap can leave an instance in any state.
    running.loaded.delete(name);
    throw new LakeError('execution', 'LAKE_FUNCTION', `The function failed: ${answer.error}`);
  }

  close(): void {
    const running = this.#running;
    this.#running = undefined;
    running?.port.close();
    void running?.worker.terminate();
  }
}

function begin(): Running {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const data: WasmWorkerData = { port: port2, signal };
  const script = new URL(`wasm-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(script, {
    workerData: data,
    transferList: [port2],
    name: 'wasm',
    env: {},
  });
  worker.on('error', () => undefined);
  worker.unref();
  port1.unref();
  return { worker, port: port1, signal, loaded: new Set() };
}

function invalid(why: string, cause?: unknown): LakeError {
  return new LakeError('plan', 'LAKE_FUNCTION', `The function cannot be used: ${why}`, { cause });
}
