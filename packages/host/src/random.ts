// Chance as a port, so that a test can replay a run from its seed.

import { randomFillSync } from 'node:crypto';

export interface Random {
  /** Fills `bytes` with random bytes. */
  fill(bytes: Uint8Array): void;
}

export const systemRandom: Random = {
  fill: (bytes) => {
    randomFillSync(bytes);
  },
};
