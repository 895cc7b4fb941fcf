// A replica gets what a primary has committed in any journal mode, while readers come, stay and go:
// each sees a state that the primary had, and keeps it. The power goes out at every operation of
// the disk: what was acknowledged is there afterwards. See test/crash-run.ts for the variables.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  crashPoints,
  POWER_CUT_MODES,
  PowerCut,
  SeededRandom,
  SimDisk,
  type Stop,
} from '@skein/testkit';

import { copyDisk } from '../../test/damage.ts';
import { checkChecksums, readState } from '../../test/inspect.ts';
import { checkOn } from '../../test/inspect-damage.ts';
import { primaryHistory } from '../../test/primary-history.ts';
import {
  checkReaders,
  expectedPages,
  HeldReaders,
  openReplica,
  receive,
  receiveFile,
} from '../../test/replica-run.ts';
import { equalPages } from '../../test/sample-database.ts';
import { SCENARIOS, TORTURE } from '../../test/scenarios.ts';
import { type SentLtx, snapshotOf } from '../../test/sent-ltx.ts';
import type { SimNode } from '../../test/sim-node.ts';
import { samplePoints, type Scenario } from '../../test/world.ts';

const SEED = Number(process.env['SKEIN_SIM_SEED'] ?? 1);
const POINTS_MAX = 30;

const SMALL = { segmentBytes: 16 * 1024, checkpointBytes: 8 * 1024, retentionMs: 0 };

describe('what readers of a replica see', () => {
  for (const scenario of SCENARIOS) {
    test(`${scenario.name} (seed ${SEED})`, () => runReaders(scenario, SEED));
  }
  for (let seed = SEED; seed < SEED + 12; seed++) {
    test(`${TORTURE.name} (seed ${seed})`, () => runReaders(TORTURE, seed));
  }
});

describe('a replica after a power cut', () => {
  for (let seed = SEED; seed < SEED + 4; seed++) {
    test(`${TORTURE.name} (seed ${seed})`, () => runCrashes(TORTURE, seed));
  }
});

function runReaders(scenario: Scenario, seed: number): void {
  const history = primaryHistory(scenario, seed);
  const random = new SeededRandom(seed);
  const node = openReplica(new SimDisk({ seed }), SMALL);
  const readers = new HeldReaders(node, random);
  feed(node, history, random, () => {
    readers.turn(history);
    if (random.bool(0.5)) node.rest();
    readers.check();
    checkReaders(node, history);
  });
  readers.close();
  node.pass(100);
  checkReaders(node, history);
  checkCaughtUp(node, history);
  checkChecksums(node);
  node.close();
  assert.deepEqual(node.disk.openFiles(), [], 'Files are left open');
  assert.deepEqual(checkOn(copyDisk(node.disk)).findings, []);
  const after = openReplica(node.disk, SMALL);
  checkCaughtUp(after, history);
  checkReaders(after, history);
  checkChecksums(after);
  after.close();
}

/**
 * In pieces of any length; sometimes in files, sometimes as a whole database in the place of what
 * led to it.
 */
function feed(
  node: SimNode,
  history: readonly SentLtx[],
  random: SeededRandom,
  between: () => void,
): void {
  for (let at = 0; at < history.length;) {
    const piece = history.slice(at, at + random.int(1, 6));
    at += piece.length;
    const whole = random.bool(0.15) ? wholeAt(piece) : undefined;
    if (whole !== undefined) {
      receiveFile(node, whole);
      // What the others have in the meantime comes as it is.
      const others = piece.filter(({ database }) => database !== whole.database);
      assertTaken(node, others);
    } else if (random.bool(0.15)) {
      for (const sent of piece) receiveFile(node, sent);
    } else {
      assertTaken(node, piece);
    }
    between();
  }
}

function wholeAt(piece: readonly SentLtx[]): SentLtx | undefined {
  const last = piece.at(-1)!;
  return last.pages.length === 0 ? undefined : snapshotOf(last);
}

function assertTaken(node: SimNode, piece: readonly SentLtx[]): void {
  const { takenCount, refusal } = receive(node, piece);
  if (refusal !== undefined) throw refusal;
  assert.equal(takenCount, piece.length);
}

function checkCaughtUp(node: SimNode, history: readonly SentLtx[]): void {
  const { replica } = node.engine;
  for (const name of new Set(history.map(({ database }) => database))) {
    const last = history.findLast(({ database }) => database === name)!;
    assert.equal(replica!.positions().get(name)?.txid, last.txid, `${name}: what is durable`);
    assert.equal(replica!.appliedPositions().get(name)?.txid, last.txid, `${name}: what is seen`);
  }
}

function runCrashes(scenario: Scenario, seed: number): void {
  const history = primaryHistory(scenario, seed);
  const whole = openReplica(new SimDisk({ seed }), SMALL);
  feed(whole, history, new SeededRandom(seed), () => {});
  whole.rest();
  const { operations } = whole.disk;
  const count = operations.length;
  whole.close();
  const random = new SeededRandom(seed);
  const points = crashPoints(operations.slice(0, count));
  for (const stop of samplePoints(random, points, POINTS_MAX)) {
    try {
      runCase(history, seed, stop);
    } catch (cause) {
      throw new Error(`${(cause as Error).message} (seed ${seed}, ${JSON.stringify(stop)})`, {
        cause,
      });
    }
  }
}

function runCase(history: readonly SentLtx[], seed: number, stop: Stop): void {
  const disk = new SimDisk({ seed });
  disk.stopAt(stop);
  const acknowledged = new Map<string, bigint>();
  try {
    const node = openReplica(disk, SMALL);
    feed(node, history, new SeededRandom(seed), () => {
      for (const [name, { txid }] of node.engine.replica!.positions()) acknowledged.set(name, txid);
    });
    node.rest();
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  const random = new SeededRandom(seed ^ (stop.n << 8));
  const crashed = disk.powerCut(random, random.pick([...POWER_CUT_MODES]));
  const node = openReplica(crashed, SMALL);
  checkSurvived(node, history, acknowledged);
  checkReaders(node, history);
  const positions = node.engine.replica!.positions();
  const rest = history.filter(({ database, txid }) => txid > (positions.get(database)?.txid ?? 0n));
  assertTaken(node, rest);
  node.rest();
  checkCaughtUp(node, history);
  checkReaders(node, history);
  checkChecksums(node);
  node.close();
}

function checkSurvived(
  node: SimNode,
  history: readonly SentLtx[],
  acknowledged: ReadonlyMap<string, bigint>,
): void {
  const positions = node.engine.replica!.positions();
  for (const [name, txid] of acknowledged) {
    assert((positions.get(name)?.txid ?? 0n) >= txid, `${name}: what was acknowledged is lost`);
  }
  const found = readState(node);
  for (const name of positions.keys()) {
    const expected = expectedPages(node, history, name);
    assert(equalPages(found.get(name) ?? [], expected), `${name}: a state that never was`);
  }
  checkChecksums(node);
}
