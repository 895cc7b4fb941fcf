// Clients do everything at once to a node, and a model of a replica follows its log: while they are
// at it, over broken connections, with a history of its own now and then, through a trimmed log and
// power cuts. What it has is always what the node has had, and in the end what the node has.
//
// More seeds: SKEIN_SIM_SEEDS=500 npm test -- sim follow

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Checksum, toTxid } from '@skein/ltx';
import { SeededRandom, SimDisk } from '@skein/testkit';

import { Actor } from '../../test/actor.ts';
import { readState } from '../../test/inspect.ts';
import { ModelReplica } from '../../test/model-replica.ts';
import { SCENARIOS, TORTURE } from '../../test/scenarios.ts';
import { SimNode, type SimNodeOptions } from '../../test/sim-node.ts';
import { equalStates, Timeline } from '../../test/timeline.ts';
import type { Scenario } from '../../test/world.ts';

const SEEDS = Number(process.env['SKEIN_SIM_SEEDS'] ?? 12);

/** Lets somebody in between two requests, as the loop does that serves the mount. */
class FollowedNode extends SimNode {
  between: () => void = () => {};

  override request<T>(act: () => T): T {
    const result = super.request(act);
    this.between();
    return result;
  }
}

interface Outcome {
  readonly replica: ModelReplica;
  readonly node: SimNode;
}

function follow(scenario: Scenario, seed: number, options: SimNodeOptions = {}): Outcome {
  const random = new SeededRandom(seed);
  const disk = new SimDisk({ seed });
  const node = new FollowedNode({ seed, disk, ...scenario.engine, ...options });
  const replica = new ModelReplica(node);
  const timeline = new Timeline();
  const actor = new Actor({ node, random: random.fork(), timeline });
  const chance = random.pick([0.02, 0.2, 0.7]);
  node.between = () => {
    if (!random.bool(chance)) return;
    replica.step();
    if (random.bool(0.05)) replica.disconnect();
    if (random.bool(0.02)) diverge(replica, random);
  };
  scenario.act(actor);
  node.between = () => {};
  node.engine.log.sync();
  replica.catchUp();
  assert(equalStates(replica.state, readState(node)), `${scenario.name}, seed ${seed}`);
  for (const [name, { position }] of node.engine.followedStates()) {
    const own = replica.positions.get(name);
    // Nothing is known of a database that came and went.
    if (own !== undefined) assert.deepEqual(own, position, `${name}, seed ${seed}`);
  }
  return { replica, node };
}

/** The replica was something else meanwhile: it has transactions that the node never had. */
function diverge(replica: ModelReplica, random: SeededRandom): void {
  const names = [...replica.databases.keys()];
  if (names.length === 0) return;
  const database = replica.databases.get(random.pick(names))!;
  const { txid, checksum } = database.position;
  if (txid === 0n) return;
  replica.disconnect();
  const ahead = random.int(0, 2);
  database.position = {
    txid: toTxid(txid + BigInt(ahead)),
    checksum: (checksum ^ 1n) as Checksum,
  };
}

describe('a replica that follows the log', () => {
  for (const scenario of SCENARIOS) {
    test(scenario.name, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const { replica, node } = follow(scenario, seed);
        assert(replica.counts.transactions > 0, 'Nothing came out of the log');
        end(replica, node);
      }
    });
  }

  test('everything at once', () => {
    const totals = { transactions: 0, files: 0, snapshots: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { replica, node } = follow(TORTURE, seed);
      totals.transactions += replica.counts.transactions;
      totals.files += replica.counts.files;
      totals.snapshots += replica.counts.snapshots;
      end(replica, node);
    }
    assert(Math.min(...Object.values(totals)) > SEEDS / 2, JSON.stringify(totals));
  });

  test('a log that keeps nothing but what it must', () => {
    let snapshots = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { replica, node } = follow(TORTURE, seed, { retentionBytesMax: 0 });
      snapshots += replica.counts.snapshots;
      end(replica, node);
    }
    assert(snapshots > SEEDS / 2, `${snapshots} snapshots`);
  });

  test('is never ahead of what a power cut leaves of the node', () => {
    for (let seed = 1; seed <= SEEDS; seed++) powerCut(seed);
  });
});

function end(replica: ModelReplica, node: SimNode): void {
  replica.disconnect();
  replica.forget();
  node.close();
  assert.deepEqual(node.disk.openFiles(), [], 'Files are left open');
}

function powerCut(seed: number): void {
  const random = new SeededRandom(seed);
  const node = new FollowedNode({ seed, disk: new SimDisk({ seed }), ...TORTURE.engine });
  const replica = new ModelReplica(node);
  const actor = new Actor({ node, random: random.fork(), timeline: new Timeline() });
  let crashed: SimDisk | undefined;
  let had: ModelReplica['positions'] = new Map();
  let requests = random.int(20, 400);
  node.between = () => {
    requests--;
    if (requests < 0) return;
    replica.step();
    if (requests > 0) return;
    had = replica.positions;
    crashed = node.disk.powerCut(random, random.pick(['lose-all', 'random', 'prefix']));
  };
  TORTURE.act(actor);
  if (crashed === undefined) return;
  const after = node.reopen(crashed, { ...TORTURE.engine });
  const found = new Map(after.engine.followedStates());
  for (const [name, { txid }] of had) {
    const own = found.get(name)?.position;
    assert(own !== undefined && own.txid >= txid, `seed ${seed}: ${name} is ahead of its primary`);
  }
  replica.disconnect(after);
  const { snapshots } = replica.counts;
  replica.catchUp();
  assert(equalStates(replica.state, readState(after)), `seed ${seed}: after the power cut`);
  assert(replica.counts.snapshots >= snapshots);
}
