// Check, open and repair of a data folder on a simulated disk, for tests.

import assert from 'node:assert/strict';

import { nullFileLocks as fileLocks, SeededRandom, SimClock, type SimDisk } from '@skein/testkit';

import { checkDeep } from '../src/check/check-deep.ts';
import type { CheckReport, RepairReport } from '../src/check/finding.ts';
import { repair } from '../src/check/repair.ts';
import { EngineError } from '../src/errors.ts';
import { copyDisk } from './damage.ts';
import { checkChecksums, readState } from './inspect.ts';
import { equalStates } from './timeline.ts';
import type { NodeState } from './timeline.ts';
import { DATA_FOLDER, SimNode } from './sim-node.ts';

export function checkOn(disk: SimDisk): CheckReport {
  return checkDeep({ disk, fileLocks }, { dataFolder: DATA_FOLDER });
}

export function repairOn(disk: SimDisk): RepairReport {
  const ports = { disk, fileLocks, clock: new SimClock(), random: new SeededRandom(1) };
  return repair(ports, { dataFolder: DATA_FOLDER });
}

/** What a node finds that starts on a copy of the disk. */
export function openCopy(disk: SimDisk, expected: NodeState): 'refused' | 'same' | 'different' {
  let node: SimNode;
  try {
    node = new SimNode({ disk: copyDisk(disk) });
  } catch (error) {
    assert(error instanceof EngineError, `Opening it: ${String(error)}`);
    return 'refused';
  }
  if (!equalStates(readState(node), expected)) return 'different';
  checkChecksums(node);
  return 'same';
}
