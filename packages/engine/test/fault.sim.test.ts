// Each operation of the disk fails once. See fault-run.ts.

import { describe, test } from 'node:test';

import { runFaults } from './fault-run.ts';
import { SCENARIOS, TORTURE } from './scenarios.ts';

const SEED = Number(process.env['SKEIN_SIM_SEED'] ?? 1);

describe('after an operation of the disk that failed', () => {
  for (const scenario of SCENARIOS) {
    test(`${scenario.name} (seed ${SEED})`, () => runFaults(scenario, SEED));
  }
  for (let seed = SEED; seed < SEED + 8; seed++) {
    test(`${TORTURE.name} (seed ${seed})`, () => runFaults(TORTURE, seed));
  }
});
