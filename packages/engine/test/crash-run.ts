// Runs a scenario again and again, with the power going out before and after each operation of the
// disk, and checks what a node finds on the disk afterwards.
//
// The number of crash points is limited so that `npm test` stays quick; which ones are tried is
// drawn from the seed. For all of them: SKEIN_SIM_POINTS=all npm test -- sim engine. A failure
// prints the command that replays it alone.

import assert from 'node:assert/strict';

import {
  crashPoints,
  PowerCut,
  POWER_CUT_MODES,
  type PowerCutMode,
  SeededRandom,
  SimDisk,
  type Stop,
} from '@skein/testkit';

import { Actor } from './actor.ts';
import { checkChecksums, checkReplay, readState } from './inspect.ts';
import { SimNode } from './sim-node.ts';
import { Timeline } from './timeline.ts';
import { createWorld, samplePoints, type Scenario } from './world.ts';

/** With two outcomes each, over all scenarios: about a minute. */
const POINTS_MAX = 40;

interface CrashCase {
  readonly scenario: string;
  readonly seed: number;
  readonly stop: Stop;
  readonly mode: PowerCutMode;
}

/** Throws an error that says how to replay the crash that went wrong. */
export function runCrashes(scenario: Scenario, seed: number): void {
  const replayed = process.env['SKEIN_SIM_CASE'];
  if (replayed !== undefined) {
    const wanted = parseCase(replayed);
    if (wanted.seed === seed && wanted.scenario === scenario.name) runCase(scenario, wanted);
    return;
  }
  const operations = runWhole(scenario, seed);
  const random = new SeededRandom(seed);
  for (const stop of samplePoints(random, crashPoints(operations), POINTS_MAX)) {
    for (const mode of modesFor(random)) {
      const crash = { scenario: scenario.name, seed, stop, mode };
      try {
        runCase(scenario, crash);
      } catch (cause) {
        const { message } = cause as Error;
        throw new Error(`${scenario.name}: ${message}\n  replay: ${replayCommand(crash)}`, {
          cause,
        });
      }
    }
  }
}

/** Without a crash: the state is the last one, and the log gives it again. */
function runWhole(scenario: Scenario, seed: number): SimDisk['operations'] {
  const { node, actor, timeline } = createWorld(scenario, seed, new SimDisk({ seed }));
  scenario.act(actor);
  const { operations } = node.disk;
  const count = operations.length;
  assert.equal(
    timeline.find(readState(node)),
    timeline.states.length - 1,
    `${scenario.name}: state`,
  );
  checkChecksums(node);
  node.close();
  assert.deepEqual(node.disk.openFiles(), [], 'Files are left open');
  const after = node.reopen(node.disk);
  assert.equal(
    timeline.find(readState(after)),
    timeline.states.length - 1,
    'state after a restart',
  );
  after.close();
  if (scenario.keepsLog !== false) checkReplay(node.disk, timeline.last);
  return operations.slice(0, count);
}

function runCase(scenario: Scenario, { seed, stop, mode }: CrashCase): void {
  const disk = new SimDisk({ seed });
  disk.stopAt(stop);
  const timeline = new Timeline();
  try {
    const { actor } = createWorld(scenario, seed, disk, timeline);
    scenario.act(actor);
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  const random = new SeededRandom(seed ^ (stop.n << 8));
  checkAfterCrash(scenario, disk.powerCut(random, mode), timeline, random);
}

/**
 * What survived is one of the states, none that was promised is missing, and the node goes on from
 * there. Sometimes the power goes out a second time, during recovery.
 */
function checkAfterCrash(
  scenario: Scenario,
  crashed: SimDisk,
  timeline: Timeline,
  random: SeededRandom,
): void {
  const disk = random.bool(0.3) ? crashInRecovery(scenario, crashed, random) : crashed;
  const node = new SimNode({ seed: random.uint32(), disk, ...scenario.engine });
  const found = timeline.find(readState(node));
  assert(found !== undefined, 'What is found was never there');
  assert(found >= timeline.durable, `State ${found} is found, ${timeline.durable} was promised`);
  checkChecksums(node);

  const state = timeline.states[found]!;
  const next = new Timeline();
  next.begin(Object.fromEntries(state));
  next.promise();
  const actor = new Actor({ node, random: random.fork(), timeline: next });
  for (const name of [...state.keys(), 'another.db']) {
    if (random.bool()) actor.commit(name, actor.anyEnd());
    else actor.copyIn(name);
  }
  assert.equal(next.find(readState(node)), next.states.length - 1, 'After the crash');
  checkChecksums(node);
  node.close();
  const last = node.reopen(node.disk);
  assert.equal(next.find(readState(last)), next.states.length - 1, 'After crash and restart');
  last.close();
  if (scenario.keepsLog !== false) checkReplay(node.disk, next.last);
}

function crashInRecovery(scenario: Scenario, disk: SimDisk, random: SeededRandom): SimDisk {
  disk.stopAt({ n: random.int(1, 60), when: random.pick(['before', 'after']) });
  try {
    createWorld(scenario, random.uint32(), disk);
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  return disk.powerCut(random, random.pick(POWER_CUT_MODES));
}

function modesFor(random: SeededRandom): PowerCutMode[] {
  if (process.env['SKEIN_SIM_POINTS'] === 'all') return [...POWER_CUT_MODES];
  return [random.pick(['lose-all', 'keep-all']), random.pick(['prefix', 'random'])];
}

function replayCommand({ scenario, seed, stop, mode }: CrashCase): string {
  const name = [scenario, seed, stop.n, stop.when, mode].join(':');
  return `SKEIN_SIM_CASE='${name}' npm test -- sim engine/test/crash`;
}

function parseCase(text: string): CrashCase {
  const [scenario, seed, n, when, mode] = text.split(':');
  return {
    scenario: scenario!,
    seed: Number(seed),
    stop: { n: Number(n), when: when === 'after' ? 'after' : 'before' },
    mode: mode as PowerCutMode,
  };
}
