import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import * as fc from 'fast-check';

import { SeededRandom } from '../seeded-random.ts';
import { assertHistory, checkHistory } from './check-history.ts';
import type {
  History,
  Operation,
  ReadOperation,
  ViolationKind,
  WriteOperation,
} from './history.ts';
import { glimpseOf, sampleHistory } from './sample-history.ts';

const FINAL = [1, 2, 3];

/** The write of 1 takes from 0 to 10 ms, that of 2 from 20 to 30, and so on. */
function write(value: number, changes: Partial<WriteOperation> = {}): WriteOperation {
  const startMs = (value - 1) * 20;
  const times = { startMs, endMs: startMs + 10 };
  return { kind: 'write', client: 'w', value, outcome: 'acknowledged', ...times, ...changes };
}

/** At one moment. */
function read(ms: number, values: readonly number[], more: Partial<ReadOperation> = {}): Operation {
  const where = { node: 'node2', isPrimary: false, client: 'r', seen: glimpseOf(values) };
  return { kind: 'read', ...where, startMs: ms, endMs: ms, ...more };
}

const WRITES = FINAL.map((value) => write(value));

interface Planted {
  readonly kind: ViolationKind;
  readonly what: string;
  readonly history: History;
}

function withReads(...reads: readonly Operation[]): History {
  return { operations: [...WRITES, ...reads], final: FINAL };
}

const PLANTED: readonly Planted[] = [
  {
    kind: 'lost-write',
    what: 'the last acknowledged write is gone',
    history: { operations: WRITES, final: [1, 2] },
  },
  {
    kind: 'failed-write-present',
    what: 'a write that was refused is there',
    history: { operations: [write(1), write(2, { outcome: 'failed' })], final: [1, 2] },
  },
  {
    kind: 'executed-twice',
    what: 'a write was sent again',
    history: { operations: WRITES, final: [1, 2, 2, 3] },
  },
  {
    kind: 'executed-twice',
    what: 'a write of unknown outcome was sent again',
    history: { operations: [write(1), write(2, { outcome: 'unknown' })], final: [1, 2, 2] },
  },
  {
    kind: 'phantom-write',
    what: 'a row comes from nowhere',
    history: { operations: WRITES, final: [1, 2, 3, 4] },
  },
  {
    kind: 'writes-out-of-order',
    what: 'a later write comes first',
    history: { operations: WRITES, final: [1, 3, 2] },
  },
  {
    kind: 'positions-out-of-order',
    what: 'two writes have one position',
    history: {
      operations: [1, 2].map((value) => write(value, { position: { epoch: 1, txid: 7 } })),
      final: [1, 2],
    },
  },
  {
    kind: 'positions-out-of-order',
    what: 'the epoch goes back',
    history: {
      operations: [
        write(1, { position: { epoch: 2, txid: 7 } }),
        write(2, { position: { epoch: 1, txid: 8 } }),
      ],
      final: [1, 2],
    },
  },
  {
    kind: 'torn-state',
    what: 'a reader saw half a transaction',
    history: withReads(read(60, [1, 2, 3], { seen: { ...glimpseOf([1, 2]), tally: 3 } })),
  },
  {
    kind: 'no-such-state',
    what: 'a reader saw a write without the one before',
    history: withReads(read(60, [1, 3])),
  },
  {
    kind: 'no-such-state',
    what: 'a reader saw a write that the primary lost',
    history: withReads(read(60, [1, 2, 3, 4])),
  },
  {
    kind: 'read-of-the-future',
    what: 'a reader saw what was not written yet',
    history: withReads(read(15, [1, 2])),
  },
  {
    kind: 'node-went-back',
    what: 'a node showed an earlier state to another reader',
    history: withReads(read(60, FINAL), read(61, [1], { client: 'other' })),
  },
  {
    kind: 'session-went-back',
    what: 'a session moved to a node that is behind',
    history: withReads(
      read(60, FINAL, { session: 's' }),
      read(61, [1], { session: 's', node: 'node3' }),
    ),
  },
  {
    kind: 'own-write-unseen',
    what: 'a session did not see what it wrote',
    history: {
      operations: [write(1, { session: 's' }), read(11, [], { session: 's' })],
      final: [1],
    },
  },
  {
    kind: 'stale-primary',
    what: 'the primary did not show what it acknowledged',
    history: withReads(read(60, [1, 2], { node: 'node1', isPrimary: true })),
  },
  {
    kind: 'snapshot-moved',
    what: 'a read transaction saw a commit',
    history: withReads(read(15, [1], { transaction: 't' }), read(60, FINAL, { transaction: 't' })),
  },
];

suite('checkHistory()', () => {
  for (const { kind, what, history } of PLANTED) {
    test(`finds: ${what}`, () => {
      assert.deepEqual(
        checkHistory(history).map((violation) => violation.kind),
        [kind],
      );
      assert.throws(() => assertHistory(history), new RegExp(`1 violations.*\n${kind}: `));
    });
  }

  test('accepts every history of a cluster that keeps its promises', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.integer({ min: 0, max: 120 }), (seed, count) => {
        assert.deepEqual(checkHistory(sampleHistory(new SeededRandom(seed), count)), []);
      }),
    );
  });

  test('accepts a write of unknown outcome, there or not', () => {
    const operations = [write(1), write(2, { outcome: 'unknown' })];
    for (const final of [[1], [1, 2]]) assert.deepEqual(checkHistory({ operations, final }), []);
  });

  test('accepts a write of unknown outcome that happens long after its client gave up', () => {
    const operations = [write(1, { outcome: 'unknown' }), write(2)];
    assert.deepEqual(checkHistory({ operations, final: [2, 1] }), []);
  });

  test('accepts reads that overlap with a write, with it and without', () => {
    assert.deepEqual(checkHistory(withReads(read(45, [1, 2]), read(45, FINAL))), []);
  });

  test('accepts that a read transaction stays behind what its node shows to others', () => {
    const history = withReads(
      read(35, [1, 2], { transaction: 't' }),
      read(60, FINAL, { client: 'other' }),
      read(70, [1, 2], { transaction: 't' }),
    );
    assert.deepEqual(checkHistory(history), []);
  });

  test('accepts that a reader without a session moves to a node that is behind', () => {
    assert.deepEqual(checkHistory(withReads(read(60, FINAL), read(61, [], { node: 'node3' }))), []);
  });

  test('accepts that a session goes back where only its own writes are promised', () => {
    const history = withReads(
      read(60, FINAL, { session: 's' }),
      read(61, [1], { session: 's', node: 'node3' }),
    );
    assert.deepEqual(checkHistory({ ...history, sessionPromise: 'own-writes' }), []);
  });

  test('wants values that are different', () => {
    assert.throws(() => checkHistory({ operations: [write(1), write(1)], final: [1] }), RangeError);
  });
});

/** A change that breaks a promise, or undefined where the history offers no place for it. */
type Sabotage = (history: History, random: SeededRandom) => History | undefined;

function replaceRead(
  { operations, final }: History,
  random: SeededRandom,
  change: (read: ReadOperation) => ReadOperation | undefined,
): History | undefined {
  const indexes = operations.flatMap(({ kind }, index) => (kind === 'read' ? [index] : []));
  if (indexes.length === 0) return undefined;
  const index = random.pick(indexes);
  const changed = change(operations[index] as ReadOperation);
  return changed && { operations: operations.with(index, changed), final };
}

const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  'an acknowledged write is lost': ({ operations, final }, random) => {
    const values = operations.flatMap((each) =>
      each.kind === 'write' && each.outcome === 'acknowledged' ? [each.value] : [],
    );
    if (values.length === 0) return undefined;
    const lost = random.pick(values);
    return { operations, final: final.filter((value) => value !== lost) };
  },
  'a write is executed again': ({ operations, final }, random) =>
    final.length === 0 ? undefined : { operations, final: [...final, random.pick(final)] },
  'two rows are exchanged in what a reader saw': (history, random) =>
    replaceRead(history, random, (each) => {
      const { count } = each.seen;
      if (count < 2) return undefined;
      const [second, first] = history.final.slice(count - 2, count);
      const values = [...history.final.slice(0, count - 2), first!, second!];
      return { ...each, seen: glimpseOf(values) };
    }),
  'a row is missing in what a reader saw': (history, random) =>
    replaceRead(history, random, (each) => {
      const { count } = each.seen;
      if (count < 2) return undefined;
      const values = history.final.slice(0, count).toSpliced(random.int(0, count - 2), 1);
      return { ...each, seen: glimpseOf(values) };
    }),
  'the primary shows an empty table at the end': ({ operations, final }) => {
    if (!operations.some((each) => each.kind === 'write' && each.outcome === 'acknowledged')) {
      return undefined;
    }
    const late = read(Number.MAX_SAFE_INTEGER, [], { node: 'node1', isPrimary: true });
    return { operations: [...operations, late], final };
  },
};

suite('checkHistory() finds in any history that', () => {
  for (const [what, sabotage] of Object.entries(SABOTAGES)) {
    test(what, () => {
      let plantedCount = 0;
      for (let seed = 1; seed <= 100; seed += 1) {
        const random = new SeededRandom(seed);
        const planted = sabotage(sampleHistory(random, 60), random);
        if (planted === undefined) continue;
        plantedCount += 1;
        assert.notDeepEqual(checkHistory(planted), [], `seed ${seed}`);
      }
      assert(plantedCount > 50, `Only ${plantedCount} histories had a place for it`);
    });
  }
});
