// Where and when the calling thread runs.

import { assert } from '@skein/bytes';

import { checkResult, libcFunction } from './libc.ts';

const SCHED_IDLE = 5;
// The kernel takes a mask of any length; this one holds the 1,024 CPUs of cpu_set_t.
const CPU_MASK_BYTES = 128;

const libcSetAffinity = libcFunction<(pid: number, length: number, mask: Uint8Array) => number>(
  'int sched_setaffinity(int pid, size_t length, void *mask)',
);
const libcSetScheduler = libcFunction<(pid: number, policy: number, param: Uint8Array) => number>(
  'int sched_setscheduler(int pid, int policy, void *param)',
);

/** Binds the calling thread to one CPU. Other threads of the process stay where they are. */
export function pinThreadToCpu(cpu: number): void {
  assert(cpu >= 0 && cpu < CPU_MASK_BYTES * 8, 'Pins to a CPU that cannot exist');
  const mask = new Uint8Array(CPU_MASK_BYTES);
  mask[cpu >> 3] = 1 << (cpu & 7);
  checkResult('sched_setaffinity', libcSetAffinity(0, mask.length, mask));
}

/** Lets the calling thread have only the CPU time that nobody else wants (SCHED_IDLE). */
export function makeThreadIdle(): void {
  // struct sched_param: int priority, which must be 0 for this policy.
  checkResult('sched_setscheduler', libcSetScheduler(0, SCHED_IDLE, new Uint8Array(4)));
}
