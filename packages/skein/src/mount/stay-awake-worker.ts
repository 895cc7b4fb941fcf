// One thread of StayAwake: spins on its CPU while requests come.

import { helperThreadData, makeThreadIdle, pinThreadToCpu } from '@skein/host';

import type { StayAwakeData } from './stay-awake.ts';

/** Longer than SQLite thinks between two requests, shorter than anybody notices. */
const LINGER_MS = 0.5;
/** The clock is looked at once in so many rounds. */
const ROUNDS_A_LOOK = 64;

const { shared, cpu } = helperThreadData() as StayAwakeData;
makeThreadIdle();
pinThreadToCpu(cpu);

for (;;) {
  const seen = spinWhileRequestsCome();
  Atomics.add(shared, 1, 1);
  Atomics.wait(shared, 0, seen);
  Atomics.sub(shared, 1, 1);
}

/** Returns how many requests had come when it was quiet at last. */
function spinWhileRequestsCome(): number {
  let seen = Atomics.load(shared, 0);
  let sinceMs = performance.now();
  for (;;) {
    for (let round = 0; round < ROUNDS_A_LOOK; round++) {
      const count = Atomics.load(shared, 0);
      if (count === seen) continue;
      seen = count;
      sinceMs = performance.now();
    }
    if (performance.now() - sinceMs > LINGER_MS) return seen;
  }
}
