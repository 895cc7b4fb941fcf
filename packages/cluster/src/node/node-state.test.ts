import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { ClusterError } from './errors.ts';
import {
  blockersOf,
  firstState,
  type NodeEffect,
  type NodeInput,
  type NodeState,
  roleOf,
  step,
} from './node-state.ts';
import type { PeerHello } from './peer.ts';

const SETTINGS = {
  name: 'node1',
  nodeId: '00000000000000A1',
  primary: 'node1',
  clusterId: 'LFSC0000000000000001',
  isForced: false,
  peerTimeoutMs: 10_000,
  retryMs: 1_000,
  awaitMs: 10_000,
};

const URL2 = 'http://node2/';

function hello(fields: Partial<PeerHello> = {}): PeerHello {
  return {
    name: 'node2',
    nodeId: '00000000000000A2',
    url: URL2,
    proxyUrl: undefined,
    sqlUrl: undefined,
    primary: 'node1',
    role: 'replica',
    epoch: 0,
    isEnding: false,
    clusterId: SETTINGS.clusterId,
    peers: [],
    positions: undefined,
    ...fields,
  };
}

function says(fields: Partial<PeerHello> = {}): NodeInput {
  return { kind: 'peer', hello: hello(fields), news: [] };
}

interface Run {
  readonly state: NodeState;
  readonly effects: readonly NodeEffect[];
}

/** One input a second. */
function run(first: NodeState, ...inputs: readonly NodeInput[]): Run {
  let state = first;
  const effects: NodeEffect[] = [];
  inputs.forEach((input, index) => {
    const result = step(state, input, 1_000 * (index + 1));
    ({ state } = result);
    effects.push(...result.effects);
  });
  return { state, effects };
}

function candidate(options: { known?: readonly string[]; isForced?: boolean } = {}): NodeState {
  const settings = { ...SETTINGS, isForced: options.isForced ?? false };
  return firstState({ settings, isCandidate: true, epoch: 5, known: options.known ?? [] });
}

function follower(): NodeState {
  const settings = { ...SETTINGS, name: 'node3', nodeId: '00000000000000A3' };
  return firstState({ settings, isCandidate: false, epoch: 5, known: [] });
}

const TICK: NodeInput = { kind: 'tick', known: [URL2] };
const ACQUIRED: NodeInput = { kind: 'acquired', epoch: 9 };

/** A candidate that leads in epoch 9. */
function leader(): NodeState {
  return run(candidate(), TICK, ACQUIRED).state;
}

function codesOf(state: NodeState): readonly string[] {
  return blockersOf(state).map(({ code }) => code);
}

describe('A candidate', () => {
  test('that knows nobody asks for the lease at once, above the epoch that it has seen', () => {
    const { state, effects } = run(candidate(), TICK);
    assert.deepEqual(effects, [{ kind: 'acquire', aboveEpoch: 5 }]);
    assert.equal(roleOf(state), 'no-primary');
    assert.equal(roleOf(run(state, ACQUIRED).state), 'primary');
  });

  test('waits until every peer that it knows has answered, or failed to', () => {
    const other = 'http://node3/';
    const first = run(candidate({ known: [URL2, other] }), { kind: 'tick', known: [URL2, other] });
    assert.deepEqual([first.effects, codesOf(first.state)], [[], ['PEERS_UNHEARD']]);
    const second = run(first.state, { kind: 'silent', url: URL2 });
    assert.deepEqual(second.effects, []);
    const answer = { ...hello({ nodeId: '00000000000000A3', name: 'node3', url: other }) };
    const third = run(second.state, { kind: 'peer', hello: answer, news: [], url: other });
    assert.deepEqual(third.effects, [{ kind: 'acquire', aboveEpoch: 5 }]);
  });

  test('also waits for those of whom a peer tells, unless they are not asked any more', () => {
    const known = candidate({ known: [URL2] });
    const news = { kind: 'peer', hello: hello(), url: URL2, news: ['http://node9/'] } as const;
    const told = run(known, news);
    assert.deepEqual(codesOf(told.state), ['PEERS_UNHEARD']);
    assert.deepEqual(run(told.state, TICK).effects, [{ kind: 'acquire', aboveEpoch: 5 }]);
  });

  test('counts from the highest epoch of its peers', () => {
    const { effects } = run(candidate({ known: [URL2] }), {
      kind: 'peer',
      hello: hello({ epoch: 70 }),
      url: URL2,
      news: [],
    });
    assert.deepEqual(effects, [
      { kind: 'acquire', aboveEpoch: 70 },
      { kind: 'remember-epoch', epoch: 70 },
    ]);
  });

  test('refuses while a peer is ahead of it, until that has gone or is no longer so', () => {
    const ahead: NodeInput = {
      kind: 'peer',
      hello: hello(),
      url: URL2,
      news: [],
      comparison: { aheadIn: 'app.db' },
    };
    const refused = run(candidate({ known: [URL2] }), ahead, TICK);
    assert.deepEqual([refused.effects, codesOf(refused.state)], [[], ['PEER_AHEAD']]);
    assert.match(blockersOf(refused.state)[0]!.message, /node1 .* node2 .* app\.db/);
    assert.match(blockersOf(refused.state)[0]!.hint!, /force-primary/);
    const same = { ...ahead, comparison: { aheadIn: undefined } };
    assert.equal(run(refused.state, same).effects.length, 1);
    assert.equal(step(refused.state, TICK, 60_000).effects.length, 1);
    // A word without positions says nothing new about them.
    assert.deepEqual(run(refused.state, says()).effects, []);
  });

  test('leads by force although a peer is ahead of it', () => {
    const { effects } = run(candidate({ known: [URL2], isForced: true }), {
      kind: 'peer',
      hello: hello(),
      url: URL2,
      news: [],
      comparison: { aheadIn: 'app.db' },
    });
    assert.equal(effects.length, 1);
  });

  describe('that followed another one before', () => {
    const OLD = { name: 'node2', url: URL2 };
    const first = (isForced = false): NodeState => {
      const settings = { ...SETTINGS, isForced };
      return firstState({ settings, isCandidate: true, epoch: 5, known: [URL2], lastPrimary: OLD });
    };
    const silent: NodeInput = { kind: 'silent', url: URL2 };
    const answer = (aheadIn: string | undefined): NodeInput => {
      return { kind: 'peer', hello: hello(), url: URL2, news: [], comparison: { aheadIn } };
    };

    test('waits for that one, for ten seconds', () => {
      const { state, effects } = run(first(), TICK, silent);
      assert.deepEqual([effects, codesOf(state)], [[], ['PRIMARY_AWAITED']]);
      assert.match(blockersOf(state)[0]!.message, /node1 waits for node2 at http:/);
      assert.deepEqual(step(state, TICK, 10_999).effects, []);
      const late = step(state, TICK, 11_000);
      assert.deepEqual(late.effects, [{ kind: 'acquire', aboveEpoch: 5 }]);
      assert.equal(late.state.awaited?.isMissed, true);
    });

    test('goes on as soon as that one has said what it has', () => {
      const waiting = run(first(), TICK, silent).state;
      // That it is there does not tell what it has.
      assert.deepEqual(codesOf(run(waiting, says()).state), ['PRIMARY_AWAITED']);
      const { state, effects } = run(waiting, answer(undefined));
      assert.deepEqual(effects, [{ kind: 'acquire', aboveEpoch: 5 }]);
      assert.equal(state.awaited, undefined);
    });

    test('refuses, without an end, when that one is ahead', () => {
      const { state } = run(first(), TICK, answer('app.db'));
      assert.deepEqual(codesOf(state), ['PEER_AHEAD']);
    });

    test('does not wait when it is forced', () => {
      assert.equal(run(first(true), TICK, silent).effects.length, 1);
    });

    test('does not wait when it is to follow', () => {
      const options = { settings: SETTINGS, isCandidate: false, epoch: 5, known: [] };
      assert.deepEqual(codesOf(firstState({ ...options, lastPrimary: OLD })), []);
    });
  });

  test('asks again above an epoch that has shown up while it waited for the lease', () => {
    const { state, effects } = run(candidate(), TICK, says({ epoch: 30 }), ACQUIRED);
    assert.deepEqual(effects.at(-1), { kind: 'acquire', aboveEpoch: 30 });
    assert.equal(roleOf(state), 'no-primary');
    assert.equal(roleOf(run(state, { kind: 'acquired', epoch: 31 }).state), 'primary');
  });

  test('asks again a while after it was refused', () => {
    const { state } = run(candidate(), TICK, { kind: 'not-acquired' });
    assert.deepEqual(step(state, TICK, 2_999).effects, []);
    assert.equal(step(state, TICK, 3_000).effects.length, 1);
  });
});

describe('A node that leads', () => {
  test('accepts no writes while a peer is configured for another primary, and names both', () => {
    const { state, effects } = run(leader(), says({ primary: 'node2', role: 'no-primary' }));
    assert.deepEqual([roleOf(state), effects], ['no-primary', []]);
    const [conflict] = blockersOf(state);
    assert.equal(conflict?.code, 'PRIMARY_CONFLICT');
    assert.match(conflict.message, /node1 .* primary node1, node node2 .* primary node2/);
    // It ends when they agree, or when the other was not seen for a while.
    assert.equal(roleOf(run(state, says()).state), 'primary');
    assert.equal(roleOf(step(state, TICK, 10_999).state), 'no-primary');
    assert.equal(roleOf(step(state, TICK, 11_001).state), 'primary');
  });

  test('accepts no writes while another node has its name', () => {
    const { state } = run(leader(), says({ name: 'node1' }));
    assert.deepEqual([roleOf(state), codesOf(state)], ['no-primary', ['NODE_NAME_TAKEN']]);
  });

  test('is fenced by a higher epoch, for good', () => {
    const { state, effects } = run(leader(), says({ epoch: 10 }));
    assert.deepEqual(effects, [{ kind: 'release' }, { kind: 'remember-epoch', epoch: 10 }]);
    assert.deepEqual([roleOf(state), codesOf(state)], ['fenced', ['FENCED']]);
    assert.equal(roleOf(step(state, TICK, 99_000).state), 'fenced');
    assert.equal(roleOf(run(state, says({ epoch: 9 })).state), 'fenced');
  });

  test('is fenced by another primary in its own epoch', () => {
    assert.equal(roleOf(run(leader(), says({ epoch: 9, role: 'primary' })).state), 'fenced');
    assert.equal(roleOf(run(leader(), says({ epoch: 9 })).state), 'primary');
  });

  test('stops when the lease is lost', () => {
    const error = new ClusterError('LEASE_LOST', 'gone');
    const { state } = run(leader(), { kind: 'lease-lost', error });
    assert.deepEqual([roleOf(state), codesOf(state)], ['fenced', ['LEASE_LOST']]);
  });

  test('does not mind nodes of other clusters', () => {
    const clusterId = 'LFSC0000000000000002';
    const { state, effects } = run(leader(), says({ clusterId, primary: 'node2', epoch: 99 }));
    assert.deepEqual([roleOf(state), effects, state.peers.size], ['primary', [], 0]);
  });

  test('does not take its own words for those of a peer', () => {
    const { state } = run(leader(), says({ nodeId: SETTINGS.nodeId, primary: 'node2' }));
    assert.equal(roleOf(state), 'primary');
  });
});

describe('A follower', () => {
  test('is a replica while it is connected', () => {
    assert.equal(roleOf(follower()), 'no-primary');
    const { state } = run(follower(), { kind: 'link', link: 'connected' });
    assert.equal(roleOf(state), 'replica');
    assert.equal(roleOf(run(state, { kind: 'link', link: 'none' }).state), 'no-primary');
  });

  test('knows of no primary during a conflict', () => {
    const { state } = run(
      follower(),
      { kind: 'link', link: 'caught-up' },
      says({ primary: 'node2' }),
    );
    assert.deepEqual([roleOf(state), codesOf(state)], ['no-primary', ['PRIMARY_CONFLICT']]);
  });

  test('never asks for the lease, and remembers epochs', () => {
    const { effects } = run(follower(), TICK, says({ epoch: 6 }), says({ epoch: 6 }), TICK);
    assert.deepEqual(effects, [{ kind: 'remember-epoch', epoch: 6 }]);
  });
});

const peerInputs: fc.Arbitrary<NodeInput> = fc
  .record({
    node: fc.integer({ min: 2, max: 4 }),
    primary: fc.constantFrom('node1', 'node1', 'node2'),
    role: fc.constantFrom('primary', 'replica', 'no-primary', 'fenced'),
    epoch: fc.integer({ min: 0, max: 40 }),
    clusterId: fc.constantFrom(undefined, SETTINGS.clusterId, 'LFSC0000000000000002'),
    aheadIn: fc.constantFrom(undefined, undefined, 'app.db'),
  })
  .map(({ node, aheadIn, ...fields }) => ({
    kind: 'peer',
    hello: hello({
      ...fields,
      name: `node${node}`,
      nodeId: `00000000000000A${node}`,
      url: `http://node${node}/`,
    }),
    url: `http://node${node}/`,
    news: [],
    comparison: { aheadIn },
  }));

const inputs: fc.Arbitrary<NodeInput> = fc.oneof(
  { weight: 4, arbitrary: peerInputs },
  { weight: 3, arbitrary: fc.constant<NodeInput>({ kind: 'tick', known: [URL2] }) },
  { weight: 1, arbitrary: fc.constant<NodeInput>({ kind: 'silent', url: URL2 }) },
  { weight: 1, arbitrary: fc.constant<NodeInput>({ kind: 'link', link: 'connected' }) },
);

test('Whatever is heard, a node leads only above all that it has seen, and unopposed', () => {
  const steps = fc.array(fc.tuple(inputs, fc.integer({ min: 0, max: 6_000 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.boolean(), (script, isCandidate) => {
      let state = isCandidate ? candidate({ known: [URL2] }) : follower();
      let nowMs = 0;
      let acquiring: number | undefined;
      for (const [input, waitMs] of script) {
        nowMs += waitMs;
        const before = state;
        const result = step(state, input, nowMs);
        ({ state } = result);
        for (const effect of result.effects) {
          if (effect.kind === 'acquire') acquiring = effect.aboveEpoch;
        }
        checkState(before, state);
        if (acquiring === undefined) continue;
        const epoch = acquiring + 1;
        acquiring = undefined;
        const led = step(state, { kind: 'acquired', epoch }, nowMs);
        assert.deepEqual(led.effects, []);
        checkState(state, led.state);
        ({ state } = led);
      }
    }),
    { numRuns: 500 },
  );
});

function checkState(before: NodeState, state: NodeState): void {
  assert.ok(state.epoch >= before.epoch, 'Epochs are not forgotten');
  if (before.phase === 'fenced') assert.equal(roleOf(state), 'fenced');
  if (roleOf(state) !== 'primary') return;
  const hellos = [...state.peers.values()].map((peer) => peer.hello);
  for (const peer of hellos) {
    assert.equal(peer.primary, state.settings.primary);
    assert.ok(peer.epoch <= state.term!);
    assert.ok(peer.epoch < state.term! || peer.role !== 'primary');
  }
  if (before.phase === 'leading') return;
  assert.ok(state.term! > before.epoch);
  assert.equal(state.unheard.size, 0);
  assert.ok([...state.peers.values()].every(({ aheadIn }) => aheadIn === undefined));
}
