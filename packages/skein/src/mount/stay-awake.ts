// Keeps the CPUs of a virtual machine awake while requests come.
//
// A request wakes the daemon, its answer wakes the client. On a virtual machine whose idle CPUs go
// to sleep at once (guest_halt_poll_ns = 0) each of these costs a trip to the hypervisor, tens of
// microseconds, many times in one transaction of SQLite. A thread on each CPU that spins, at a
// priority below everything else, prevents that; it sleeps soon after the last request.

import { availableParallelism } from 'node:os';
import { extname } from 'node:path';

import { HelperThread } from '@skein/host';

/** In shared memory: how many requests have come, and how many threads sleep until the next. */
const REQUESTS = 0;
const SLEEPING = 1;

export interface StayAwakeData {
  readonly shared: Int32Array<SharedArrayBuffer>;
  readonly cpu: number;
}

export class StayAwake {
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  readonly #threads: HelperThread[] = [];

  constructor() {
    const script = new URL(`stay-awake-worker${extname(import.meta.url)}`, import.meta.url);
    for (let cpu = 0; cpu < availableParallelism(); cpu++) {
      const data: StayAwakeData = { shared: this.#shared, cpu };
      // A CPU that the process may not use, a scheduler that refuses: then without.
      this.#threads.push(new HelperThread(script, { name: `stay-awake-${cpu}`, data }).detach());
    }
  }

  /** A request has come. On the hot path: one addition, unless somebody sleeps. */
  requestCame(): void {
    Atomics.add(this.#shared, REQUESTS, 1);
    if (Atomics.load(this.#shared, SLEEPING) > 0) Atomics.notify(this.#shared, REQUESTS);
  }

  close(): void {
    for (const thread of this.#threads) thread.stop();
    Atomics.notify(this.#shared, REQUESTS);
  }
}
