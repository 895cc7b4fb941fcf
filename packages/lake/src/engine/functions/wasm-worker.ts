// The thread that runs WASM functions. It is told one batch at a time and answers it; a batch that
// does not end is ended by stopping the thread.

import { type MessagePort, workerData } from 'node:worker_threads';

import { decodePack, encodePack, type PackValue } from './message-pack.ts';
import { wasm, type WasmFunction, type WasmMemory, type WasmModule } from './wasm-api.ts';

export interface WasmFunctionSource {
  readonly module: WasmModule;
  readonly entrypoint: string;
  readonly isPacked: boolean;
}

export interface WasmBatch {
  readonly name: string;
  /** Given with the first batch of a function. */
  readonly source: WasmFunctionSource | undefined;
  readonly rows: readonly (readonly PackValue[])[];
}

export type WasmAnswer = { readonly values: PackValue[] } | { readonly error: string };

export interface WasmWorkerData {
  readonly port: MessagePort;
  /** Set to 1 when an answer is in the port. */
  readonly signal: Int32Array<SharedArrayBuffer>;
}

/** A function that grows beyond it is stopped. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;
const LENGTH_BYTES = 4;
/** WASI: the call is not supported. */
const ENOSYS = 52;

type Call = (row: readonly PackValue[]) => PackValue;

const calls = new Map<string, Call>();
const { port, signal } = workerData as WasmWorkerData;

port.on('message', (batch: WasmBatch) => {
  let answer: WasmAnswer;
  try {
    answer = { values: runBatch(batch) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(answer);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
});

function runBatch(batch: WasmBatch): PackValue[] {
  if (batch.source !== undefined) calls.set(batch.name, instantiate(batch.source));
  const call = calls.get(batch.name);
  if (call === undefined) throw new Error('The function is not loaded');
  return batch.rows.map(call);
}

function instantiate(source: WasmFunctionSource): Call {
  const { exports } = new wasm.Instance(source.module, importsOf(source.module));
  const entry = functionOf(exports, source.entrypoint);
  if (!source.isPacked) return (row) => entry(...row) as PackValue;
  const memory = exports['memory'];
  if (!(memory instanceof wasm.Memory)) throw new Error('The module exports no memory');
  const alloc = functionOf(exports, 'alloc');
  const dealloc = functionOf(exports, 'dealloc');
  return (row) => {
    const argument = writeValue(memory, alloc, encodePack([...row]));
    const result = entry(argument.address) as number;
    const value = readValue(memory, result);
    dealloc(result, value.sizeBytes);
    if (memory.buffer.byteLength > MEMORY_BYTES_MAX)
      throw new Error('The function uses too much memory');
    return value.value;
  };
}

function functionOf(exports: Readonly<Record<string, unknown>>, name: string): WasmFunction {
  const found = exports[name];
  if (typeof found !== 'function') throw new Error(`The module exports no function ${name}`);
  return found as WasmFunction;
}

/** Four bytes of length, then MessagePack. */
function writeValue(
  memory: WasmMemory,
  alloc: WasmFunction,
  bytes: Uint8Array,
): { readonly address: number } {
  const address = alloc(bytes.length + LENGTH_BYTES) as number;
  const view = new DataView(memory.buffer);
  view.setUint32(address, bytes.length, true);
  new Uint8Array(memory.buffer, address + LENGTH_BYTES, bytes.length).set(bytes);
  return { address };
}

function readValue(
  memory: WasmMemory,
  address: number,
): { readonly value: PackValue; readonly sizeBytes: number } {
  const length = new DataView(memory.buffer).getUint32(address, true);
  const bytes = new Uint8Array(memory.buffer, address + LENGTH_BYTES, length);
  return { value: decodePack(bytes), sizeBytes: length + LENGTH_BYTES };
}

/** What WASI has is there and does nothing: functions have no files, no clock, no environment. */
function importsOf(module: WasmModule): Record<string, Record<string, WasmFunction>> {
  const imports: Record<string, Record<string, WasmFunction>> = {};
  for (const { module: from, name, kind } of wasm.Module.imports(module)) {
    if (kind !== 'function' || !from.startsWith('wasi_')) {
      throw new Error(`The module imports ${from}.${name}, which is not there`);
    }
    const group = (imports[from] ??= {});
    group[name] = () => ENOSYS;
  }
  return imports;
}
