// Fuzzes one decoder on a thread of its own, so that one that hangs does not hang the fuzzer too.

import { parentPort, workerData } from 'node:worker_threads';

import { loadFuzzTargets } from './registry.ts';
import { type FuzzRun, fuzz } from './run-target.ts';

export interface FuzzJob {
  readonly name: string;
  readonly run: FuzzRun;
  /** One number: the vector that is being decoded. */
  readonly progress: Int32Array;
}

const { name, run, progress } = workerData as FuzzJob;
const targets = await loadFuzzTargets();
const target = targets.find((each) => each.name === name)!;
const report = fuzz(target, run, (vector) => Atomics.store(progress, 0, vector));
parentPort!.postMessage(report, []);
