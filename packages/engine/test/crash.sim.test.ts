// The power goes out at every operation of the disk: after it, each transaction is there whole or
// not at all, and none is missing that was acknowledged as durable. See crash-run.ts for how
// to try all points, and how to replay one.

import { describe, test } from 'node:test';

import { runCrashes } from './crash-run.ts';
import { SCENARIOS, TORTURE } from './scenarios.ts';

const SEED = Number(process.env['SKEIN_SIM_SEED'] ?? 1);

describe('after a power cut', () => {
  for (const scenario of SCENARIOS) {
    test(`${scenario.name} (seed ${SEED})`, () => runCrashes(scenario, SEED));
  }
  for (let seed = SEED; seed < SEED + 8; seed++) {
    test(`${TORTURE.name} (seed ${seed})`, () => runCrashes(TORTURE, seed));
  }
});
