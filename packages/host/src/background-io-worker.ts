// The worker of node-background-io.ts: takes jobs from its port, does them one after the other,
// sends each result and then wakes the engine's thread. Ends when the other side closes the port.

import { fdatasyncSync } from 'node:fs';

import { systemErrorCode } from './errors.ts';
import { helperThreadData } from './helper-thread.ts';
import {
  type BackgroundJob,
  type BackgroundResult,
  type BackgroundWorkerData,
  WORKER_ENDED,
} from './node-background-io.ts';
import { fillWithZeros } from './node-disk.ts';
import { signalEventfd } from './syscalls/descriptors.ts';

const { port, progress, wakeFd } = helperThreadData() as BackgroundWorkerData;

// Whatever ends this thread, nobody goes on waiting for it.
process.on('exit', (code) => {
  Atomics.store(progress, 0, WORKER_ENDED);
  Atomics.notify(progress, 0);
  // By a bug; after an orderly end the eventfd may already be closed.
  if (code !== 0) wake();
});

port.on('message', (job: BackgroundJob) => {
  const result: BackgroundResult = { errorCode: run(job) };
  port.postMessage(result);
  wake();
  // Last of all: once everything is counted the engine may close its descriptors.
  Atomics.add(progress, 0, 1n);
  Atomics.notify(progress, 0);
});

/** Returns the name of the error, if the system reported one; a bug ends the thread. */
function run(job: BackgroundJob): string | undefined {
  try {
    if (job.kind === 'fill') fillWithZeros(job.fd, job.from, job.to);
    fdatasyncSync(job.fd);
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

function wake(): void {
  if (wakeFd !== undefined) signalEventfd(wakeFd);
}
